"""The rules of the firewall, loaded by the real nft into the kernel: who reaches the platform, and who does not."""

import os
import shutil
import socket
import subprocess
import sys
import threading

from world import Machine, Platform, share, user

sys.path.insert(0, "/mnt/tests")

CONNECT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if sys.argv[3:] else socket.SOCK_STREAM)
s.settimeout(3)
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    s.send(b"x")
    print("open")
except OSError as error:
    print(type(error).__name__)
"""
PLATFORM = [("169.254.169.254", 80), ("168.63.129.16", 80), ("168.63.129.16", 32526)]
FILES = [
    ("127.0.0.1", 139),
    ("127.0.0.1", 445),
    ("127.0.0.1", 2049),
    ("127.0.0.1", 20049),
    ("127.0.0.1", 21049),
    ("10.9.9.9", 2049),
]


class Firewall(Machine):
    def setUp(self):
        super().setUp()
        self.nft = next((p for p in ("/usr/sbin/nft", "/sbin/nft") if os.path.exists(p)), None)
        if self.nft is None or subprocess.run([self.nft, "list", "ruleset"], stdout=subprocess.DEVNULL).returncode:
            self.skipTest("there is no nft that works here")
        shutil.rmtree("/usr/local/sbin/nft", ignore_errors=True)
        os.unlink("/usr/local/sbin/nft")
        self.addCleanup(subprocess.run, [self.nft, "flush", "ruleset"])
        self.servers = []
        for address, port in PLATFORM + FILES[:-1] + [("168.63.129.16", 53), ("127.0.0.1", 8080), ("0.0.0.0", 790)]:
            if (address, port) != ("169.254.169.254", 80):
                server = socket.create_server((address, port))
                self.addCleanup(server.close)

    def reach(self, uid, address, port, *udp):
        if uid == 0:
            done = subprocess.run([sys.executable, "-c", CONNECT, address, str(port)] + list(udp), stdout=subprocess.PIPE)
            return done.stdout.decode().strip()
        return self.as_user(uid, "/usr/bin/python3", "-c", CONNECT, address, str(port), *udp).strip()

    def test_only_root_reaches_the_platform_and_file_servers(self):
        """Before: every person took the pool's token, and with it the administrator's password."""
        self.assertEqual(self.reach(2002, "169.254.169.254", 80), "open", "the test itself does not reach the service")
        self.setup_machine(self.pool(users=[user("mallory", 2002)]))
        for address, port in PLATFORM + FILES:
            self.assertNotEqual(self.reach(2002, address, port), "open", (address, port))
            if address != "10.9.9.9":
                self.assertEqual(self.reach(0, address, port), "open", (address, port))

    def test_names_still_resolve_and_other_ports_are_open(self):
        self.setup_machine(self.pool())
        self.assertEqual(self.reach(2002, "168.63.129.16", 53), "open")
        self.assertEqual(self.reach(2002, "168.63.129.16", 53, "udp"), "open")
        self.assertEqual(self.reach(2002, "127.0.0.1", 8080), "open")

    def test_udp_to_the_platform_is_refused_too(self):
        self.setup_machine(self.pool())
        self.assertNotEqual(self.reach(2002, "168.63.129.16", 80, "udp"), "open")

    def test_the_health_port_is_for_the_agent(self):
        self.setup_machine(self.pool())
        self.assertNotEqual(self.reach(2002, "127.0.0.1", 790), "open")
        self.assertEqual(self.reach(0, "127.0.0.1", 790), "open")

    def test_the_setup_stops_before_accounts_when_the_rules_are_refused(self):
        with open("/usr/local/sbin/nft", "w") as file:
            file.write("#!/bin/sh\necho cannot load; exit 1\n")
        os.chmod("/usr/local/sbin/nft", 0o755)
        output = self.setup_machine(self.pool(users=[user("mallory", 2002)]), code=1)
        self.assertIn("failed at firewall", output)
        self.assertNotIn("mallory", open("/etc/passwd").read())

    def test_loading_again_leaves_one_table(self):
        self.setup_machine(self.pool())
        self.command("boot")
        listing = subprocess.run([self.nft, "list", "tables"], stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(listing.split(), ["table", "inet", "dsvmc"])

    def test_a_container_reaches_nothing_of_the_platform(self):
        """A network namespace behind a bridge, as docker makes it, with the machine forwarding for it."""
        if not shutil.which("ip"):
            self.skipTest("there is no ip")
        self.setup_machine(self.pool())
        # Two namespaces: the container, and a far side that plays the platform.
        holders = [subprocess.Popen(["unshare", "--net", "sleep", "600"]) for _ in range(2)]
        self.addCleanup(lambda: [holder.kill() or holder.wait() for holder in holders])
        inside, far = (str(holder.pid) for holder in holders)
        import time

        time.sleep(0.5)

        def run(*command, net=None):
            prefix = ["nsenter", "--net=/proc/%s/ns/net" % net] if net else []
            subprocess.run(prefix + list(command), check=True, stderr=subprocess.DEVNULL)

        addresses = [address for address, _ in PLATFORM[:2]]
        for address in addresses:
            run("ip", "address", "del", address + "/" + self.prefix(address), "dev", "lo")
        self.addCleanup(lambda: [run("ip", "address", "add", address + "/32", "dev", "lo") for address in addresses])
        for name, net, near, remote in (("c", inside, "172.17.0.1", "172.17.0.2"), ("f", far, "10.1.0.1", "10.1.0.2")):
            run("ip", "link", "add", "near" + name, "type", "veth", "peer", "name", "eth0", "netns", net)
            run("ip", "address", "add", near + "/24", "dev", "near" + name)
            run("ip", "link", "set", "near" + name, "up")
            run("ip", "address", "add", remote + "/24", "dev", "eth0", net=net)
            run("ip", "link", "set", "eth0", "up", net=net)
            run("ip", "link", "set", "lo", "up", net=net)
            run("ip", "route", "add", "default", "via", near, net=net)
        for address in addresses:
            run("ip", "address", "add", address + "/32", "dev", "lo", net=far)
            run("ip", "route", "add", address + "/32", "via", "10.1.0.2")
            self.addCleanup(subprocess.run, ["ip", "route", "del", address + "/32"], stderr=subprocess.DEVNULL)
        with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
            file.write("1")
        ports = (53, 80, 2049, 8080)
        serve = "import socket,time\ns=[socket.create_server(('0.0.0.0', p)) for p in %r]\ntime.sleep(600)" % (ports,)
        server = subprocess.Popen(["nsenter", "--net=/proc/%s/ns/net" % far, "/usr/bin/python3", "-c", serve])
        self.addCleanup(lambda: server.kill() or server.wait())
        time.sleep(1)

        def reach(address, port):
            enter = ["nsenter", "--net=/proc/%s/ns/net" % inside, "/usr/bin/python3", "-c", CONNECT, address, str(port)]
            return subprocess.run(enter, stdout=subprocess.PIPE).stdout.decode().strip()

        self.assertEqual(reach("10.1.0.2", 8080), "open", "the machine does not forward at all")
        self.assertEqual(reach("168.63.129.16", 53), "open")
        for address, port in (("169.254.169.254", 80), ("168.63.129.16", 80), ("10.1.0.2", 2049)):
            self.assertNotEqual(reach(address, port), "open", (address, port))

    def prefix(self, address):
        listing = subprocess.run(["ip", "-4", "-o", "address", "show", "dev", "lo"], stdout=subprocess.PIPE).stdout.decode()
        return next(word.split("/")[1] for word in listing.split() if word.startswith(address + "/"))
