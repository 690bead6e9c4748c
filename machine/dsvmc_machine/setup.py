"""The two runs as root: `setup`, whenever the description or the program changes, and `boot`, at each start."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
from typing import Any, Dict, Iterator, List

from . import accounts, config, firewall, folders, packages, paths, secrets, shares, ssh, state, steps, units
from .config import Pool
from .state import State
from .system import CommandFailed, Failed, Problems, installed, read, remove, run, say, write

PATIENCE = 600.0
"""Seconds that secrets are waited for in a setup: a role takes minutes to reach a vault."""
BOOT_PATIENCE = 60.0
FOLDERS = 30.0
MOST_HUNG = 3
"""People in a row for whom a share did not answer, before the rest is left to their log-ins."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One run at a time; a second one waits."""
    os.makedirs(paths.RUN, 0o755, exist_ok=True)
    with open(os.open(paths.LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def description() -> Pool:
    """The description of the pool on this machine."""
    text = read(paths.CONFIG)
    if text is None:
        raise Failed("there is no %s" % paths.CONFIG)
    return config.parse(text)


def setup() -> None:
    """Makes the machine as described, and prints `dsvmc: ready VERSION` as its last line.

    Ends with 1 and the part that failed otherwise. What a person lacks is a problem in the status and fails nothing.
    """
    problems = Problems()
    version = (read(paths.VERSION) or "by hand").strip()
    part = "start"
    os.makedirs(paths.LIBRARY, 0o755, exist_ok=True)
    with alone():
        try:
            for part, action in _parts(problems):
                say(part)
                action()
        except (Failed, OSError) as error:
            text = str(error) if isinstance(error, Failed) else "%s: %s" % (error.filename or type(error).__name__, error.strerror)
            _note(version, part, text, problems)
            say("failed at %s: %s" % (part, text))
            raise SystemExit(1) from None
        _note(version, None, None, problems)
        write(paths.READY, version + "\n", 0o644)
        write(paths.BOOTED, version + "\n", 0o644)
    if problems.found:
        say("%d problems that affect single users or folders; run `status` for the list" % len(problems.found))
    say("ready " + version)


def _parts(problems: Problems) -> Iterator[Any]:
    """The parts of a setup in order, each with its name. Later parts use what earlier ones read."""
    yield "cloud-init", _wait_for_cloud_init
    loaded: List[Any] = []
    yield "description", lambda: loaded.extend((description(), state.load()))
    pool, known = loaded
    yield "firewall", lambda: firewall.apply(pool)
    yield "units", lambda: units.apply(pool)
    yield "accounts", lambda: _accounts(pool, known, problems)
    yield "packages", lambda: packages.apply(pool)
    yield "secrets", lambda: _secrets(pool, known, problems, PATIENCE)
    yield "mounts", lambda: _mounts(pool, known)
    yield "folders", lambda: _folders(pool, known, problems)
    yield "steps", lambda: steps.apply(pool, known)
    yield "groups", lambda: _groups(pool, known, problems)


def _wait_for_cloud_init() -> None:
    """The first start configures accounts and packages at the same time; an error of it is not ours to judge."""
    if installed("cloud-init"):
        try:
            run("cloud-init", "status", "--wait", timeout=1800)
        except CommandFailed as error:
            say("cloud-init exited with code %d" % error.code)


def _accounts(pool: Pool, known: State, problems: Problems) -> None:
    accounts.prepare(pool)
    accounts.close_removed(pool, known, problems)
    accounts.apply(pool, known, problems)
    accounts.groups(pool, known, problems)
    ssh.apply(os.path.exists(paths.HOST_KEY) and pool.host_key is not None)


def _groups(pool: Pool, known: State, problems: Problems) -> None:
    accounts.groups(pool, known, problems)
    accounts.missing_groups(pool, problems)


def _secrets(pool: Pool, known: State, problems: Problems, patience: float) -> None:
    secrets.host_key(pool, patience)
    secrets.share_keys(pool, known, patience)
    secrets.tickets(pool)
    secrets.passwords(pool, known, problems, patience)


def _mounts(pool: Pool, known: State) -> None:
    now = [dict(path=link.path, target=link.target, mount=share.mount) for share in pool.shares for link in share.links]
    known.retired = folders.retire(known.links, known.retired, now)
    known.links = now
    shares.table(pool, known)
    write(paths.PUBLIC, json.dumps(config.public(pool, known.retired), sort_keys=True) + "\n", 0o644)
    shares.mount(pool)


def _folders(pool: Pool, known: State, problems: Problems) -> None:
    public = config.public(pool, known.retired)
    hung = 0
    for name in [pool.admin] + sorted(known.users):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        found = folders.apply(public, account, FOLDERS)
        for text in found:
            problems.add(name, text)
        hung = hung + 1 if any(text.startswith(folders.SILENT) for text in found) else 0
        if hung == MOST_HUNG:
            problems.add("", "a share does not respond; folders are created at the next log-in of each user")
            return


def _note(version: str, failed: Any, reason: Any, problems: Problems) -> None:
    status: Dict[str, Any] = {"version": version, "failed": failed, "reason": reason, "problems": problems.found}
    write(paths.STATUS, json.dumps(status, sort_keys=True) + "\n", 0o600)


def boot() -> None:
    """Proof of identity and mounts after a start. Ends with 1 when a share stays away; systemd runs it again then.

    A vault that does not answer locks nobody out: passwords and keys of the last time are still there.
    """
    problems = Problems()
    lost: List[str] = []
    with alone():
        pool = description()
        known = state.load()
        remove(paths.DRAIN)
        firewall.apply(pool)
        try:
            secrets.share_keys(pool, known, BOOT_PATIENCE)
            secrets.tickets(pool, times=4)
        except Failed as error:
            lost.append(str(error))
        try:
            shares.mount(pool, times=4)
        except Failed as error:
            lost.append(str(error))
        # Only now: whoever may not come in must not wait for a vault, and mounts matter to everybody.
        write(paths.BOOTED, (read(paths.READY) or "").strip() + "\n", 0o644)
        secrets.passwords(pool, known, problems, BOOT_PATIENCE)
    if lost:
        say("failed at boot: " + "; ".join(lost))
        raise SystemExit(1)


def status() -> None:
    """Prints one JSON object: `version` of the last setup, `ready` (the version that came to its end, or null),
    `failed` and `reason`, `problems`, `draining`."""
    text = read(paths.STATUS)
    found: Dict[str, Any] = json.loads(text) if text else {"version": None, "failed": None, "reason": None, "problems": []}
    ready = read(paths.READY)
    found["ready"] = ready.strip() if ready else None
    found["draining"] = os.path.exists(paths.DRAIN)
    print(json.dumps(found, sort_keys=True))
