"""Scheduled events: people are warned, new ones kept away, and nothing begins early while somebody works."""

import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from dsvmc_machine import events, paths

NOW = 1_790_000_000.0


def event(start=300, kind="Terminate", resources=("vm-1",), status="Scheduled", name="A"):
    at = events.email.utils.formatdate(NOW + start, usegmt=True) if status == "Scheduled" else ""
    return {"EventId": name, "EventType": kind, "Resources": list(resources), "EventStatus": status, "NotBefore": at}


def document(*found):
    return {"DocumentIncarnation": 1, "Events": list(found)}


class Events(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.told, self.busy = [], True
        for target, value in (
            (mock.patch.object(paths, "DRAIN", os.path.join(self.folder.name, "drain")), None),
            (mock.patch.object(paths, "NOLOGIN", os.path.join(self.folder.name, "nologin")), None),
            (mock.patch.object(paths, "LOG", os.path.join(self.folder.name, "log")), None),
            (mock.patch.object(events, "wall", self.told.append), None),
            (mock.patch.object(events, "occupied", lambda: self.busy), None),
        ):
            target.start()
            self.addCleanup(target.stop)
        self.listener = events.Listener("vm-1")

    def closed(self):
        return os.path.exists(paths.DRAIN), os.path.exists(paths.NOLOGIN)

    def test_people_are_warned_and_the_machine_closes(self):
        self.assertEqual(self.listener.handle(document(event()), NOW), [])
        self.assertEqual(self.closed(), (True, True))
        self.assertIn("will be deleted at", self.told[0])
        self.assertIn("in about 5 minutes. Save your work", self.told[0])
        self.listener.handle(document(event()), NOW + 1)
        self.assertEqual(len(self.told), 1, "one warning a second")
        self.listener.handle(document(event()), NOW + 245)
        self.assertIn("in about 1 minute.", self.told[1])

    def test_nothing_is_approved_while_somebody_works(self):
        for second in range(0, 290, 10):
            self.assertEqual(self.listener.handle(document(event()), NOW + second), [])

    def test_an_empty_machine_goes_after_a_minute(self):
        self.busy = False
        self.assertEqual(self.listener.handle(document(event()), NOW), [])
        self.assertEqual(self.listener.handle(document(event()), NOW + 30), [])
        self.busy = True
        self.assertEqual(self.listener.handle(document(event()), NOW + 59), [])
        self.busy = False
        self.assertEqual(self.listener.handle(document(event()), NOW + 70), [])
        self.assertEqual(self.listener.handle(document(event()), NOW + 131), ["A"])
        self.listener.approved("A")
        self.assertEqual(self.listener.handle(document(event()), NOW + 132), [])

    def test_an_event_of_several_machines_is_not_approved_by_one(self):
        self.busy = False
        both = event(resources=("vm-1", "vm-2"))
        for second in (0, 61, 122):
            self.assertEqual(self.listener.handle(document(both), NOW + second), [])

    def test_events_of_other_machines_and_freezes_are_none_of_ours(self):
        self.listener.handle(document(event(resources=("vm-2",)), event(kind="Freeze")), NOW)
        self.assertEqual((self.closed(), self.told), ((False, False), []))

    def test_a_cancelled_event_opens_the_machine(self):
        self.listener.handle(document(event()), NOW)
        self.listener.handle(document(), NOW + 60)
        self.assertEqual(self.closed(), (False, False))
        self.assertIn("over or was cancelled", self.told[-1])

    def test_a_nologin_of_somebody_else_stays(self):
        with open(paths.NOLOGIN, "w") as file:
            file.write("maintenance until noon\n")
        self.listener.handle(document(event()), NOW)
        self.listener.handle(document(), NOW + 60)
        self.assertEqual(open(paths.NOLOGIN).read(), "maintenance until noon\n")

    def test_an_event_in_days_warns_and_closes_nothing_yet(self):
        self.listener.handle(document(event(start=3 * 86400, kind="Redeploy")), NOW)
        self.assertEqual((self.closed(), len(self.told)), ((False, False), 1))
        self.listener.handle(document(event(start=3 * 86400, kind="Redeploy")), NOW + 3 * 86400 - 600)
        self.assertEqual(self.closed(), (True, True))

    def test_a_spot_machine_that_is_taken_back(self):
        self.listener.handle(document(event(start=30, kind="Preempt")), NOW)
        self.assertEqual(len(self.told), 1)
        self.assertIn("spot", self.told[0])

    def test_an_event_that_has_started(self):
        self.listener.handle(document(event(kind="Reboot", status="Started")), NOW)
        self.assertEqual(self.told, ["This machine will restart now. Save your work."])

    def test_a_strange_document_does_nothing(self):
        for strange in ({}, {"Events": []}, {"Events": [1, {"EventType": "Terminate"}]}):
            self.assertEqual(self.listener.handle(strange, NOW), [])
