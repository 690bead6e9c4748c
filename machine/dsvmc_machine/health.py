"""Answers the platform: `/health` for the Application Health extension, `/ready` for the load balancer.

| | /health | /ready |
|---|---|---|
| no setup has ended yet, or mounts were not tried since the start | 503 | 503 |
| working | 200 Healthy | 200 |
| a mount or a service is missing | 200 Unhealthy | 503 |
| draining | 200 Healthy | 503 |

A 503 on /health means "cannot say": the extension goes on with its grace period
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension).

One thread answers and one looks. The one that answers reads what the other found last, so a share that hangs delays no
answer. Connections are closed after two seconds, and the oldest makes room for the newest, so silent ones starve nobody.
systemd owns the socket, on a port below 1024: nobody else can listen there, before the start or after a failure.
"""

from __future__ import annotations

import collections
import json
import os
import pwd
import re
import selectors
import socket
import threading
import time
from typing import Any, Callable, List, Mapping, Optional, Set, Tuple

from . import paths
from .accounts import FIRST_UID
from .mountinfo import mounted
from .system import read

WAIT = 2.0
"""Seconds that a client has for its request."""
OPEN = 400
"""Most connections at a time."""
LONGEST = 2048
INTERVAL = 2.0
STALE = 15.0
"""Seconds after which a look that has not come back means that something hangs."""
DYNAMIC = range(61184, 65520)
"""Uids that systemd gives to services (systemd.exec(5), DynamicUser)."""
LISTEN = "0A"


def listeners(port: int) -> Set[int]:
    """The uids of those that listen on a TCP port, from the kernel's tables."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for entry in (read(table) or "").splitlines()[1:]:
            fields = entry.split()
            if fields[3] == LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(int(fields[7]))
    return found


def trusted(uid: int, user: Optional[str]) -> bool:
    """Whether a listener is the system's or the service's own: a person may listen on any port above 1023."""
    if uid < FIRST_UID or uid in DYNAMIC:
        return True
    try:
        return user is not None and pwd.getpwnam(user).pw_uid == uid
    except KeyError:
        return False


def faults(description: Mapping[str, Any]) -> List[str]:
    """What is missing on this machine. Hangs when a share hangs."""
    found = []
    present = mounted()
    for share in description.get("shares", []):
        if share["mount"] not in present:
            found.append("%s is not mounted" % share["mount"])
            continue
        try:
            os.statvfs(share["mount"])
        except OSError as error:
            found.append("%s: %s" % (share["mount"], error.strerror))
    for service in description.get("services", []):
        if not any(trusted(uid, service.get("user")) for uid in listeners(service["port"])):
            found.append("no service listens on port %d" % service["port"])
    return found


class Look:
    """What was seen last, and when."""

    def __init__(self, see: Callable[[], List[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._see, self._clock = see, clock
        self._seen: Optional[Tuple[float, List[str]]] = None
        self._began = clock()

    def once(self) -> None:
        """Looks, and keeps the result; for the thread that may hang."""
        try:
            found = self._see()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            found = [type(error).__name__]
        self._seen = (self._clock(), found)

    def for_ever(self) -> None:
        """Looks again and again."""
        while True:
            self.once()
            time.sleep(INTERVAL)

    def good(self) -> Optional[bool]:
        """Whether all is there; nothing before the first look has come back or has taken too long."""
        at, found = self._seen or (self._began, None)
        if self._clock() - at > STALE:
            return False
        return None if found is None else not found


def answer(path: str, look: Look) -> Tuple[int, bytes]:
    """Status and body for a path."""
    known = os.path.exists(paths.READY) and os.path.exists(paths.BOOTED)
    good = look.good() if known else None
    if path == "/health":
        if good is None:
            return 503, b"{}"
        return 200, json.dumps({"ApplicationHealthState": "Healthy" if good else "Unhealthy"}).encode()
    if path == "/ready":
        open_to_people = bool(good) and not os.path.exists(paths.DRAIN)
        return (200, b"ready") if open_to_people else (503, b"not ready")
    return 404, b""


PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


def response(request: bytes, look: Look) -> bytes:
    """The whole response to the head of a request."""
    line = re.match(rb"GET (/[!-~]*) HTTP/1\.[01]\r?\n", request)
    status, body = answer(line.group(1).decode().split("?")[0], look) if line else (400, b"")
    head = "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return (head % (status, PHRASES[status], len(body))).encode() + body


class _Client:
    def __init__(self, connection: socket.socket, end: float) -> None:
        self.connection, self.end, self.request = connection, end, b""


def serve(listener: socket.socket, look: Look, ended: Callable[[], bool] = lambda: False) -> None:
    """Answers until `ended`. Never waits for one client."""
    selector = selectors.DefaultSelector()
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    clients: "collections.OrderedDict[int, _Client]" = collections.OrderedDict()

    def drop(number: int) -> None:
        client = clients.pop(number)
        selector.unregister(client.connection)
        client.connection.close()

    def accept() -> None:
        for _ in range(64):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setblocking(False)
            if len(clients) >= OPEN:
                drop(next(iter(clients)))
            clients[connection.fileno()] = _Client(connection, time.monotonic() + WAIT)
            selector.register(connection, selectors.EVENT_READ)

    def hear(number: int) -> None:
        client = clients[number]
        try:
            piece = client.connection.recv(LONGEST)
            client.request += piece
            if piece and b"\r\n\r\n" not in client.request and len(client.request) < LONGEST:
                return
            if piece:
                client.connection.send(response(client.request, look))
                client.connection.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            pass
        drop(number)

    while not ended():
        for key, _ in selector.select(0.25):
            if key.fileobj is listener:
                accept()
            elif key.fd in clients and clients[key.fd].connection is key.fileobj:
                hear(key.fd)
        now = time.monotonic()
        while clients and next(iter(clients.values())).end < now:
            drop(next(iter(clients)))


def main() -> None:
    """The service: the socket is the one that systemd passes (sd_listen_fds(3))."""
    if os.environ.get("LISTEN_FDS") != "1":
        raise SystemExit("dsvmc: `health` is started by dsvmc-health.socket")
    look = Look(lambda: faults(json.loads(read(paths.PUBLIC) or "{}")))
    threading.Thread(target=look.for_ever, daemon=True).start()
    serve(socket.socket(fileno=3), look)
