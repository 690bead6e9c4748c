"""The answers of the health service, and whether somebody can keep it from answering."""

import os
import re
import socket
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from dsvmc_machine import health, paths

WORD = '{"ApplicationHealthState": "%s"}'


class Served(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in ("READY", "BOOTED", "DRAIN"):
            before = getattr(paths, name)
            setattr(paths, name, os.path.join(self.folder.name, name))
            self.addCleanup(setattr, paths, name, before)
        self.found, self.now = [], 0.0
        self.look = health.Look(lambda: list(self.found), lambda: self.now)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = self.listener.getsockname()
        self.ended = False
        thread = threading.Thread(target=health.serve, args=(self.listener, self.look, lambda: self.ended), daemon=True)
        thread.start()

        def stop():
            self.ended = True
            thread.join(5)
            self.listener.close()

        self.addCleanup(stop)

    def touch(self, *names):
        for name in names:
            open(getattr(paths, name), "w").close()

    def ask(self, path="/health", request=None, timeout=5):
        with socket.create_connection(self.address, timeout=timeout) as client:
            client.sendall(request or ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path).encode())
            data = b""
            while True:
                piece = client.recv(4096)
                if not piece:
                    break
                data += piece
        status = re.match(rb"HTTP/1.1 (\d+)", data)
        return (int(status.group(1)), data.partition(b"\r\n\r\n")[2].decode()) if status else None

    def both(self):
        return self.ask("/health"), self.ask("/ready")[0]


class Answers(Served):
    def test_before_the_first_setup_nobody_can_say(self):
        self.look.once()
        self.assertEqual(self.both(), ((503, "{}"), 503))
        self.touch("READY")
        self.assertEqual(self.both(), ((503, "{}"), 503), "mounts were not tried since the start")

    def test_a_machine_that_works(self):
        self.touch("READY", "BOOTED")
        self.assertEqual(self.both(), ((503, "{}"), 503), "nobody has looked yet")
        self.look.once()
        self.assertEqual(self.both(), ((200, WORD % "Healthy"), 200))

    def test_a_machine_that_lacks_something(self):
        self.touch("READY", "BOOTED")
        self.found = ["/data/work is not mounted"]
        self.look.once()
        self.assertEqual(self.both(), ((200, WORD % "Unhealthy"), 503))

    def test_a_machine_that_drains_is_healthy_and_takes_nobody(self):
        """A single answer for both would have the platform replace the machine under the people who still work."""
        self.touch("READY", "BOOTED", "DRAIN")
        self.look.once()
        self.assertEqual(self.both(), ((200, WORD % "Healthy"), 503))

    def test_a_look_that_hangs_is_a_fault_and_delays_no_answer(self):
        self.touch("READY", "BOOTED")
        self.look.once()
        self.now = health.STALE + 1
        started = time.monotonic()
        self.assertEqual(self.both(), ((200, WORD % "Unhealthy"), 503))
        self.assertLess(time.monotonic() - started, 2)

    def test_other_requests(self):
        self.assertEqual(self.ask("/")[0], 404)
        self.assertEqual(self.ask("/health?x=1")[0], 503)
        for request in (b"POST /health HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
            self.assertEqual(self.ask(request=request)[0], 400)
        self.assertEqual(self.ask(request=b"GET /" + b"a" * 5000)[0], 400)


class Starving(Served):
    def clients(self, count):
        found = []
        try:
            import resource

            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            count = min(count, hard // 2 - 100)
        except (ImportError, ValueError, OSError):
            count = 300
        for _ in range(count):
            found.append(socket.create_connection(self.address, timeout=5))
        self.addCleanup(lambda: [client.close() for client in found])
        return found

    def test_three_thousand_silent_connections(self):
        """Before: `000 in 5.0s`, 1,019 threads, the machine Unhealthy and replaced under everybody on it."""
        self.touch("READY", "BOOTED")
        self.look.once()
        clients = self.clients(3000)
        started = time.monotonic()
        self.assertEqual(self.both(), ((200, WORD % "Healthy"), 200))
        self.assertLess(time.monotonic() - started, 4, "two answers beside %d connections" % len(clients))

    def test_slow_senders(self):
        self.touch("READY", "BOOTED")
        self.look.once()
        clients = self.clients(600)
        for client in clients:
            try:
                client.send(b"GET /he")
            except OSError:
                pass
        self.assertEqual(self.ask(), (200, WORD % "Healthy"))
        end = time.monotonic() + health.WAIT + 8
        client = clients[-1]
        client.settimeout(0.5)
        while time.monotonic() < end:
            try:
                client.send(b"a")
                if client.recv(1) == b"":
                    return
            except socket.timeout:
                continue
            except OSError:
                return
        self.fail("a slow sender keeps its connection")


class Listeners(unittest.TestCase):
    def test_a_person_on_the_port_of_a_service_is_no_service(self):
        """Before: anybody who listened on 8000 made the machine Healthy."""
        self.assertTrue(health.trusted(0, None))
        self.assertTrue(health.trusted(104, None))
        self.assertTrue(health.trusted(61200, None))
        self.assertFalse(health.trusted(1000, None))
        self.assertFalse(health.trusted(2001, None))
        self.assertFalse(health.trusted(2001, "unheard-of"))

    def test_listeners_are_found_with_their_owner(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertEqual(health.listeners(server.getsockname()[1]), {os.getuid()})
            with socket.create_connection(server.getsockname()) as client:
                self.assertEqual(health.listeners(client.getsockname()[1]), set(), "a connection is not a listener")

    def test_what_is_missing_is_named(self):
        described = {"shares": [{"mount": "/nowhere/at/all"}], "services": [{"port": 1, "user": None}]}
        self.assertEqual(health.faults(described), ["/nowhere/at/all is not mounted", "no service listens on port 1"])
        self.assertEqual(health.faults({}), [])
