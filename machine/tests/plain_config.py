"""pool.json: what is understood, what is refused, and what everybody may read of it."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from dsvmc_machine import config, folders, secrets, shares
from dsvmc_machine.system import Failed, clean, hide

LEAST = {"pool": "team", "admin": "dsvmuser"}


def parse(**more):
    return config.parse(json.dumps(dict(LEAST, **more)))


class Config(unittest.TestCase):
    def test_the_least_description(self):
        pool = parse()
        self.assertEqual((pool.health, pool.users, pool.shares, pool.notice), (790, [], [], False))

    def test_ports_are_services_without_an_owner(self):
        pool = parse(ports=[22, 8000], services=[{"port": 8000, "user": "hub"}])
        self.assertEqual(pool.services, [config.Service(8000, "hub"), config.Service(22, None)])

    def test_mistakes_are_told_with_their_place(self):
        share = {"kind": "nfs", "account": "a", "host": "h", "share": "s", "mount": "/m"}
        for wrong, text in (
            ({"users": [{"name": "ada"}]}, "pool.json: users[0].uid: expected a number"),
            ({"users": [{"name": "a\nb", "uid": 2001}]}, "pool.json: users[0].name: expected a string on one line"),
            ({"shares": [dict(share, kind="ftp")]}, "pool.json: shares[0].kind: expected `identity`, `key` or `nfs`"),
            ({"shares": [dict(share, mount="data")]}, "pool.json: shares[0].mount: expected an absolute path"),
            ({"shares": [dict(share, mount="/a/../etc")]}, "pool.json: shares[0].mount: expected an absolute path"),
            ({"shares": [dict(share, options=["a b"])]}, "pool.json: shares[0].options: expected mount options"),
            ({"shares": [dict(share, kind="key")]}, "pool.json: shares[0].secret: expected the vault"),
            ({"passwords": {"ada": "x"}}, "pool.json: vault: expected the vault of the passwords"),
            ({"limits": {"memory": "much"}}, "pool.json: limits.memory: expected an amount"),
            ({"health": True}, "pool.json: health: expected a number"),
            ({"steps": [{"run": "true"}]}, "pool.json: steps[0].name: expected a string"),
        ):
            with self.subTest(wrong=wrong), self.assertRaises(Failed) as refused:
                parse(**wrong)
            self.assertTrue(str(refused.exception).startswith(text), str(refused.exception))
        for text in ("", "[]", "{"):
            with self.assertRaises(Failed):
                config.parse(text)

    def test_the_public_part_names_no_vault_and_no_right(self):
        pool = parse(
            vault="kv.vault.azure.net",
            passwords={"ada": "ada-password"},
            users=[{"name": "ada", "uid": 2001, "sudo": True}],
            shares=[dict(kind="key", account="a", host="h", share="s", mount="/m", vault="kv.vault.azure.net", secret="the-key")],
        )
        text = json.dumps(config.public(pool, []))
        for hidden in ("vault", "the-key", "ada", "sudo"):
            self.assertNotIn(hidden, text)


class Texts(unittest.TestCase):
    def test_secrets_and_control_characters_are_not_printed(self):
        hide("hunter2-secret")
        hide("first-line-of-key\nsecond-line-of-key")
        self.assertEqual(clean("a hunter2-secret b"), "a *** b")
        self.assertEqual(clean("second-line-of-key"), "***")
        self.assertEqual(clean("a\x1b[2Jb\x07"), "a?[2Jb?")

    def test_fields_of_the_file_system_table(self):
        self.assertEqual(shares.escaped("/data/a b\t#c\\"), "/data/a\\040b\\011\\043c\\134")

    def test_passwords(self):
        self.assertEqual(secrets.password("abc\n"), "abc")
        self.assertEqual(secrets.password("abc\r\n"), "abc")
        self.assertEqual(secrets.password("p:ss w\u00f6rd"), "p:ss w\u00f6rd")
        for bad in ("", "\n", "a\nb", "a\n\n", "a\rb", "a\0", "a\x85b", "a\u2028b", "x" * 600):
            with self.assertRaises(ValueError):
                secrets.password(bad)

    def test_paths(self):
        self.assertEqual(folders.parts("./a//{user}/b", "ada"), ["a", "ada", "b"])
        for bad in ("", "/etc", "../a", "a/../b", "{user}/.."):
            with self.assertRaises(folders.Blocked):
                folders.parts(bad, "ada")
        with self.assertRaises(folders.Blocked):
            folders.parts("{user}", "..")
