"""Accounts, groups and the right to use sudo: what is described is made, what was made and is no longer described is closed."""

from __future__ import annotations

import grp
import os
import pwd
import re
import signal
import time
from typing import List, Optional

from . import GROUP, GROUP_ID, paths, ssh
from .config import NAME, Pool, User
from .state import State
from .system import CommandFailed, Failed, Problems, remove, run, succeeds, write

FIRST_UID = 1000
"""Smaller numbers belong to the system (Debian policy 9.2.2; UID_MIN of /etc/login.defs)."""
NOBODY = 65534


class _Refused(Exception):
    """Why one person gets no account on this machine."""


def closed_name(uid: int) -> str:
    """The log-in name of an account without access. The number stays taken, so nobody inherits the files."""
    return "dsvmc-removed-%d" % uid


def by_name(name: str) -> Optional[pwd.struct_passwd]:
    """The account of this name, if there is one."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def prepare(pool: Pool) -> None:
    """The group of the shares, with the administrator in it. Raises `Failed` when either is impossible."""
    try:
        if grp.getgrnam(GROUP).gr_gid != GROUP_ID:
            raise Failed("the group %s has the number %d in place of %d" % (GROUP, grp.getgrnam(GROUP).gr_gid, GROUP_ID))
    except KeyError:
        run("groupadd", "-g", str(GROUP_ID), GROUP)
    if by_name(pool.admin) is None:
        raise Failed("the administrator %s has no account" % pool.admin)
    if pool.admin not in grp.getgrnam(GROUP).gr_mem:
        run("gpasswd", "-a", pool.admin, GROUP)


def close_removed(pool: Pool, state: State, problems: Problems) -> None:
    """Takes access away from everybody who is no longer described. Home and files stay."""
    described = {user.name for user in pool.users}
    for name, uid in sorted(state.users.items()):
        if name in described or name == pool.admin:
            continue
        try:
            close(name, uid)
        except Failed as error:
            problems.add(name, "access could not be removed completely: %s" % error)
        del state.users[name]
        state.removed[name] = uid
        state.groups.pop(name, None)
        if name in state.passwords:
            state.passwords.remove(name)
        state.save()


def close(name: str, uid: int) -> None:
    """Ends an account's access: keys, password, groups, log-in, running processes, and its name.

    The name goes because JupyterHub starts servers for a browser that still has a cookie without asking PAM again; it
    finds nobody of that name any more.
    """
    ssh.write_keys(name, [])
    account = by_name(name)
    if account is None or account.pw_uid != uid:
        return
    run("usermod", "-L", "-e", "1", "-s", "/usr/sbin/nologin", name)
    for group in grp.getgrall():
        if name in group.gr_mem:
            run("gpasswd", "-d", name, group.gr_name)
    succeeds("loginctl", "disable-linger", name)
    succeeds("loginctl", "terminate-user", name)
    end_processes(uid)
    run("usermod", "-l", closed_name(uid), name)


def end_processes(uid: int, rounds: int = 20) -> None:
    """Ends all processes of a uid; several rounds, because a process may start others."""
    for _ in range(rounds):
        running = processes_of(uid)
        for process in running:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not running:
            return
        time.sleep(0.1)


def processes_of(uid: int) -> List[int]:
    """The processes with this real or effective uid, without those that have ended."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/status" % name, encoding="ascii", errors="replace") as file:
                status = file.read()
        except OSError:
            continue
        ids = re.search(r"^Uid:\s+(\d+)\s+(\d+)", status, re.M)
        if ids and uid in (int(ids.group(1)), int(ids.group(2))) and not re.search(r"^State:\s+[ZX]", status, re.M):
            found.append(int(name))
    return found


def apply(pool: Pool, state: State, problems: Problems) -> None:
    """Makes the accounts with their groups and keys. What one person lacks is a problem of that person."""
    for user in pool.users:
        try:
            _ensure(user, state)
        except (_Refused, Failed, OSError) as error:
            problems.add(user.name, "no account: %s" % error)
            continue
        state.users[user.name] = user.uid
        state.removed.pop(user.name, None)
        state.save()
        for text in ssh.write_keys(user.name, user.keys):
            problems.add(user.name, text)
    sudo(pool, state)


def _ensure(user: User, state: State) -> None:
    name, uid = user.name, user.uid
    if not NAME.match(name):
        raise _Refused("not a valid Linux account name")
    if uid < FIRST_UID or uid in (NOBODY, GROUP_ID):
        raise _Refused("the uid %d belongs to the system" % uid)
    account = by_name(name)
    if account is None and state.removed.get(name) == uid:
        before = by_name(closed_name(uid))
        if before is not None and before.pw_uid == uid:
            run("usermod", "-l", name, closed_name(uid))
            run("usermod", "-e", "", "-s", "/bin/bash", name)
            account = by_name(name)
    if account is not None:
        if account.pw_uid != uid:
            raise _Refused("an account of this name has the uid %d; new machines get the new one" % account.pw_uid)
        if name in state.removed:
            run("usermod", "-e", "", "-s", "/bin/bash", name)
        return
    try:
        raise _Refused("the uid %d belongs to %s" % (uid, pwd.getpwuid(uid).pw_name))
    except KeyError:
        pass
    try:
        group = grp.getgrnam(name)
    except KeyError:
        run("groupadd", "-g", str(uid), name)
    else:
        if group.gr_gid != uid:
            raise _Refused("a group of this name has the number %d" % group.gr_gid)
    run("useradd", "-m", "-s", "/bin/bash", "-u", str(uid), "-g", str(uid), name)
    _close_home("/home/" + name, uid)


def _close_home(home: str, uid: int) -> None:
    """Mode 0750 for a home that was just made (releases before 21.04 make 0755). Its parent is root's."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(folder).st_uid == uid:
            os.fchmod(folder, 0o750)
    finally:
        os.close(folder)


def groups(pool: Pool, state: State, problems: Problems) -> None:
    """Puts people into their groups, and out of those that this program put them into earlier.

    Runs after packages and steps too, since those may make a group.
    """
    known = {group.gr_name: group for group in grp.getgrall()}
    for user in pool.users:
        if state.users.get(user.name) != user.uid:
            continue
        wanted = [GROUP] + [name for name in user.groups if name in known]
        for name in sorted(set(state.groups.get(user.name, [])) - set(wanted)):
            if name in known and user.name in known[name].gr_mem:
                run("gpasswd", "-d", user.name, name)
        for name in wanted:
            if user.name not in known[name].gr_mem:
                run("gpasswd", "-a", user.name, name)
        state.groups[user.name] = wanted
    state.save()


def missing_groups(pool: Pool, problems: Problems) -> None:
    """Notes groups that nothing on this machine made."""
    known = {group.gr_name for group in grp.getgrall()}
    for user in pool.users:
        for name in user.groups:
            if name not in known:
                problems.add(user.name, "there is no group %s" % name)


def sudo(pool: Pool, state: State) -> None:
    """One rule for each administrator, by number: a name such as `ALL` has a meaning of its own in the file."""
    folder = os.path.dirname(paths.SUDOERS)
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            if name.startswith("90-dsvmc-"):
                remove(os.path.join(folder, name))
    rules = [
        "#%d ALL=(ALL:ALL) NOPASSWD:ALL\n" % user.uid for user in pool.users if user.sudo and state.users.get(user.name) == user.uid
    ]
    if not rules:
        remove(paths.SUDOERS)
        return
    beside = paths.LIBRARY + "/sudoers"
    write(beside, "".join(rules), 0o440)
    try:
        run("visudo", "-cf", beside)
    except CommandFailed as error:
        raise Failed("the rules of sudo are not valid: %s" % error.output) from None
    finally:
        remove(beside)
    write(paths.SUDOERS, "".join(rules), 0o440)
