"""Folders and links: nothing that a person plants on a share or in a home reaches what is root's, or stops a machine.

Each of these was run against the program of the first version and did what its text says.
"""

import ctypes
import json
import os
import signal
import stat
import subprocess
import threading
import time

from world import Machine, mounts, share, snapshot, user

LINKS = [("notebooks/remote", "notebooks/{user}")]
OUTSIDE = ("/opt", "/etc/secret")


class Folders(Machine):
    def two(self, kind="identity", links=LINKS, **more):
        shares = [share(kind=kind, links=links)]
        return self.pool(users=[user("ada", 2001), user("mallory", 2002)], shares=shares, **more)

    def plant(self, action):
        """Lets mallory do something on the mounted share, or in her home."""
        action()

    def outside(self):
        os.makedirs("/etc/secret", exist_ok=True)
        with open("/etc/secret/shadow", "w") as file:
            file.write("root only\n")
        os.chmod("/etc/secret/shadow", 0o600)
        os.makedirs("/opt/site/inner", exist_ok=True)
        return snapshot(*OUTSIDE)

    def test_everybody_gets_a_folder_and_a_link(self):
        self.assertNotIn("problem", self.setup_machine(self.two()))
        for name, uid in (("ada", 2001), ("mallory", 2002), ("dsvmuser", 1000)):
            link = "/home/%s/notebooks/remote" % name
            self.assertEqual(os.readlink(link), "/datamnt/work/notebooks/" + name)
            self.assertEqual(os.lstat(link).st_uid, uid)
            self.as_user(uid, "sh", "-c", "echo work > ~%s/notebooks/remote/file" % name)
        self.assertEqual(self.problems(), set())

    def test_what_is_planted_on_the_share_stops_nobody(self):
        """Before: `SETUP DIED: FileExistsError`, and every new machine of the pool died the same way."""
        plants = {
            "file": lambda path: open(path, "w").close(),
            "link to etc": lambda path: os.symlink("/etc", path),
            "dangling link": lambda path: os.symlink("/nowhere", path),
            "loop": lambda path: os.symlink(path, path),
            "pipe": os.mkfifo,
        }
        for what, plant in plants.items():
            for place in ("notebooks/ada", "notebooks"):
                with self.subTest(what=what, place=place):
                    self.setUp()
                    before = self.outside()
                    os.makedirs("/srv/work", 0o770, exist_ok=True)
                    os.chown("/srv/work", 0, 1900)
                    os.chmod("/srv/work", 0o2770)
                    open("/srv/work/.known", "w").close()
                    os.makedirs(os.path.dirname("/srv/work/" + place), exist_ok=True)
                    subprocess.run(["chown", "-R", "2002:1900", "/srv/work"] if "/" in place else ["true"], check=True)
                    subprocess.run(["chmod", "-R", "2770", "/srv/work"], check=True)
                    plant("/srv/work/" + place)
                    self.setup_machine(self.two())
                    self.assertTrue(self.ready())
                    self.assertEqual(snapshot(*OUTSIDE), before)
                    self.assertIn("ada", {who for who, _ in self.problems()})
                    if place == "notebooks/ada":
                        self.assertEqual(os.readlink("/home/mallory/notebooks/remote"), "/datamnt/work/notebooks/mallory")

    def test_a_second_run_follows_no_link_in_a_home(self):
        """Before: `~/.ssh -> /etc` gave /etc to mallory; `authorized_keys -> /etc/shadow` emptied it and gave it to her."""
        before = self.outside()
        self.setup_machine(self.two())
        for script in (
            "rm -rf ~mallory/.ssh; ln -s /etc/secret ~mallory/.ssh",
            "rm ~mallory/.ssh; mkdir ~mallory/.ssh; ln -s /etc/secret/shadow ~mallory/.ssh/authorized_keys",
            "rm -rf ~mallory/notebooks; ln -s /opt/site ~mallory/notebooks",
            "rm -rf ~mallory/notebooks; ln -s /nowhere ~mallory/notebooks",
            "rm -rf ~mallory/notebooks; mkfifo ~mallory/notebooks",
            "rm -rf ~mallory/notebooks; ln -s ~mallory/notebooks ~mallory/notebooks",
            "rm -rf ~mallory/notebooks; mkdir -p ~mallory/notebooks/remote",
        ):
            with self.subTest(script=script):
                self.as_user(2002, "sh", "-c", script)
                etc = snapshot("/etc")
                self.setup_machine(self.two())
                self.assertEqual(snapshot(*OUTSIDE), before)
                now = snapshot("/etc")
                self.assertEqual([path for path in etc if now.get(path) != etc[path] and not path.startswith("/etc/dsvmc")], [])
                self.assertEqual(os.readlink("/home/ada/notebooks/remote"), "/datamnt/work/notebooks/ada")

    def test_root_makes_nothing_in_a_folder_that_is_reached_by_a_link_on_nfs(self):
        """Before: `teams/mallory -> /opt` and a target below it made /opt/systemd and gave it to her."""
        before = self.outside()
        links = [("team", "teams/{user}/systemd")]
        os.makedirs("/srv/work/teams")
        open("/srv/work/.known", "w").close()
        os.symlink("/opt", "/srv/work/teams/mallory")
        self.setup_machine(self.two("nfs", links))
        self.assertEqual(snapshot(*OUTSIDE), before)
        self.assertEqual({who for who, _ in self.problems()}, {"mallory"})
        self.assertFalse(os.path.lexists("/home/mallory/team"))

    def test_a_folder_that_somebody_else_made_is_no_workspace(self):
        """Before: the folder that mallory had made for ada became hers, and mallory read it."""
        os.makedirs("/srv/work/notebooks/ada")
        open("/srv/work/.known", "w").close()
        os.chown("/srv/work/notebooks/ada", 2002, 2002)
        os.chmod("/srv/work/notebooks/ada", 0o777)
        self.setup_machine(self.two("nfs"))
        self.assertFalse(os.path.lexists("/home/ada/notebooks/remote"))
        self.assertIn(("ada", "~/notebooks/remote: ada on the share belongs to another user"), self.problems())

    def test_a_folder_on_nfs_is_the_persons_own(self):
        self.setup_machine(self.two("nfs"))
        info = os.stat("/srv/work/notebooks/ada")
        self.assertEqual((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)), (2001, 2001, 0o700))
        self.assertEqual(os.stat("/srv/work/notebooks").st_uid, 0)
        self.as_user(2002, "ls", "/datamnt/work/notebooks/ada", code=2)
        self.as_user(2002, "mkdir", "/datamnt/work/notebooks/carol", code=1)

    def test_a_folder_of_everybody_on_nfs_is_writable_for_everybody(self):
        self.setup_machine(self.two("nfs", [("data", "datasets/common")]))
        info = os.stat("/srv/work/datasets/common")
        self.assertEqual((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)), (0, 1900, 0o2770))
        self.assertEqual(self.problems(), set())

    def test_a_race_for_a_folder_gives_nobody_a_file_of_root(self):
        """Before: 3 of 150 first boots gave a file that only root may read to the person who exchanged two names."""
        before = self.outside()
        self.setup_machine(self.two())
        libc, end, won = ctypes.CDLL(None, use_errno=True), time.monotonic() + 3, []
        self.as_user(2002, "sh", "-c", "rm -rf ~mallory/notebooks; ln -s /etc/secret ~mallory/swap")

        def exchange():
            while time.monotonic() < end:
                libc.renameat2(-100, b"/home/mallory/notebooks", -100, b"/home/mallory/swap", 2)

        child = os.fork()
        if child == 0:
            os.setgid(2002)
            os.setuid(2002)
            exchange()
            os._exit(0)
        while time.monotonic() < end:
            self.command("folders", code=None, PAM_TYPE="account", PAM_USER="mallory", PAM_SERVICE="sshd")
            subprocess.run(
                ["rm", "-rf", "/home/mallory/notebooks/remote"], preexec_fn=lambda: os.setuid(2002), stderr=subprocess.DEVNULL
            )
            won += [path for path, entry in snapshot("/etc/secret").items() if entry != before[path]]
        os.waitpid(child, 0)
        self.assertEqual(won, [])

    def test_a_link_that_a_person_made_stays(self):
        self.setup_machine(self.two())
        self.as_user(2001, "sh", "-c", "rm ~ada/notebooks/remote; ln -s /tmp ~ada/notebooks/remote")
        self.setup_machine(self.two(packages=["r-base"]))
        self.assertEqual(os.readlink("/home/ada/notebooks/remote"), "/tmp")
        self.assertIn(("ada", "~/notebooks/remote: another link already exists there"), self.problems())

    def test_changed_and_removed_links_arrive(self):
        self.setup_machine(self.two(links=[("a", "one/{user}"), ("b", "two/{user}"), ("c", "three")]))
        self.setup_machine(self.two(links=[("a", "other/{user}"), ("c", "three")]))
        self.assertEqual(os.readlink("/home/ada/a"), "/datamnt/work/other/ada")
        self.assertFalse(os.path.lexists("/home/ada/b"))
        self.assertTrue(os.path.isdir("/srv/work/two/ada"), "the folder on the share is gone")
        self.assertEqual(os.readlink("/home/ada/c"), "/datamnt/work/three")

    def test_a_path_that_leads_out_is_refused(self):
        self.setup_machine(self.two(links=[("../../etc/cron.d/x", "a"), ("b", "../../etc")]))
        self.assertTrue(self.ready())
        self.assertEqual({who for who, _ in self.problems()}, {"ada", "mallory", "dsvmuser"})

    def test_root_squash_leaves_the_folder_to_the_person(self):
        """With root squash, root is nobody on the share: folders come from the person, in a parent that allows it."""
        os.makedirs("/srv/work/notebooks")
        open("/srv/work/.known", "w").close()
        os.chmod("/srv/work/notebooks", 0o1777)
        self.setup_machine(self.two("nfs"))
        info = os.stat("/srv/work/notebooks/ada")
        self.assertEqual((info.st_uid, stat.S_IMODE(info.st_mode)), (2001, 0o700))
        self.assertEqual(os.readlink("/home/ada/notebooks/remote"), "/datamnt/work/notebooks/ada")


class LogIn(Machine):
    def test_an_account_that_is_not_described_gets_its_folder(self):
        for kind in ("identity", "nfs"):
            with self.subTest(kind=kind):
                self.setUp()
                self.setup_machine(self.pool(shares=[share(kind=kind, links=LINKS)]))
                subprocess.run(["useradd", "-m", "-u", "3000", "guest"], check=True)
                self.command("folders", PAM_TYPE="account", PAM_USER="guest", PAM_SERVICE="login")
                self.assertIn("guest", [line for line in open("/etc/group") if line.startswith("dsvmusers")][0])
                self.assertEqual(os.readlink("/home/guest/notebooks/remote"), "/datamnt/work/notebooks/guest")
                subprocess.run(["userdel", "guest"], stderr=subprocess.DEVNULL)

    def test_a_log_in_never_fails(self):
        self.setup_machine(self.pool(shares=[share(links=LINKS)]))
        for name in ("root", "nobody", "unheard-of", "", "../x", "daemon"):
            self.command("folders", PAM_TYPE="account", PAM_USER=name, PAM_SERVICE="sshd")
        os.unlink("/etc/dsvmc/public.json")
        self.command("folders", PAM_TYPE="account", PAM_USER="dsvmuser", PAM_SERVICE="sshd")
        self.command("folders", PAM_TYPE="open_session", PAM_USER="dsvmuser", PAM_SERVICE="sshd")

    def test_a_share_that_hangs_costs_seconds(self):
        """A stopped process stands for a child in a system call that does not come back."""
        self.setup_machine(self.pool(users=[user("ada", 2001)], shares=[share(links=LINKS)]))
        import sys

        sys.path.insert(0, "/mnt/tests")
        import pwd

        from dsvmc_machine import folders

        started = time.monotonic()
        answer = folders.guarded(lambda: os.kill(os.getpid(), signal.SIGSTOP) or [], pwd.getpwnam("ada"), 1.0)
        self.assertEqual(answer, ["no response within 1 s"])
        self.assertLess(time.monotonic() - started, 3)

    def test_the_action_of_a_person_is_not_root(self):
        self.setup_machine(self.pool(users=[user("ada", 2001)]))
        import pwd

        from dsvmc_machine import folders

        def look():
            return [str(os.getresuid()), str(os.getresgid()), str(sorted(os.getgroups()))]

        self.assertEqual(folders.guarded(look, pwd.getpwnam("ada"), 5.0), ["(2001, 2001, 2001)"] * 2 + ["[1900, 2001]"])


class Mounts(Machine):
    def options(self):
        return {line.split()[1]: line.split()[3].split(",") for line in open("/etc/fstab") if "# dsvmc" in line}

    def several(self, **more):
        shares = [
            share(links=LINKS),
            share("nfs", "fast", "/data/fast", options=["suid", "dev", "rsize=65536"]),
            share("key", "old", "/data/with space", vault="kv.vault.azure.net", secret="key", options=["nobrl"]),
        ]
        return self.pool(shares=shares, **more)

    def test_every_mount_carries_nosuid_and_nodev(self):
        from world import Platform

        Platform.secrets = {"key": "c2VjcmV0LWtleQ=="}
        self.setup_machine(self.several())
        options = self.options()
        self.assertEqual(set(options), {"/datamnt/work", "/data/fast", "/data/with\\040space"})
        for mount, found in options.items():
            self.assertEqual(found[-2:], ["nosuid", "nodev"], mount)
            self.assertIn("noauto", found)
        self.assertIn("rsize=65536", options["/data/fast"])
        self.assertEqual(open("/etc/fstab").read().splitlines()[0], "UUID=1 / ext4 defaults 0 1")
        self.assertEqual(set(mounts()), {"/datamnt/work", "/data/fast", "/data/with space"})

    def test_a_changed_and_a_removed_share_arrive(self):
        first = [share(), share("nfs", "fast", "/data/fast")]
        self.setup_machine(self.pool(shares=first))
        self.setup_machine(self.pool(shares=[share(directory_mode="0750")]))
        self.assertEqual(mounts(), ["/datamnt/work"])
        self.assertFalse(os.path.exists("/data/fast"))
        self.assertIn("dir_mode=0750", self.options()["/datamnt/work"])

    def test_a_mount_that_fails_for_a_while_is_tried_again(self):
        with open("/mnt/fail-mount", "w") as file:
            file.write("3")
        self.setup_machine(self.pool(shares=[share()]))
        self.assertEqual(mounts(), ["/datamnt/work"])

    def test_a_start_mounts_again(self):
        self.setup_machine(self.pool(shares=[share()]))
        subprocess.run(["/usr/bin/umount", "/datamnt/work"], check=True)
        os.unlink("/run/dsvmc/booted")
        with open("/mnt/fail-mount", "w") as file:
            file.write("100")
        self.assertIn("failed at boot: /datamnt/work", self.command("boot", code=1))
        self.assertTrue(os.path.exists("/run/dsvmc/booted"), "the health service cannot tell that a share is missing")
        os.unlink("/mnt/fail-mount")
        self.command("boot")
        self.assertEqual(mounts(), ["/datamnt/work"])

    def test_nothing_is_made_on_the_disk_below_a_mount_point(self):
        with open("/mnt/fail-mount", "w") as file:
            file.write("1000")
        self.setup_machine(self.pool(shares=[share(links=LINKS)]), code=1)
        self.command("folders", PAM_TYPE="account", PAM_USER="dsvmuser", PAM_SERVICE="sshd")
        self.assertEqual(os.listdir("/datamnt/work"), [])

    def test_what_is_planted_for_aznfs_is_taken_away(self):
        os.chmod("/tmp", 0o1777)
        with open("/tmp/mountmapv4.tmp", "w") as file:
            file.write("planted")
        os.chown("/tmp/mountmapv4.tmp", 2002, 2002)
        self.setup_machine(self.pool(shares=[share("nfs")]))
        info = os.stat("/tmp/mountmapv4.tmp")
        self.assertEqual((info.st_uid, info.st_size, info.st_mode & 0o777), (0, 0, 0o600))

    def test_units_and_limits_follow_the_description(self):
        self.setup_machine(self.pool(limits={"memory": "16G", "tasks": 4096}, notice=True))
        slice_ = "/etc/systemd/system/user-.slice.d/50-dsvmc.conf"
        self.assertEqual(open(slice_).read(), "[Slice]\nMemoryMax=16G\nTasksMax=4096\n")
        self.assertTrue(os.path.exists("/etc/systemd/system/dsvmc-events.service"))
        self.assertIn("ListenStream=790\n", open("/etc/systemd/system/dsvmc-health.socket").read())
        self.setup_machine(self.pool())
        self.assertFalse(os.path.exists(slice_))
        self.assertFalse(os.path.exists("/etc/systemd/system/dsvmc-events.service"))
        self.assertEqual(
            json.load(open("/etc/jupyter/jupyter_server_config.d/dsvmc.json")), {"NotebookNotary": {"db_file": ":memory:"}}
        )
