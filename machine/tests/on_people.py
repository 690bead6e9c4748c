"""Accounts: made, changed, closed, opened again; names and numbers that would give away the machine."""

import json
import os
import pwd
import subprocess
import time

from world import KEY, LOG, Machine, Platform, share, snapshot, user


def shadow(name):
    for line in open("/etc/shadow"):
        if line.startswith(name + ":"):
            return line.split(":")
    return None


def groups(name):
    return {line.split(":")[0] for line in open("/etc/group") if name in line.rstrip("\n").split(":")[3].split(",")}


class People(Machine):
    def test_a_second_run_changes_nothing(self):
        pool = self.pool(
            users=[user("ada", 2001, sudo=True, groups=["docker"]), user("bob", 2002)],
            passwords={"ada": "ada"},
            shares=[share(links=[("notebooks/remote", "notebooks/{user}")])],
            steps=[{"name": "note", "retries": 0, "run": "echo once >> /var/lib/note"}],
            packages=["r-base"],
        )
        Platform.secrets = {"ada": "$6$abcdefgh$" + "x" * 86}
        first = self.setup_machine(pool)
        version = first.splitlines()[-1]
        self.assertRegex(version, r"^dsvmc: ready [0-9a-f]{16}$")
        before = snapshot("/etc", "/home", "/var/lib/dsvmc", "/srv", "/usr/local/lib")
        second = self.setup_machine(pool)
        after = snapshot("/etc", "/home", "/var/lib/dsvmc", "/srv", "/usr/local/lib")
        changed = [p for p in set(before) | set(after) if before.get(p) != after.get(p) and "__pycache__" not in p]
        # chpasswd writes the same hash again; the file is another one.
        self.assertEqual([path for path in changed if not path.startswith("/etc/shadow")], [])
        self.assertEqual(second.splitlines()[-1], version)
        self.assertEqual(open("/var/lib/note").read(), "once\n")
        self.assertEqual(len([c for c in self.commands("apt-get") if "install" in c]), 1)
        self.assertEqual(self.status()["ready"], version.split()[-1])

    def test_an_account_has_what_is_described_and_nothing_else(self):
        self.setup_machine(self.pool(users=[user("ada", 2001, groups=["docker", "unheard-of"]), user("bob", 2002, sudo=True)]))
        self.assertEqual(pwd.getpwnam("ada").pw_uid, 2001)
        self.assertEqual(groups("ada"), {"docker", "dsvmusers"})
        self.assertEqual(open("/etc/ssh/authorized_keys.d/ada").read(), KEY + " ada\n")
        self.assertEqual(open("/etc/sudoers.d/90-dsvmc").read(), "#2002 ALL=(ALL:ALL) NOPASSWD:ALL\n")
        self.assertEqual(os.stat("/etc/sudoers.d/90-dsvmc").st_mode & 0o777, 0o440)
        self.assertIn("/etc/ssh/authorized_keys.d/%u", open("/etc/ssh/sshd_config.d/10-dsvmc.conf").read())
        self.assertEqual(os.stat("/home/ada").st_mode & 0o777, 0o750)
        self.assertIn(("ada", "there is no group unheard-of"), self.problems())
        self.assertEqual(os.stat("/etc/dsvmc/pool.json").st_mode & 0o777, 0o600)
        self.assertNotIn("bob", open("/etc/dsvmc/public.json").read())

    def test_a_removed_person_loses_access_and_keeps_files(self):
        users = [user("ada", 2001, sudo=True, groups=["docker"]), user("bob", 2002)]
        self.setup_machine(self.pool(users=users))
        self.as_user(2001, "sh", "-c", "echo work > /home/ada/thesis")
        left = subprocess.Popen(["sleep", "600"], preexec_fn=lambda: os.setuid(2001))
        self.setup_machine(self.pool(users=users[1:]))
        self.assertIsNotNone(left.wait(5), "a process goes on")
        with self.assertRaises(KeyError):
            pwd.getpwnam("ada")
        closed = pwd.getpwuid(2001)
        self.assertEqual((closed.pw_name, closed.pw_shell), ("dsvmc-removed-2001", "/usr/sbin/nologin"))
        self.assertTrue(shadow("dsvmc-removed-2001")[1].startswith("!"))
        self.assertEqual(shadow("dsvmc-removed-2001")[7], "1", "the account has not expired")
        self.assertEqual(groups("ada") | groups("dsvmc-removed-2001"), set())
        self.assertFalse(os.path.exists("/etc/ssh/authorized_keys.d/ada"))
        self.assertFalse(os.path.exists("/etc/sudoers.d/90-dsvmc"))
        self.assertEqual(open("/home/ada/thesis").read(), "work\n")
        self.assertEqual(pwd.getpwnam("bob").pw_uid, 2002)

    def test_a_removed_person_comes_back_to_the_same_files(self):
        users = [user("ada", 2001), user("bob", 2002)]
        self.setup_machine(self.pool(users=users))
        self.as_user(2001, "sh", "-c", "echo work > /home/ada/thesis")
        self.setup_machine(self.pool(users=users[1:]))
        self.setup_machine(self.pool(users=users))
        self.assertEqual((pwd.getpwnam("ada").pw_uid, pwd.getpwnam("ada").pw_shell), (2001, "/bin/bash"))
        self.assertEqual(shadow("ada")[7], "")
        self.assertIn("dsvmusers", groups("ada"))
        self.as_user(2001, "cat", "/home/ada/thesis")
        self.assertTrue(os.path.exists("/etc/ssh/authorized_keys.d/ada"))

    def test_the_files_of_a_removed_person_are_not_inherited(self):
        self.setup_machine(self.pool(users=[user("ada", 2001)]))
        self.setup_machine(self.pool(users=[user("carol", 2001), user("bob", 2002)]))
        with self.assertRaises(KeyError):
            pwd.getpwnam("carol")
        self.assertIn(("carol", "no account: the uid 2001 belongs to dsvmc-removed-2001"), self.problems())
        self.assertEqual(pwd.getpwnam("bob").pw_uid, 2002)

    def test_a_changed_uid_is_refused_and_gives_nobody_a_right(self):
        self.setup_machine(self.pool(users=[user("ada", 2001, sudo=True), user("bob", 2002)]))
        users = [user("ada", 2002, sudo=True, groups=["docker"]), user("carol", 2003)]
        self.setup_machine(self.pool(users=users))
        self.assertEqual(pwd.getpwnam("ada").pw_uid, 2001)
        self.assertIn("an account of this name has the uid 2001", dict(self.problems())["ada"])
        self.assertFalse(os.path.exists("/etc/sudoers.d/90-dsvmc"))
        self.assertNotIn("docker", groups("ada"))

    def test_changed_keys_groups_and_rights_arrive(self):
        self.setup_machine(self.pool(users=[user("ada", 2001, sudo=True, groups=["docker"])]))
        self.setup_machine(self.pool(users=[user("ada", 2001, keys=[KEY + " new"])]))
        self.assertEqual(open("/etc/ssh/authorized_keys.d/ada").read(), KEY + " new\n")
        self.assertEqual(groups("ada"), {"dsvmusers"})
        self.assertFalse(os.path.exists("/etc/sudoers.d/90-dsvmc"))

    def test_a_right_that_somebody_else_gave_stays(self):
        self.setup_machine(self.pool(users=[user("ada", 2001)]))
        subprocess.run(["gpasswd", "-a", "ada", "docker"], check=True, stdout=subprocess.DEVNULL)
        self.setup_machine(self.pool(users=[user("ada", 2001, keys=[])]))
        self.assertEqual(groups("ada"), {"docker", "dsvmusers"})

    def test_names_of_the_system_are_one_persons_problem(self):
        """`user ALL` made everybody root; `sudo`, `dsvmusers` and the uids 1000 and 1900 left a pool without machines."""
        bad = [
            user("ALL", 2001, sudo=True), user("daemon", 2002, sudo=True), user("sudo", 2003), user("dsvmusers", 2004),
            user("first", 1000), user("second", 1900), user("root", 0, sudo=True), user("../etc", 2005), user("a b", 2006),
        ]  # fmt: skip
        before = snapshot("/etc/sudoers.d")
        self.setup_machine(self.pool(users=bad + [user("bob", 2010)]))
        self.assertEqual(snapshot("/etc/sudoers.d"), before)
        self.assertEqual({who for who, _ in self.problems()}, {entry["name"] for entry in bad})
        self.assertEqual(pwd.getpwnam("bob").pw_uid, 2010)
        self.assertEqual(pwd.getpwnam("daemon").pw_uid, 1)
        self.assertFalse(os.path.exists("/etc/ssh/authorized_keys.d/daemon"))

    def test_a_bad_key_costs_one_key(self):
        keys = ["not a key", KEY + " good", "ssh-rsa AAAA\nssh-rsa BBBB", 'command="x" ' + KEY]
        self.setup_machine(self.pool(users=[user("ada", 2001, keys=keys), user("bob", 2002)]))
        self.assertEqual(open("/etc/ssh/authorized_keys.d/ada").read(), KEY + ' good\ncommand="x" ' + KEY + "\n")
        self.assertEqual({who for who, _ in self.problems()}, {"ada"})

    def test_an_sshd_that_refuses_its_configuration_keeps_the_old_one(self):
        with open("/mnt/fail-sshd", "w") as file:
            file.write("1")
        output = self.setup_machine(self.pool(users=[user("ada", 2001)]), code=1)
        self.assertIn("failed at accounts: sshd refuses", output)
        self.assertFalse(os.path.exists("/etc/ssh/sshd_config.d/10-dsvmc.conf"))

    def test_a_damaged_state_stops_the_setup(self):
        self.setup_machine(self.pool(users=[user("ada", 2001)]))
        with open("/var/lib/dsvmc/state.json", "w") as file:
            file.write("{")
        self.assertIn("state.json is damaged", self.setup_machine(self.pool(), code=1))
        self.assertTrue(self.ready(), "a machine that works is not ready any more")
        self.assertEqual(self.status()["failed"], "description")


class Steps(Machine):
    def step(self, name, run, retries=0):
        return {"name": name, "run": run, "retries": retries}

    def test_a_changed_step_runs_again_and_an_unchanged_one_does_not(self):
        one, two = self.step("one", "echo one >> /var/lib/out"), self.step("two", "echo two >> /var/lib/out")
        self.setup_machine(self.pool(steps=[one, two]))
        self.setup_machine(self.pool(steps=[one, self.step("two", "echo three >> /var/lib/out")]))
        self.assertEqual(open("/var/lib/out").read(), "one\ntwo\nthree\n")

    def test_a_failed_step_is_reported_and_a_repaired_one_continues(self):
        first = self.step("first", "echo first >> /var/lib/out")
        broken = self.step("broken", "echo Looking for gcc; echo gcc: not found >&2; exit 3", 2)
        output = self.setup_machine(self.pool(steps=[first, broken]), code=1)
        self.assertIn("failed at steps: step broken exited with code 3: Looking for gcc", output)
        self.assertIn("gcc: not found", output.splitlines()[-1])
        self.assertFalse(self.ready())
        self.assertEqual(self.status()["failed"], "steps")
        self.setup_machine(self.pool(steps=[first, self.step("broken", "true")]))
        self.assertTrue(self.ready())
        self.assertEqual(open("/var/lib/out").read(), "first\n")

    def test_a_step_is_tried_as_often_as_described(self):
        run = 'echo try >> /var/lib/tries; test "$(wc -l < /var/lib/tries)" -ge 3'
        self.setup_machine(self.pool(steps=[self.step("flaky", run, 2)]))
        self.assertEqual(open("/var/lib/tries").read(), "try\n" * 3)

    def test_a_daemon_of_a_step_holds_nothing_up(self):
        started = time.monotonic()
        self.setup_machine(self.pool(steps=[self.step("daemon", "sleep 60 &\necho started")]))
        self.assertLess(time.monotonic() - started, 30)

    def test_a_script_is_no_argument(self):
        """Arguments are visible to everybody; the text of a step is not."""
        self.setup_machine(self.pool(steps=[self.step("look", "tr '\\0' ' ' < /proc/$$/cmdline > /var/lib/seen # marker")]))
        self.assertNotIn("marker", open("/var/lib/seen").read())
        self.assertFalse(os.path.exists("/var/lib/dsvmc/step"))


class Packages(Machine):
    def test_packages_that_are_there_ask_no_source(self):
        with open("/mnt/packages", "w") as file:
            file.write("r-base\ncifs-utils\nazfilesauth\n")
        self.setup_machine(self.pool(packages=["r-base"], shares=[share()]))
        self.assertEqual(self.commands("apt-get"), [])

    def test_a_held_lock_and_a_missing_network_are_waited_for(self):
        with open("/mnt/fail-apt-get", "w") as file:
            file.write("3")
        self.setup_machine(self.pool(packages=["r-base"]))
        calls = self.commands("apt-get")
        self.assertTrue(all("DPkg::Lock::Timeout=300" in call for call in calls))
        self.assertEqual(len(calls), 5)

    def test_a_package_source_that_is_down_is_told_and_access_is_taken_away_before(self):
        users = [user("ada", 2001), user("bob", 2002)]
        self.setup_machine(self.pool(users=users))
        with open("/mnt/fail-apt-get", "w") as file:
            file.write("1000")
        output = self.setup_machine(self.pool(users=users[1:], packages=["r-base"]), code=1)
        self.assertIn("failed at packages: `apt-get` exited with code 100: E: Could not get lock", output)
        with self.assertRaises(KeyError):
            pwd.getpwnam("ada")

    def source(self, fingerprints):
        os.unlink("/etc/apt/sources.list.d/microsoft-prod.list")
        Platform.secrets = {"key of the source": "-----BEGIN PGP PUBLIC KEY BLOCK-----"}
        with open("/usr/local/sbin/gpg", "w") as file:
            lines = "".join("pub:-\nfpr:::::::::%s:\nsub:-\nfpr:::::::::0000:\n" % value for value in fingerprints)
            file.write("#!/bin/sh\ncat <<EOF\n%sEOF\n" % lines)
        os.chmod("/usr/local/sbin/gpg", 0o755)

    def test_a_source_is_added_with_a_key_that_is_known(self):
        self.source(["BC528686B50D79E339D3721CEB3E94ADBE1229CF"])
        self.setup_machine(self.pool(shares=[share()]))
        line = open("/etc/apt/sources.list.d/dsvmc-microsoft.list").read()
        signed = "deb [arch=amd64 signed-by=/usr/share/keyrings/dsvmc-microsoft.asc] "
        self.assertEqual(line, signed + "https://packages.microsoft.com/ubuntu/22.04/prod jammy main\n")
        self.assertIn("Pin-Priority: 400", open("/etc/apt/preferences.d/dsvmc-microsoft").read())
        self.assertEqual(self.commands("dpkg"), [], "a downloaded package was installed")

    def test_a_source_with_another_key_is_refused(self):
        for found in (["0" * 40], [], ["BC528686B50D79E339D3721CEB3E94ADBE1229CF", "0" * 40]):
            with self.subTest(found=found):
                self.setUp()
                self.source(found)
                output = self.setup_machine(self.pool(shares=[share()]), code=1)
                self.assertIn("is not the one that Microsoft documents", output)
                self.assertFalse(os.path.exists("/etc/apt/sources.list.d/dsvmc-microsoft.list"))

    def test_a_source_that_the_image_has_is_not_added_again(self):
        self.setup_machine(self.pool(shares=[share()]))
        self.assertFalse(os.path.exists("/etc/apt/sources.list.d/dsvmc-microsoft.list"))

    def test_a_package_is_not_an_option(self):
        self.assertIn("is not the name of a package", self.setup_machine(self.pool(packages=["-oDebug=1"]), code=1))


class Description(Machine):
    def test_a_wrong_description_is_refused_with_the_place(self):
        output = self.setup_machine(self.pool(users=[{"name": "ada", "uid": "2001"}]), code=1)
        self.assertIn("pool.json: users[0].uid: expected a number", output)
        self.assertFalse(self.ready())

    def test_the_program_is_installed_for_root_only_to_change(self):
        self.setup_machine(self.pool())
        for path, (mode, uid, _, _) in snapshot("/usr/local/lib/dsvmc", "/etc/dsvmc").items():
            self.assertEqual((uid, mode & 0o022), (0, 0), path)
        again = json.loads(json.dumps(self.pool(packages=["r-base"])))
        self.setup_machine(again)
        folders = [name for name in os.listdir("/usr/local/lib/dsvmc") if name != "machine.py"]
        self.assertEqual(len(folders), 1, "an earlier program is left")
