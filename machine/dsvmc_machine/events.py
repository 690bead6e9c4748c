"""Listens to scheduled events of the platform, warns people, and keeps new ones away from a machine that is going.

https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events: an event starts when it is approved or when
`NotBefore` has passed, never earlier; an approval counts for every machine in `Resources`; one request a second is
recommended. So an event is approved only when it concerns this machine alone and nobody has been on it for a minute;
otherwise people have the whole notice.
"""

from __future__ import annotations

import calendar
import email.utils
import glob
import json
import os
import time
from typing import Any, Dict, List, Mapping, Optional, Set

from . import metadata, paths
from .accounts import FIRST_UID, NOBODY
from .health import DYNAMIC
from .system import CommandFailed, Failed, read, remove, run, say, write

VERSION = {"api-version": "2020-07-01"}
DISRUPTIVE = frozenset(["Terminate", "Preempt", "Reboot", "Redeploy"])
WORDS = {
    "Terminate": "This machine will be deleted",
    "Preempt": "Azure takes this spot machine back",
    "Reboot": "This machine will restart",
    "Redeploy": "This machine will move to other hardware and restart",
}
WARNINGS = (300.0, 60.0)
"""Seconds before the start at which people are warned again."""
LEAD = 1200.0
"""Seconds before its start at which an event closes the machine. Failing hardware is announced days ahead."""
EMPTY = 60.0
"""Seconds without anybody before an event is approved."""
FIRST = 150.0
"""Seconds for an answer: the first request, which switches the events on, may take two minutes."""
MARK = "dsvmc: "


def people() -> Set[int]:
    """The uids of people with a process on this machine: shells, kernels, jobs, containers of the image's users."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                uid = os.stat("/proc/" + entry).st_uid
            except OSError:
                continue
            if uid >= FIRST_UID and uid != NOBODY and uid not in DYNAMIC:
                found.add(uid)
    return found


def occupied() -> bool:
    """Whether anybody or any container is at work. A container may run as root for a person."""
    slices = "/sys/fs/cgroup/"
    scopes = [glob.glob(slices + pattern + "/docker-*.scope") for pattern in ("system.slice", "*/system.slice")]
    return bool(people()) or any(scopes)


def starts(event: Mapping[str, Any]) -> Optional[float]:
    """When an event may start, as seconds since 1970; nothing once it has started."""
    parsed = email.utils.parsedate_tz(str(event.get("NotBefore") or ""))
    return None if parsed is None else calendar.timegm(parsed[:6]) - (parsed[9] or 0)


def notice(event: Mapping[str, Any], now: float) -> str:
    """What people are told."""
    start = starts(event)
    words = WORDS[str(event["EventType"])]
    if start is None or start <= now:
        return words + " now. Save your work."
    minutes = max(1, round((start - now) / 60))
    at = time.strftime("%H:%M UTC", time.gmtime(start))
    return "%s at %s, in about %d minute%s. Save your work and log out." % (words, at, minutes, "" if minutes == 1 else "s")


class Listener:
    """What is known about the events of this machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._told: Dict[str, Set[float]] = {}
        self._approved: Set[str] = set()
        self._empty_since: Optional[float] = None

    def mine(self, document: Mapping[str, Any]) -> List[Mapping[str, Any]]:
        """The events of a document that end what people do on this machine."""
        events = [event for event in document.get("Events", []) if isinstance(event, dict)]
        return [e for e in events if e.get("EventType") in DISRUPTIVE and self.name in (e.get("Resources") or [])]

    def handle(self, document: Mapping[str, Any], now: float) -> List[str]:
        """Acts on a document; returns the ids of events to approve."""
        events = self.mine(document)
        known = {str(event["EventId"]) for event in events}
        self._told = {key: value for key, value in self._told.items() if key in known}
        self._approved &= known
        if not events:
            if os.path.exists(paths.DRAIN):
                undrain()
                wall("The planned interruption of this machine is over or was cancelled.")
            self._empty_since = None
            return []
        for event in events:
            self._warn(event, now)
        near = [event for event in events if (starts(event) or now) - now <= LEAD]
        if not near:
            return []
        drain(near[0], now)
        if occupied():
            self._empty_since = None
            return []
        self._empty_since = now if self._empty_since is None else self._empty_since
        if now - self._empty_since < EMPTY:
            return []
        alone = [e for e in near if e.get("EventStatus") == "Scheduled" and e.get("Resources") == [self.name]]
        return [str(event["EventId"]) for event in alone if str(event["EventId"]) not in self._approved]

    def _warn(self, event: Mapping[str, Any], now: float) -> None:
        told = self._told.setdefault(str(event["EventId"]), set())
        start = starts(event)
        due = {float("inf")} | {limit for limit in WARNINGS if start is not None and start - now <= limit}
        if due - told:
            told |= due
            wall(notice(event, now))

    def approved(self, event: str) -> None:
        """Notes an approval, so that it is sent once."""
        self._approved.add(event)


def drain(event: Mapping[str, Any], now: float) -> None:
    """Keeps new sessions away. pam_nologin(8) refuses everybody but root and shows the text."""
    write(paths.DRAIN, str(event["EventType"]) + "\n", 0o644)
    before = read(paths.NOLOGIN)
    if before is None or before.startswith(MARK):
        write(paths.NOLOGIN, MARK + notice(event, now) + " Log in again in a few minutes.\n", 0o644)


def undrain() -> None:
    """Opens the machine again. A file that somebody else made stays."""
    if (read(paths.NOLOGIN) or "").startswith(MARK):
        remove(paths.NOLOGIN)
    remove(paths.DRAIN)


def wall(text: str) -> None:
    """Writes to every terminal."""
    say("notice: " + text)
    try:
        run("wall", "-t", "5", text, timeout=30)
    except CommandFailed:
        pass


def main() -> None:
    """The service. A platform that does not answer is asked again; the machine stays as it is meanwhile."""
    listener: Optional[Listener] = None
    while True:
        try:
            if listener is None:
                compute = metadata.imds("instance/compute", {"api-version": "2021-02-01"})
                listener = Listener(str(compute["name"]))
            document = metadata.imds("scheduledevents", VERSION, timeout=FIRST)
            for event in listener.handle(document, time.time()):
                body = json.dumps({"StartRequests": [{"EventId": event}]}).encode()
                metadata.imds("scheduledevents", VERSION, body)
                listener.approved(event)
                say("approved event %s: nobody is on this machine" % event)
        except (Failed, OSError, ValueError, KeyError, TypeError, AttributeError):
            time.sleep(10)
        time.sleep(1)
