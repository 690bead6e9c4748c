"""What happens when somebody logs in: the account phase of PAM as root, or a shell's profile as the person.

JupyterHub asks PAM for the account phase and opens no session (JupyterHub, jupyterhub/auth.py), so the account phase is
the one place that every way to log in passes.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
from typing import Mapping

from . import GROUP, folders, paths
from .accounts import FIRST_UID, NOBODY
from .config import NAME
from .system import read, succeeds

SKIPPED = frozenset(["cron", "crond", "atd", "sudo", "sudo-i", "su", "polkit-1", "passwd", "chsh", "chfn", "systemd-user"])
"""Services that ask PAM about an account although nobody logs in."""
PATIENCE = 4.0


def run(environment: Mapping[str, str]) -> None:
    """Never fails and never takes longer than a few seconds: a log-in must not depend on a share."""
    description = json.loads(read(paths.PUBLIC) or "{}")
    if os.getuid() != os.geteuid():
        return
    if os.getuid() != 0:
        folders.apply(description, pwd.getpwuid(os.getuid()), PATIENCE)
        return
    if environment.get("PAM_TYPE") != "account" or environment.get("PAM_SERVICE") in SKIPPED:
        return
    try:
        account = pwd.getpwnam(environment.get("PAM_USER", ""))
    except KeyError:
        return
    if not FIRST_UID <= account.pw_uid or account.pw_uid == NOBODY:
        return
    # Accounts of a directory are not in the group of the shares; gpasswd takes every name that the system knows.
    if NAME.match(account.pw_name) or "@" in account.pw_name:
        if account.pw_name not in grp.getgrnam(GROUP).gr_mem:
            succeeds("gpasswd", "-a", account.pw_name, GROUP)
    if not os.path.isdir(account.pw_dir) and account.pw_dir.startswith("/home/"):
        succeeds("mkhomedir_helper", account.pw_name, "0077")
    folders.apply(description, account, PATIENCE)
