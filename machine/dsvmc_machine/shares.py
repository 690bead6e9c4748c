"""The file system table and the mounts. `boot` mounts, not systemd: it knows when the proof of identity is there."""

from __future__ import annotations

import os
import re
from typing import List

from . import GROUP_ID, secrets
from .config import Pool, Share
from .mountinfo import mounted
from .paths import FSTAB
from .state import State
from .system import CommandFailed, Failed, again, read, remove, run, say, write

MARK = "# dsvmc"
AZNFS_TEMPORARY = "/tmp/mountmapv4.tmp"
"""aznfs writes this file as root under a name that everybody knows (src/nfsv4mountscript.sh)."""


def escaped(field: str) -> str:
    """A field of the file system table, fstab(5)."""
    return re.sub(r"[\s\\#]", lambda found: "\\%03o" % ord(found.group()), field)


def line(share: Share, pool: Pool) -> str:
    """The line of one share. `nosuid,nodev` come last, so no option of the pool takes them back."""
    options = ["noauto", "nofail", "_netdev"]
    if share.kind == "nfs":
        source, kind = "%s:/%s/%s" % (share.host, share.account, share.share), "aznfs"
        options += ["vers=4", "minorversion=1", "sec=sys", "nconnect=4"]
    else:
        source, kind = "//%s/%s" % (share.host, share.share), "cifs"
        options += ["vers=3.1.1", "gid=%d" % GROUP_ID, "file_mode=" + share.file_mode, "dir_mode=" + share.directory_mode]
        options += ["serverino", "nosharesock", "mfsymlinks", "actimeo=30"]
        if share.kind == "identity":
            options += ["sec=krb5", "cruid=" + secrets.ticket_owner(), "username=" + (pool.client or "")]
        else:
            options += ["credentials=" + secrets.credentials_path(share.account)]
    options += [option for option in share.options if option not in ("suid", "dev")] + ["nosuid", "nodev"]
    return "%s %s %s %s 0 0 %s\n" % (escaped(source), escaped(share.mount), kind, ",".join(options), MARK)


def unmount(point: str) -> None:
    """Unmounts; when files are open there, as soon as the last is closed."""
    if point in mounted():
        try:
            run("umount", point, timeout=60)
        except CommandFailed:
            run("umount", "-l", point, timeout=60)


def table(pool: Pool, state: State) -> None:
    """Brings the file system table up to date and unmounts what is gone or changed."""
    lines = {share.mount: line(share, pool) for share in pool.shares}
    for point, before in list(state.mounts.items()):
        if lines.get(point) != before:
            say("unmount " + point)
            unmount(point)
            if point not in lines:
                try:
                    os.rmdir(point)
                except OSError:
                    pass
            del state.mounts[point]
    old = (read(FSTAB) or "").splitlines(keepends=True)
    kept = [entry if entry.endswith("\n") else entry + "\n" for entry in old if MARK not in entry]
    write(FSTAB, "".join(kept + list(lines.values())), 0o644)
    for share in pool.shares:
        os.makedirs(share.mount, 0o755, exist_ok=True)
    state.mounts = lines
    state.save()
    run("systemctl", "daemon-reload")


def mount(pool: Pool, times: int = 20, pause: float = 15) -> None:
    """Mounts what is not mounted. Raises `Failed` with every share that stays away."""
    lost: List[str] = []
    for share in pool.shares:
        if share.mount in mounted():
            continue
        if share.kind == "nfs":
            _own_temporary()
        try:
            again("mount " + share.mount, lambda: run("mount", share.mount, timeout=180), times, pause)
        except Failed as error:
            lost.append("%s: %s" % (share.mount, error))
    if lost:
        raise Failed("; ".join(lost))


def _own_temporary() -> None:
    """Takes away what somebody planted where aznfs writes, and makes the file as root's."""
    try:
        if os.lstat(AZNFS_TEMPORARY).st_uid:
            remove(AZNFS_TEMPORARY)
    except FileNotFoundError:
        pass
    try:
        os.close(os.open(AZNFS_TEMPORARY, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError:
        pass
