"""Secrets: one person's never stops or takes the machine, and none is seen."""

import os
import subprocess

from world import CLIENT, LOG, TOKEN, VAULT, Machine, Platform, mounts, share, snapshot, user
from on_people import shadow


class Passwords(Machine):
    def test_a_newline_sets_nobody_elses_password(self):
        """Before: `root's password is now 'owned-by-ada'`."""
        Platform.secrets = {"ada": "correct horse\nroot:owned-by-ada", "bob": "hunter2-of-bob"}
        before = shadow("root")
        users = [user("ada", 2001), user("bob", 2002)]
        self.setup_machine(self.pool(users=users, passwords={"ada": "ada", "bob": "bob"}))
        self.assertEqual(shadow("root"), before)
        self.assertEqual(self.problems(), {("ada", "the password contains a control character")})
        self.assertTrue(shadow("bob")[1].startswith("$"))
        self.assertTrue(shadow("ada")[1].startswith("!"))

    def test_every_bad_secret_is_one_persons_problem(self):
        """Before: a final newline, an empty or a missing secret ended the setup for everybody, at each start too."""
        Platform.secrets = {"empty": "", "line": "fine-password\n", "dos": "fine-password\r\n", "tab": "a\tb", "nul": "a\0b"}
        Platform.secrets.update({"two": "fine-password\n\n", "bob": "hunter2-of-bob", "long": "x" * 600})
        Platform.answers = {"refused": [403] * 100, "disabled": [403] * 100, "gone": [404] * 100}
        names = ["empty", "line", "dos", "tab", "nul", "two", "long", "refused", "disabled", "gone", "bob"]
        users = [user(name, 2001 + index) for index, name in enumerate(names)]
        self.setup_machine(self.pool(users=users, passwords={name: name for name in names}))
        self.assertTrue(self.ready())
        bad = {"empty", "tab", "nul", "two", "long", "refused", "disabled", "gone"}
        self.assertEqual({who for who, _ in self.problems()}, bad)
        for name in names:
            self.assertEqual(shadow(name)[1].startswith("$"), name not in bad, name)

    def test_a_vault_that_answers_late_is_waited_for(self):
        Platform.secrets, Platform.answers = {"ada": "hunter2-of-ada"}, {"ada": [403, 500]}
        self.setup_machine(self.pool(users=[user("ada", 2001)], passwords={"ada": "ada"}))
        self.assertTrue(shadow("ada")[1].startswith("$"))

    def test_a_hash_is_taken_as_one(self):
        hashed = subprocess.run(["openssl", "passwd", "-6", "hunter2"], stdout=subprocess.PIPE).stdout.decode()
        Platform.secrets = {"ada": hashed, "bob": "$6$ is how my password begins"}
        users = [user("ada", 2001), user("bob", 2002)]
        self.setup_machine(self.pool(users=users, passwords={"ada": "ada", "bob": "bob"}))
        self.assertEqual(shadow("ada")[1], hashed.strip())
        self.assertNotIn("how my", shadow("bob")[1])
        self.assertTrue(shadow("bob")[1].startswith("$"))

    def test_a_password_that_is_no_longer_described_ends(self):
        Platform.secrets = {"ada": "hunter2-of-ada"}
        self.setup_machine(self.pool(users=[user("ada", 2001)], passwords={"ada": "ada"}))
        self.setup_machine(self.pool(users=[user("ada", 2001)]))
        self.assertTrue(shadow("ada")[1].startswith("!"))

    def test_no_secret_is_seen(self):
        Platform.secrets = {"ada": "hunter2-of-ada", "key": "c2VjcmV0LWtleQ=="}
        shares = [share(kind="key", vault=VAULT, secret="key")]
        steps = [{"name": "leak", "retries": 0, "run": "cat /etc/dsvmc/stwork.credentials; exit 1"}]
        pool = self.pool(users=[user("ada", 2001)], passwords={"ada": "ada"}, shares=shares, steps=steps)
        output = self.setup_machine(pool, code=1)
        hidden = [TOKEN] + list(Platform.secrets.values())
        seen = output + open(LOG).read() + open("/var/log/dsvmc.log").read() + self.command("status")
        for secret in hidden:
            self.assertNotIn(secret, seen)
        holders = {
            path
            for path, (_, _, _, content) in snapshot("/etc", "/var/lib", "/usr/local/lib", "/run", "/tmp").items()
            for secret in hidden
            if isinstance(content, bytes) and secret.encode() in content
        }
        self.assertEqual(holders, {"/etc/dsvmc/stwork.credentials"})
        self.assertEqual(os.stat("/etc/dsvmc/stwork.credentials").st_mode & 0o777, 0o600)
        self.assertIn("***", output)
        self.assertTrue(all("client_id=" + CLIENT in path for path in Platform.asked if "oauth2" in path))


class HostKey(Machine):
    def key(self):
        path = "/mnt/fresh-key"
        for name in (path, path + ".pub"):
            if os.path.exists(name):
                os.unlink(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return open(path).read(), open(path + ".pub").read()

    def test_the_pool_has_one_host_key(self):
        if not os.path.exists("/usr/bin/ssh-keygen"):
            self.skipTest("there is no ssh-keygen")
        private, public = self.key()
        Platform.secrets = {"host": private.replace("\n", "\r\n").rstrip()}
        pool = self.pool(host_key={"vault": VAULT, "secret": "host"})
        self.setup_machine(pool)
        self.assertEqual(open("/etc/ssh/dsvmc_host_key").read(), private)
        self.assertEqual(os.stat("/etc/ssh/dsvmc_host_key").st_mode & 0o777, 0o600)
        self.assertEqual(open("/etc/ssh/dsvmc_host_key.pub").read().split()[:2], public.split()[:2])
        self.assertIn("HostKey /etc/ssh/dsvmc_host_key\n", open("/etc/ssh/sshd_config.d/10-dsvmc.conf").read())
        reloads = self.commands("systemctl").count(["try-reload-or-restart", "ssh.service"])
        Platform.secrets = {}
        self.setup_machine(pool)
        self.assertEqual(self.commands("systemctl").count(["try-reload-or-restart", "ssh.service"]), reloads)
        Platform.secrets = {"host": self.key()[0]}
        self.setup_machine(pool)
        self.assertEqual(self.commands("systemctl").count(["try-reload-or-restart", "ssh.service"]), reloads + 1)
        self.setup_machine(self.pool())
        self.assertFalse(os.path.exists("/etc/ssh/dsvmc_host_key"))
        self.assertNotIn("HostKey", open("/etc/ssh/sshd_config.d/10-dsvmc.conf").read())

    def test_a_host_key_that_is_none_stops_a_new_machine(self):
        Platform.secrets = {"host": "hunter2"}
        output = self.setup_machine(self.pool(host_key={"vault": VAULT, "secret": "host"}), code=1)
        self.assertIn("failed at secrets: the host key", output)
        self.assertNotIn("hunter2", output)


class ShareKeys(Machine):
    def test_a_start_without_the_vault_mounts_with_the_key_of_last_time(self):
        Platform.secrets = {"key": "c2VjcmV0LWtleQ==", "ada": "hunter2-of-ada"}
        shares = [share(kind="key", vault=VAULT, secret="key")]
        pool = self.pool(users=[user("ada", 2001)], passwords={"ada": "ada"}, shares=shares)
        self.setup_machine(pool)
        before = shadow("ada")[1]
        subprocess.run(["/usr/bin/umount", "/datamnt/work"], check=True)
        os.unlink("/run/dsvmc/booted")
        Platform.answers = {"key": [503] * 100, "ada": [503] * 100}
        self.command("boot")
        self.assertTrue(os.path.exists("/run/dsvmc/booted"))
        self.assertEqual(mounts(), ["/datamnt/work"])
        self.assertEqual(shadow("ada")[1], before)

    def test_a_key_that_a_new_machine_cannot_have_is_told(self):
        Platform.answers = {"key": [403] * 100}
        shares = [share(kind="key", vault=VAULT, secret="key")]
        output = self.setup_machine(self.pool(shares=shares), code=1)
        self.assertIn("failed at secrets: no key for a share: stwork: secret key of kv.vault.azure.net: HTTP 403", output)
