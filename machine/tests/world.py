"""A machine for one test: the platform's services, the stand-in commands, and a fresh disk each time."""

import http.server
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest

from script import changed

VAULT = "kv.vault.azure.net"
CLIENT = "22222222-0000-4000-8000-000000000000"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2nAbq0a0VYkPp1Vd0yq5M4o6w5o3nYzC1o0b5nZ0xk"
TOKEN = "eyJ-a-token-of-the-identity"
SCRIPT = open("/mnt/script").read() if os.path.exists("/mnt/script") else ""
WAITS = (
    ("BOOT_PATIENCE = 60.0", "BOOT_PATIENCE = 1.0"),
    ("PATIENCE = 600.0", "PATIENCE = 1.0"),
    ("pause: float = 15", "pause: float = 0.05"),
    ("pause=30", "pause=0.05"),
)
IMPATIENT = changed(SCRIPT, *WAITS) if SCRIPT else ""
LOG = "/mnt/commands"

FAKE = r"""#!/usr/bin/python3 -I
import json, os, re, subprocess, sys
name, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
with open("/mnt/commands", "a") as log:
    log.write("\x1f".join([name] + arguments) + "\n")
if os.path.exists("/mnt/fail-" + name):
    left = int(open("/mnt/fail-" + name).read()) - 1
    if left <= 0:
        os.unlink("/mnt/fail-" + name)
    else:
        open("/mnt/fail-" + name, "w").write(str(left))
    print("E: Could not get lock /var/lib/dpkg/lock-frontend")
    sys.exit(100)
if name == "mount":
    point = arguments[-1]
    rows = [line.split() for line in open("/etc/fstab")]
    row = next((row for row in rows if len(row) > 3 and row[1] == point.replace(" ", "\\040")), None)
    if row is None:
        sys.exit(32)
    source = "/srv/" + row[0].rsplit("/", 1)[1]
    os.makedirs(source, exist_ok=True)
    if not os.path.exists(source + "/.known"):
        open(source + "/.known", "w").close()
        os.chown(source, 0, 1900 if row[2] == "cifs" else 0)
        os.chmod(source, 0o2770 if row[2] == "cifs" else 0o755)
    sys.exit(subprocess.call(["/usr/bin/mount", "--bind", source, point]) or subprocess.call(["/usr/bin/mount", "-o", "remount,bind,nosuid,nodev", point]))
if name == "dpkg-query":
    known = open("/mnt/packages").read().split()
    if arguments[-1] not in known:
        sys.exit(1)
    print("installed 1.0")
if name == "apt-get" and "install" in arguments:
    with open("/mnt/packages", "a") as file:
        file.write("\n".join(arguments) + "\n")
"""
QUIET = r"""#!/bin/sh
name=${0##*/}
line=$name
for argument in "$@"; do line="$line$argument"; done
printf '%s\n' "$line" >> /mnt/commands
[ -e "/mnt/fail-$name" ] || exit 0
rm "/mnt/fail-$name"
echo "no such directive"
exit 255
""".replace(
    "\\x1f", "\x1f"
)
"""A command that only notes that it was called; python is slow to start."""
BUSY = ("mount", "apt-get", "dpkg-query")
COMMANDS = "systemctl loginctl wall mount apt-get dpkg-query azfilesauthmanager pam-auth-update sshd nft mkhomedir_helper".split()


class Platform(http.server.BaseHTTPRequestHandler):
    """The metadata service and a vault."""

    secrets = {}
    answers = {}
    """Path prefix -> list of statuses to answer before the real answer."""
    asked = []

    def do_GET(self):
        Platform.asked.append(self.path)
        status, body = 404, {}
        if self.path.startswith("/metadata/identity/oauth2/token?") and self.headers["Metadata"] == "true":
            status, body = 200, {"access_token": TOKEN}
        elif self.path.startswith("/secrets/"):
            name = self.path[len("/secrets/") :].split("?")[0]
            if self.headers["Authorization"] != "Bearer " + TOKEN:
                status = 401
            elif Platform.answers.get(name):
                status = Platform.answers[name].pop(0)
            elif name in Platform.secrets:
                status, body = 200, {"value": Platform.secrets[name]}
        elif self.path.startswith("/keys/"):
            status, body = 200, Platform.secrets.get("key of the source", "")
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


_started = []


def platform():
    """Starts the metadata service and the vault once."""
    if _started:
        return
    certificate = "/mnt/certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate + ".key", "-out", certificate]
        + ["-subj", "/CN=" + VAULT, "-addext", "subjectAltName=DNS:%s,DNS:packages.microsoft.com" % VAULT, "-days", "2"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    metadata = http.server.ThreadingHTTPServer(("169.254.169.254", 80), Platform)
    vault = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Platform)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate + ".key")
    vault.socket = context.wrap_socket(vault.socket, server_side=True)
    for server in (metadata, vault):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _started.append(server)


def mounts():
    points = [line.split(" ")[4].replace("\\040", " ") for line in open("/proc/self/mountinfo")]
    return [point for point in points if point.startswith(("/data", "/datamnt"))]


def people():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat("/proc/" + name).st_uid >= 1000:
                    found.append(int(name))
            except OSError:
                pass
    return found


def share(kind="identity", name="work", mount="/datamnt/work", links=(), **more):
    described = {"kind": kind, "account": "stwork", "host": "stwork.file.core.windows.net", "share": name, "mount": mount}
    described.update(file_mode="0660", directory_mode="0770")
    described["links"] = [{"path": path, "target": target} for path, target in links]
    described.update(more)
    return described


def user(name, uid, **more):
    return dict({"name": name, "uid": uid, "sudo": False, "groups": [], "keys": [KEY + " " + name]}, **more)


class Machine(unittest.TestCase):
    """Each test begins on a machine that was never set up."""

    maxDiff = None

    def setUp(self):
        platform()
        Platform.secrets, Platform.answers, Platform.asked = {}, {}, []
        for point in reversed(mounts()):
            subprocess.run(["/usr/bin/umount", "-l", point])
        for process in people():
            os.kill(process, signal.SIGKILL)
        for folder in ("/etc", "/home", "/var/lib", "/run", "/srv", "/opt", "/tmp", "/usr/local/lib", "/datamnt", "/data"):
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                path = os.path.join(folder, name)
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        subprocess.run(["cp", "-a", "/mnt/etc/.", "/etc/"], check=True)
        os.makedirs("/home/dsvmuser", 0o750)
        os.chown("/home/dsvmuser", 1000, 1000)
        for name in [n for n in os.listdir("/mnt") if n.startswith("fail-")]:
            os.unlink("/mnt/" + name)
        for name in ("commands", "packages"):
            open("/mnt/" + name, "w").close()
        for name in COMMANDS:
            path = "/usr/local/sbin/" + name
            with open(path, "w") as file:
                file.write(FAKE if name in BUSY else QUIET)
            os.chmod(path, 0o755)
        for name in ("visudo",):
            if not os.path.exists("/usr/sbin/" + name):
                shutil.copy("/usr/local/sbin/systemctl", "/usr/local/sbin/" + name)

    def pool(self, **more):
        return dict({"pool": "team", "admin": "dsvmuser", "health": 790, "client": CLIENT, "vault": VAULT}, **more)

    def setup_machine(self, pool, code=0):
        """Runs the script as the extension does; waits are short. Returns what it printed."""
        text = IMPATIENT + json.dumps(pool)
        path = "/var/lib/waagent/script.sh"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o500), "w") as file:
            file.write(text)
        done = subprocess.run(
            ["/bin/sh", "-c", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"SSL_CERT_FILE": "/mnt/certificate.pem"}
        )
        self.output = output = done.stdout.decode()
        self.assertEqual(done.returncode, code, output)
        return output

    def command(self, *arguments, code=0, **environment):
        """Runs a command of the installed program."""
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "/usr/local/lib/dsvmc/machine.py"] + list(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict({"SSL_CERT_FILE": "/mnt/certificate.pem", "PATH": "/usr/bin:/bin"}, **environment),
        )
        output = done.stdout.decode()
        if code is not None:
            self.assertEqual(done.returncode, code, output)
        return output

    def status(self):
        return json.loads(self.command("status"))

    def problems(self):
        return {(entry["who"], entry["problem"]) for entry in self.status()["problems"]}

    def ready(self):
        return os.path.exists("/var/lib/dsvmc/ready")

    def as_user(self, uid, *command, code=0, **options):
        """Runs a command as an ordinary user with the primary group of the same number, and the group of the shares."""

        def become():
            os.setgroups([1900])
            os.setgid(uid)
            os.setuid(uid)

        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=become, cwd="/", timeout=60, **options
        )
        output = done.stdout.decode(errors="replace")
        if code is not None:
            self.assertEqual(done.returncode, code, output)
        return output

    def commands(self, name):
        return [entry[1:] for entry in (line.rstrip("\n").split("\x1f") for line in open(LOG)) if entry[0] == name]


def snapshot(*folders):
    """Everything below some folders of root: type, owner, mode, content."""
    found = {}
    for top in folders:
        for folder, names, files in os.walk(top):
            for name in [""] + names + files:
                path = os.path.join(folder, name) if name else folder
                info = os.lstat(path)
                content = os.readlink(path) if os.path.islink(path) else ""
                if os.path.isfile(path) and not os.path.islink(path):
                    content = open(path, "rb").read()
                found[path] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found
