"""People's folders on the shares and the links to them in their homes.

Everything below a home or a share happens as the person, in a process that has given up root. Root itself makes two kinds
of folders on NFS, where it would otherwise belong to nobody in particular: those above a person's own, and the person's
own inside a folder that only root can write to. It goes there by file descriptors and never through a link.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import stat
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional

from . import GROUP_ID
from .mountinfo import mounted

PERSON = "{user}"
SILENT = "no response"
"""How the problem of a share that hangs begins."""
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Blocked(Exception):
    """Why one folder or link is not there."""


@dataclass(frozen=True)
class Wanted:
    """One link of one person, with the names filled in."""

    kind: str
    mount: str
    target: List[str]
    """Folders below the mount."""
    own: Optional[int]
    """Index of the first folder in `target` that is the person's own; nothing when it is everybody's."""
    path: List[str]
    """Folders below the home, and the link itself."""

    @property
    def destination(self) -> str:
        """Where the link leads."""
        return "/".join([self.mount] + self.target)


def parts(path: str, name: str) -> List[str]:
    """The names in a relative path, with the person's name in it. Raises `Blocked` for anything that leads elsewhere."""
    found = [part.replace(PERSON, name) for part in path.split("/") if part not in ("", ".")]
    if not found or path.startswith("/") or ".." in found or any("\0" in part for part in found):
        raise Blocked("`%s` is not a path below a folder" % path)
    return found


def wanted(description: Mapping[str, Any], name: str) -> List[Wanted]:
    """The links of one person, from the public part of the description."""
    found = []
    for share in description.get("shares", []):
        for link in share.get("links", []):
            target = link["target"]
            pieces = [part for part in target.split("/") if part not in ("", ".")]
            own = next((index for index, part in enumerate(pieces) if PERSON in part), None)
            found.append(Wanted(share["kind"], share["mount"], parts(target, name), own, parts(link["path"], name)))
    return found


def apply(description: Mapping[str, Any], account: pwd.struct_passwd, patience: float) -> List[str]:
    """Makes the folders and links of one person and takes away those that are no longer described.

    Returns what is wrong, in words. `patience`: seconds before a share that does not answer is given up.
    """
    problems: List[str] = []
    try:
        links = wanted(description, account.pw_name)
    except Blocked as error:
        return [str(error)]
    present = mounted()
    reachable = []
    for link in links:
        if link.mount not in present:
            problems.append("%s is not mounted" % link.mount)
            continue
        reachable.append(link)
    if os.geteuid() == 0:
        for link in reachable:
            if link.kind == "nfs":
                problems += guarded(lambda: _prepare(link, account), None, patience)
    problems += guarded(lambda: _as_person(description, account, reachable), account, patience)
    return problems


def guarded(action: Callable[[], List[str]], account: Optional[pwd.struct_passwd], patience: float) -> List[str]:
    """What an action in a child process returns; with an account, the child is that person before it begins.

    A child that a dead share holds is left behind: nothing of the machine waits for it.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            if account is not None:
                become(account)
            answer = json.dumps(action()).encode()
            os.write(writer, answer[:60000])
            code = 0
        except BaseException as error:  # whatever happens, the child must not go on as a copy of the parent
            os.write(writer, json.dumps(["%s" % (getattr(error, "strerror", None) or type(error).__name__)]).encode())
        finally:
            os._exit(code)
    os.close(writer)
    data, end = b"", time.monotonic() + patience
    try:
        while True:
            ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                os.kill(child, signal.SIGKILL)
                return [SILENT + " within %d s" % patience]
            piece = os.read(reader, 65536)
            if not piece:
                break
            data += piece
    finally:
        os.close(reader)
        _reap(child)
    try:
        return [str(item) for item in json.loads(data)]
    except ValueError:
        return ["ended without a result"]


def _reap(child: int) -> None:
    for _ in range(20):
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.01)


def become(account: pwd.struct_passwd) -> None:
    """Gives up root for good. Does nothing in a process that is that person already."""
    if os.getresuid() == (account.pw_uid,) * 3:
        os.umask(0o007)
        return
    os.initgroups(account.pw_name, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    os.umask(0o007)
    if os.getresuid() != (account.pw_uid,) * 3 or account.pw_uid == 0:
        raise Blocked("still root")


def step_into(folder: int, name: str, make: Optional[int], flags: int = PASS) -> int:
    """Opens a folder inside an open one, never through a link. Makes it with the mode `make` when it is not there."""
    for attempt in (1, 2):
        try:
            return os.open(name, flags, dir_fd=folder)
        except FileNotFoundError:
            if make is None or attempt == 2:
                raise Blocked("%s does not exist" % name) from None
            try:
                os.mkdir(name, make, dir_fd=folder)
            except FileExistsError:
                pass
        except NotADirectoryError:
            raise Blocked("%s is not a folder" % name) from None
        except OSError as error:
            raise Blocked("%s: %s" % (name, error.strerror)) from None
    raise AssertionError("unreachable")


def _prepare(link: Wanted, account: pwd.struct_passwd) -> List[str]:
    """Root's part on an NFS share. Where root is nobody (root squash) it leaves everything to the person."""
    folder = os.open(link.mount, OPEN)
    try:
        for index, name in enumerate(link.target):
            info = os.fstat(folder)
            if info.st_uid != 0 or (info.st_mode & stat.S_IWOTH):
                return []
            own = index == link.own
            shared = link.own is None and index == len(link.target) - 1
            try:
                os.mkdir(name, 0o700 if own else 0o755, dir_fd=folder)
                made = True
            except FileExistsError:
                made = False
            inner = os.open(name, OPEN, dir_fd=folder)
            os.close(folder)
            folder = inner
            if made and own:
                os.fchown(folder, account.pw_uid, account.pw_gid)
            if made and shared:
                os.fchown(folder, 0, GROUP_ID)
                os.fchmod(folder, 0o2770)
            if own:
                return []
    except OSError:
        # The person's part tells what is in the way.
        return []
    finally:
        os.close(folder)
    return []


def _as_person(description: Mapping[str, Any], account: pwd.struct_passwd, links: List[Wanted]) -> List[str]:
    problems = []
    described = {"/".join(link.path) for link in links}
    mounts = [share["mount"] for share in description.get("shares", [])]
    mounts += [entry["mount"] for entry in description.get("retired", [])]
    for entry in description.get("retired", []):
        try:
            path = parts(entry["path"], account.pw_name)
            if "/".join(path) not in described:
                _unlink(account, path, "/".join([entry["mount"]] + parts(entry["target"], account.pw_name)))
        except (Blocked, OSError):
            continue
    for link in links:
        shown = "~/" + "/".join(link.path)
        try:
            _target(link, account)
            _link(link, account, mounts)
        except Blocked as error:
            problems.append("%s: %s" % (shown, error))
        except OSError as error:
            problems.append("%s: %s" % (shown, error.strerror))
    return problems


def _target(link: Wanted, account: pwd.struct_passwd) -> None:
    """The folder on the share. One that is somebody else's is refused: it would be a trap."""
    folder = os.open(link.mount, PASS)
    try:
        for index, name in enumerate(link.target):
            mode = 0o700 if link.kind == "nfs" and link.own is not None and index >= link.own else 0o770
            inner = step_into(folder, name, mode)
            os.close(folder)
            folder = inner
            if link.own == index and link.kind == "nfs" and os.fstat(folder).st_uid != account.pw_uid:
                raise Blocked("%s on the share belongs to another user" % name)
    finally:
        os.close(folder)


def _link(link: Wanted, account: pwd.struct_passwd, mounts: List[str]) -> None:
    folder = os.open(account.pw_dir, PASS)
    try:
        for name in link.path[:-1]:
            inner = step_into(folder, name, 0o755)
            os.close(folder)
            folder = inner
        name = link.path[-1]
        try:
            os.symlink(link.destination, name, dir_fd=folder)
            return
        except FileExistsError:
            pass
        try:
            before = os.readlink(name, dir_fd=folder)
        except OSError:
            raise Blocked("another file already exists there") from None
        if before == link.destination:
            return
        if not any(before.startswith(mount + "/") for mount in mounts):
            raise Blocked("another link already exists there")
        os.unlink(name, dir_fd=folder)
        os.symlink(link.destination, name, dir_fd=folder)
    finally:
        os.close(folder)


def _unlink(account: pwd.struct_passwd, path: List[str], target: str) -> None:
    """Takes away a link that still leads where this program once made it lead."""
    folder = os.open(account.pw_dir, PASS)
    try:
        for name in path[:-1]:
            inner = step_into(folder, name, None)
            os.close(folder)
            folder = inner
        if os.readlink(path[-1], dir_fd=folder) == target:
            os.unlink(path[-1], dir_fd=folder)
    finally:
        os.close(folder)


def retire(before: List[Dict[str, str]], retired: List[Dict[str, str]], now: List[Dict[str, str]]) -> List[Dict[str, str]]:
    """The links of earlier descriptions that the present one lacks."""
    found = [entry for entry in retired + before if entry not in now]
    return [entry for index, entry in enumerate(found) if entry not in found[:index]]
