"""Keys of people and of the machine, for sshd. All of it lies in folders of root."""

from __future__ import annotations

import os
import re
from typing import List

from . import paths
from .system import CommandFailed, Failed, read, remove, run, succeeds, write

_KEY = re.compile(
    r"(?:[A-Za-z0-9=,\"'. :@/*_-]+ )?(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com) "
    r"[A-Za-z0-9+/]+={0,3}(?: [^\x00-\x1f\x7f]*)?\Z"
)
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"


def write_keys(name: str, keys: List[str]) -> List[str]:
    """The keys of one person, in a folder that no person can change. Returns what is wrong with a key.

    sshd reads the file as the person, therefore everybody may read it; keys are public.
    """
    path = os.path.join(paths.KEYS, name)
    lines, wrong = [], []
    for number, key in enumerate((key.strip() for key in keys), 1):
        if _KEY.match(key):
            lines.append(key + "\n")
        else:
            wrong.append("key %d is not an OpenSSH public key" % number)
    os.makedirs(paths.KEYS, 0o755, exist_ok=True)
    if lines:
        write(path, "".join(lines), 0o644)
    else:
        remove(path)
    return wrong


def apply(host_key: bool, reload: bool = False) -> None:
    """Makes sshd read the keys, and present the pool's host key. A configuration that sshd refuses is taken back.

    `reload`: also when the configuration is the same, for a host key that is another one.

    A key in the home still counts: Azure puts the administrator's there, and sshd reads it as its owner.
    """
    text = "# Made by dsvmc.\nAuthorizedKeysFile %s/%%u .ssh/authorized_keys\n" % paths.KEYS
    if host_key:
        text += "HostKey %s\n" % paths.HOST_KEY
    before, main = read(paths.SSH_DROP_IN), read("/etc/ssh/sshd_config") or ""
    changed = write(paths.SSH_DROP_IN, text, 0o644) or reload
    included = re.search(r"^\s*Include\s+/etc/ssh/sshd_config\.d/", main, re.M)
    if not included:
        changed = write("/etc/ssh/sshd_config", INCLUDE + main, 0o644)
    os.makedirs("/run/sshd", 0o755, exist_ok=True)
    try:
        run("sshd", "-t")
    except CommandFailed as error:
        if before is None:
            remove(paths.SSH_DROP_IN)
        else:
            write(paths.SSH_DROP_IN, before, 0o644)
        if not included:
            write("/etc/ssh/sshd_config", main, 0o644)
        raise Failed("sshd refuses its configuration: %s" % error.output) from None
    if changed:
        succeeds("systemctl", "try-reload-or-restart", "ssh.service")


def install_host_key(key: str) -> bool:
    """Puts the pool's host key in place, with its public half. Returns whether it changed."""
    path = paths.LIBRARY + "/host_key"
    write(path, key.replace("\r\n", "\n").strip() + "\n", 0o600)
    try:
        public = run("ssh-keygen", "-y", "-P", "", "-f", path)
        changed = write(paths.HOST_KEY, read(path) or "", 0o600)
    except CommandFailed:
        raise Failed("the host key of the vault is not a private OpenSSH key without a passphrase") from None
    finally:
        remove(path)
    write(paths.HOST_KEY + ".pub", public.strip() + "\n", 0o644)
    return changed
