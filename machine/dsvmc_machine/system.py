"""Commands, files and output, each in the one way that is safe for root on a shared machine."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from typing import Callable, Dict, List, Optional, Set, TypeVar, Union

from . import paths

Result = TypeVar("Result")

ENVIRONMENT: Dict[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
TAIL = 1500
"""Bytes of a command's output that are reported. The extension returns 4,096 in all."""

_hidden: Set[str] = set()


class Failed(Exception):
    """Something that stops the setup. Its text is for the person who deploys: no secret is in it."""


class CommandFailed(Failed):
    """A command that ended with another code than 0."""

    def __init__(self, command: str, code: int, output: str) -> None:
        super().__init__("`%s` exited with code %d%s" % (command, code, ": " + output if output else ""))
        self.code = code
        self.output = output


def hide(secret: str) -> None:
    """From now on this value, and each of its lines, is replaced wherever text is printed or kept."""
    for part in [secret] + secret.splitlines():
        if len(part.strip()) >= 4:
            _hidden.add(part.strip())


def clean(text: str) -> str:
    """The text without secrets and without characters that could move a reader's terminal."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"[^\x20-\x7e\n\u00a0-\uffff]", "?", text)


def say(text: str) -> None:
    """Prints one line, and appends it to the log that only root can read."""
    line = "dsvmc: " + clean(text).replace("\n", "\ndsvmc:   ")
    print(line, flush=True)
    try:
        file = os.open(paths.LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "a") as log:
            log.write(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + line + "\n")
    except OSError:
        pass


def run(*command: str, typed: Optional[str] = None, timeout: float = 900, environment: Optional[Dict[str, str]] = None) -> str:
    """Runs a command and returns its output. Raises `CommandFailed` with the end of the output.

    The output goes through a file: a daemon that the command leaves behind cannot keep a pipe open.
    """
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command,
                input=None if typed is None else typed.encode(),
                stdin=subprocess.DEVNULL if typed is None else None,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(ENVIRONMENT, **(environment or {})),
                cwd="/",
                timeout=timeout,
            )
        except FileNotFoundError:
            raise CommandFailed(command[0], 127, "not installed") from None
        except subprocess.TimeoutExpired:
            raise CommandFailed(command[0], 124, "timed out after %d s" % timeout) from None
        size = output.seek(0, os.SEEK_END)
        if done.returncode:
            output.seek(max(0, size - TAIL))
            raise CommandFailed(command[0], done.returncode, clean(output.read().decode(errors="replace")).strip())
        output.seek(0)
        return output.read().decode(errors="replace")


def succeeds(*command: str) -> bool:
    """Whether a command ends with 0."""
    try:
        run(*command)
    except CommandFailed:
        return False
    return True


def installed(command: str) -> bool:
    """Whether a command is on the path."""
    return any(os.access(os.path.join(folder, command), os.X_OK) for folder in ENVIRONMENT["PATH"].split(":"))


def again(what: str, action: Callable[[], Result], times: int = 20, pause: float = 15) -> Result:
    """The result of an action that may fail a few times. Raises its last failure."""
    for attempt in range(1, times + 1):
        try:
            return action()
        except (Failed, OSError, ValueError) as error:
            say("%s: attempt %d of %d: %s" % (what, attempt, times, reason(error)))
            if attempt == times:
                if isinstance(error, Failed):
                    raise
                raise Failed("%s: %s" % (what, reason(error))) from None
            time.sleep(pause)
    raise AssertionError("unreachable")


def reason(error: BaseException) -> str:
    """An error in words. Texts of foreign errors can hold a URL at most: no secret is ever part of one."""
    if isinstance(error, OSError) and error.strerror:
        return clean(error.strerror)
    return clean(str(error)) or type(error).__name__


def read(path: str) -> Optional[str]:
    """The text of a file in a folder of root, or nothing when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(path: str, content: Union[str, bytes], mode: int) -> bool:
    """Makes a file of root have this content and mode. Returns whether anything changed.

    For folders that only root can write to: the file is written beside its place and renamed.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        with open(path, "rb") as old:
            same = old.read() == data and os.fstat(old.fileno()).st_mode & 0o7777 == mode
        if same and not os.path.islink(path):
            return False
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    beside = path + ".dsvmc-new"
    remove(beside)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as new:
        new.write(data)
        os.fchmod(new.fileno(), mode)
        new.flush()
        os.fsync(new.fileno())
    os.replace(beside, path)
    return True


def remove(path: str) -> bool:
    """Removes a file of root. Returns whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


class Problems:
    """What went wrong for one person or one folder, while the machine as a whole works."""

    def __init__(self) -> None:
        self.found: List[Dict[str, str]] = []

    def add(self, who: str, text: str) -> None:
        """Notes and prints one problem. `who` is a person, or empty for the machine."""
        entry = {"who": clean(who), "problem": clean(text)}
        if entry not in self.found:
            self.found.append(entry)
            say("problem: " + (who + ": " if who else "") + text)
