"""Listeners and processes of people, seen by the health service and by the listener to events."""

import os
import subprocess
import sys
import time

from world import Machine, user

LISTEN = "import socket,time\ns=socket.create_server(('0.0.0.0', 8000))\nprint('on', flush=True)\ntime.sleep(60)"


class Services(Machine):
    def setUp(self):
        super().setUp()
        sys.path.insert(0, "/mnt/tests")
        from dsvmc_machine import events, health

        self.events, self.health = events, health
        self.setup_machine(self.pool(users=[user("mallory", 2002)], services=[{"port": 8000}]))

    def listener(self, uid):
        child = subprocess.Popen(
            ["/usr/bin/python3", "-c", LISTEN], stdout=subprocess.PIPE, preexec_fn=lambda: (os.setgid(uid), os.setuid(uid))
        )
        self.addCleanup(lambda: child.kill() or child.wait())
        child.stdout.readline()
        child.stdout.close()
        return child

    def faults(self, name=None):
        return self.health.faults({"services": [{"port": 8000, "user": name}]})

    def test_a_person_who_listens_is_no_service(self):
        """Before: mallory on port 8000 made the machine Healthy, and would have got the passwords typed there."""
        self.assertEqual(self.faults(), ["no service listens on port 8000"])
        self.listener(2002)
        self.assertEqual(self.faults(), ["no service listens on port 8000"])
        self.assertEqual(self.faults("mallory"), [])

    def test_the_system_and_its_services_are(self):
        for uid in (0, 104, 61500):
            with self.subTest(uid=uid):
                child = self.listener(uid)
                self.assertEqual(self.faults(), [])
                child.kill()
                child.wait()

    def test_the_public_part_names_the_services(self):
        self.assertIn('"services": [{"port": 8000, "user": null}]', open("/etc/dsvmc/public.json").read())

    def test_a_process_of_a_person_keeps_a_machine(self):
        self.assertFalse(self.events.occupied())
        self.listener(2002)
        self.assertTrue(self.events.occupied())

    def test_the_service_wants_its_socket_from_systemd(self):
        self.assertIn("started by dsvmc-health.socket", self.command("health", code=1))
