"""Boots one root folder with systemd-nspawn, sets it up with the script as the platform would, and uses and attacks it.

usage: system.py ROOT SCRIPT

Prints a line for each fact and ends with 1 when one does not hold. ROOT stays as it is: changes go to an overlay.
"""

import email.utils
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "machine", "tests"))
from script import changed  # noqa: E402
VAULT = "kv.vault.azure.net"
PLATFORM = """[Unit]
DefaultDependencies=no
After=local-fs.target
Before=network.target network-online.target dsvmc-boot.service

[Service]
ExecStartPre=/bin/sh -c 'ip link set lo up; ip address add 169.254.169.254/32 dev lo; ip address add 168.63.129.16/32 dev lo; true'
ExecStart=/usr/bin/python3 /srv/platform.py

[Install]
WantedBy=sysinit.target
"""
GANESHA = """NFS_CORE_PARAM { Protocols = 4; NFS_Port = 2049; Enable_UDP = false; Enable_RQUOTA = false; Enable_NLM = false; }
NFSv4 { Grace_Period = 1; Lease_Lifetime = 1; RecoveryBackend = fs; }
EXPORT { Export_Id = 1; Path = /srv/nfs; Pseudo = /share; Access_Type = RW; Squash = No_Root_Squash; SecType = sys; FSAL { Name = VFS; } }
LOG { Default_Log_Level = WARN; }
"""
SAMBA = """[global]
interfaces = lo
bind interfaces only = yes
map to guest = Bad User
[work]
path = /srv/smb
guest ok = yes
read only = no
"""


class System:
    def __init__(self, root, script):
        self.script = open(script).read()
        self.failed = 0
        self.folder = tempfile.mkdtemp(prefix="dsvmc-system-")
        # The overlay needs a file system of its own below it: /tmp may be an overlay itself.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=0755", "dsvmc", self.folder], check=True)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.folder, name))
        self.root = os.path.join(self.folder, "root")
        options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/work" % (os.path.realpath(root), self.folder, self.folder)
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", self.root], check=True)
        self.secrets, self.state = {}, {}
        self.nspawn = None

    def check(self, condition, fact):
        print("  %s %s" % ("ok  " if condition else "FAIL", fact), flush=True)
        if not condition:
            self.failed += 1

    def write(self, path, text, mode=0o644):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def read(self, path):
        try:
            with open(self.root + path) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def platform(self, **more):
        self.state.update(more)
        self.write("/srv/platform.json", json.dumps(dict(self.state, secrets=self.secrets)))

    # The system

    def leader(self):
        """The process 1 of the system, seen from here."""
        with open("/proc/%d/task/%d/children" % (self.nspawn.pid, self.nspawn.pid)) as file:
            children = file.read().split()
        return children[0] if children else None

    def run(self, *command, user=None, typed=None, timeout=300, environment=None):
        """Runs a command in the system; returns its code and its output. `user`: as this account, by its numbers."""
        enter = ["nsenter", "--target", self.leader(), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        if user:
            command = ("setpriv", "--reuid", user, "--regid", user, "--init-groups") + command
        clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        clean.update(environment or {})
        done = subprocess.run(
            enter + list(command), input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, env=clean
        )
        return done.returncode, done.stdout.decode(errors="replace").strip()

    def shell(self, text, **options):
        return self.run("sh", "-c", text, **options)

    def start(self):
        log = open(os.path.join(self.folder, "console"), "ab")
        command = ["systemd-nspawn", "--quiet", "--boot", "--private-network", "--register=no", "--keep-unit"]
        # The stable name keeps two runs at a time apart.
        command += ["--hostname=machine", "--machine=" + os.path.basename(self.folder).replace("_", "-"), "-D", self.root]
        self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait()

    def wait(self):
        end = time.monotonic() + 240
        while time.monotonic() < end:
            if self.nspawn.poll() is not None:
                break
            try:
                if self.leader() and self.run("systemctl", "is-system-running")[1].split("\n")[-1] in ("running", "degraded"):
                    return
            except (OSError, subprocess.SubprocessError):
                pass
            time.sleep(1)
        with open(os.path.join(self.folder, "console"), errors="replace") as console:
            sys.exit("the system does not start:\n" + console.read()[-3000:])

    def reboot(self):
        self.run("systemctl", "reboot")
        self.nspawn.wait(120)
        self.start()

    def stop(self):
        if self.nspawn and self.nspawn.poll() is None:
            self.nspawn.terminate()
            try:
                self.nspawn.wait(30)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        subprocess.run(["umount", "-l", self.root])
        subprocess.run(["umount", "-l", self.folder])
        os.rmdir(self.folder)

    # What the platform does

    def setup(self, pool):
        """Runs the script as the extension does; returns its code and output."""
        script = changed(self.script, ("PATIENCE = 600.0", "PATIENCE = 8.0"), ("pause: float = 15", "pause: float = 1"))
        text = script + json.dumps(dict({"pool": "team", "admin": "dsvmuser", "vault": VAULT, "client": "c"}, **pool))
        self.write("/var/lib/waagent/script.sh", text, 0o500)
        return self.run("/bin/sh", "-c", "/var/lib/waagent/script.sh", timeout=600)

    def good(self, pool, fact):
        code, output = self.setup(pool)
        self.check(code == 0 and re.match(r"dsvmc: ready [0-9a-f]{16}$", output.split("\n")[-1]), fact)
        if code:
            print("\n".join("       " + line for line in output.split("\n")[-12:]))
        return output

    def status(self):
        return json.loads(self.run("/usr/bin/python3", "-I", "/usr/local/lib/dsvmc/machine.py", "status")[1])

    def ask(self, path):
        """Status and body of an answer of the health service, as the agent asks."""
        code = (
            "import urllib.request, urllib.error\n"
            "try:\n    a = urllib.request.urlopen('http://localhost:790%s', timeout=5); print(a.status, a.read().decode())\n"
            "except urllib.error.HTTPError as e: print(e.code)\n"
            "except OSError as e: print(e)" % path
        )
        return self.run("/usr/bin/python3", "-c", code)[1]

    def becomes(self, path, answer, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            last = self.ask(path)
            if last == answer:
                return True
            time.sleep(0.5)
        print("       last answer: " + last)
        return False

    def ssh(self, name, command, key="/srv/key"):
        options = (
            "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10"
        )
        return self.run("ssh", *options.split(), "-i", key, name + "@127.0.0.1", command, timeout=60)


def prepare(system):
    """What an image of Azure has when the extension starts, and the services of the test."""
    root = system.root
    for name in ("platform.py", "pam.py"):
        shutil.copy(os.path.join(HERE, name), root + "/srv/" + name)
    for name in ("mount.cifs", "mount.aznfs"):
        shutil.copy(os.path.join(HERE, "mount.sh"), root + "/usr/sbin/" + name)
        os.chmod(root + "/usr/sbin/" + name, 0o755)
    system.write("/usr/sbin/azfilesauthmanager", "#!/bin/sh\nexit 0\n", 0o755)
    system.write("/etc/azfilesauth/config.yaml", "USER_UID: 0\n")
    system.write(
        "/etc/systemd/system/azfilesrefresh.service",
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    )
    system.write("/etc/systemd/system/test-platform.service", PLATFORM)
    system.write("/etc/ganesha/ganesha.conf", GANESHA)
    system.write("/etc/samba/smb.conf", SAMBA)
    system.write("/etc/hosts", "127.0.0.1 localhost machine %s\n" % VAULT)
    system.write("/etc/hostname", "machine\n")
    system.write("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/apt ./\n")
    for name in os.listdir(root + "/etc/apt/sources.list.d"):
        os.unlink(root + "/etc/apt/sources.list.d/" + name)
    version = re.search(r'VERSION_ID="?([0-9.]+)', system.read("/etc/os-release")).group(1)
    # The images have Microsoft's source; nothing answers here, which apt only warns of.
    system.write(
        "/etc/apt/sources.list.d/microsoft-prod.list",
        "deb [trusted=yes] https://packages.microsoft.com/ubuntu/%s/prod x main\n" % version,
    )
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + VAULT]
        + ["-keyout", root + "/srv/certificate.key", "-out", root + "/srv/certificate.pem", "-addext", "subjectAltName=DNS:" + VAULT],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.chmod(root + "/srv/certificate.key", 0o600)
    os.makedirs(root + "/usr/local/share/ca-certificates", exist_ok=True)
    shutil.copy(root + "/srv/certificate.pem", root + "/usr/local/share/ca-certificates/test.crt")
    for name in ("key", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root + "/srv/" + name], check=True)
    for name in ("cifs-utils", "azfilesauth", "aznfs", "r-base"):
        package = root + "/srv/apt/build/" + name
        os.makedirs(package + "/DEBIAN")
        with open(package + "/DEBIAN/control", "w") as file:
            file.write("Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: test <t@example.org>\nDescription: test\n" % name)
        subprocess.run(["dpkg-deb", "-b", package, root + "/srv/apt/%s.deb" % name], check=True, stdout=subprocess.DEVNULL)
    inside = lambda *command: subprocess.run(
        ["chroot", root] + list(command), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    lines = []
    for name in ("cifs-utils", "azfilesauth", "aznfs", "r-base"):
        deb = root + "/srv/apt/%s.deb" % name
        digest = subprocess.run(["sha256sum", deb], stdout=subprocess.PIPE).stdout.decode().split()[0]
        control = open(root + "/srv/apt/build/%s/DEBIAN/control" % name).read()
        lines.append(control + "Filename: ./%s.deb\nSize: %d\nSHA256: %s\n" % (name, os.path.getsize(deb), digest))
    system.write("/srv/apt/Packages", "\n".join(lines))
    inside("update-ca-certificates")
    inside("useradd", "-m", "-u", "1000", "-s", "/bin/bash", "dsvmuser")
    inside("systemctl", "enable", "test-platform.service", "ssh.service")
    for unit in ("smbd", "nmbd", "winbind", "samba-ad-dc", "nfs-ganesha", "rpcbind", "systemd-networkd-wait-online"):
        subprocess.run(["chroot", root, "systemctl", "disable", unit], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for folder in ("smb", "nfs", "shares"):
        os.makedirs(root + "/srv/" + folder)
    os.chmod(root + "/srv/smb", 0o777)
    system.platform(secrets={})


def tests(system):
    key = open(system.root + "/srv/key.pub").read().strip()
    host = open(system.root + "/srv/host").read()
    system.secrets = {"ada": "correct horse\nroot:owned-by-ada", "bob": "hunter2-of-bob\n", "host": host, "key": "c2VjcmV0LWtleQ=="}
    system.platform(late={"bob": 2})
    ada = {"name": "ada", "uid": 2001, "sudo": True, "groups": [], "keys": [key]}
    bob = {"name": "bob", "uid": 2002, "keys": [key]}
    mallory = {"name": "mallory", "uid": 2003, "keys": [key]}
    work = {
        "kind": "key",
        "account": "st",
        "host": "st.example",
        "share": "work",
        "mount": "/datamnt/work",
        "vault": VAULT,
        "secret": "key",
    }
    work["links"] = [{"path": "notebooks/remote", "target": "notebooks/{user}"}]
    fast = {"kind": "nfs", "account": "st", "host": "st.example", "share": "fast", "mount": "/data/fast"}
    fast["links"] = [{"path": "scratch", "target": "scratch/{user}"}]
    pool = {
        "users": [ada, bob, mallory, {"name": "ALL", "uid": 2009, "sudo": True}],
        "passwords": {"ada": "ada", "bob": "bob"}, "shares": [work, fast], "packages": ["r-base"], "services": [{"port": 22}],
        "host_key": {"vault": VAULT, "secret": "host"}, "limits": {"memory": "1G", "tasks": 500}, "notice": True,
        "steps": [{"name": "note", "run": "echo once >> /var/lib/note", "retries": 0}],
    }  # fmt: skip

    print("# before the setup")
    # A file system with handles, which an overlay lacks.
    system.shell(
        "mount -t tmpfs nfs /srv/nfs; mkdir -p /srv/nfs/home && echo her-work > /srv/nfs/home/thesis && chown 2001 /srv/nfs/home/thesis && chmod 600 /srv/nfs/home/thesis"
    )
    system.shell(
        "mkdir -p /run/ganesha /var/run/ganesha /var/log/ganesha /run/rpcbind; rpcbind; ganesha.nfsd -f /etc/ganesha/ganesha.conf -L /var/log/ganesha.log -p /run/ganesha.pid"
    )
    system.shell("smbd -D")
    system.shell("echo work > /srv/smb/file; chmod 644 /srv/smb/file")
    cat = "nfs-cat 'nfs://127.0.0.1/share/home/thesis?version=4&uid=2001&gid=2001'"
    smb = "smbclient -N //127.0.0.1/work -c 'get file -'"
    end = time.monotonic() + 60
    nfs_works = smb_works = False
    while time.monotonic() < end and not (nfs_works and smb_works):
        nfs_works = nfs_works or "her-work" in system.shell(cat + " 2>&1")[1]
        smb_works = smb_works or system.shell(smb)[0] == 0
        time.sleep(1)
    nobody = dict(user="65534")
    token = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
    steal = "import urllib.request as u; print(u.urlopen(u.Request('%s', headers={'Metadata': 'true'}), timeout=3).read())" % token
    system.check(
        "eyJ" in system.run("python3", "-c", steal, **nobody)[1],
        "without the program, anybody takes the token (the attack works here)",
    )
    if nfs_works:
        system.check(
            "her-work" in system.shell(cat, **nobody)[1],
            "without the program, anybody reads a file of mode 0600 on the NFS server as its owner",
        )
    else:
        print(
            "  SKIPPED the NFS server: ganesha does not run in this system: "
            + system.shell(cat + " 2>&1; tail -5 /var/log/ganesha.log")[1]
        )
    if not smb_works:
        print("  SKIPPED the SMB server: smbd does not run in this system")

    print("# first setup")
    lock = "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(12)"
    held = subprocess.Popen(["nsenter", "--target", system.leader(), "--mount", "--pid", "python3", "-c", lock])
    time.sleep(1)
    system.good(
        pool, "the setup ends although apt's lock is held for a while, a secret is late, one is hostile, and a name is refused"
    )
    held.wait()
    problems = {(entry["who"], entry["problem"]) for entry in system.status()["problems"]}
    system.check(
        {who for who, _ in problems} == {"ada", "ALL"},
        "problems concern ada's password and the name ALL only: %s" % sorted(problems),
    )
    system.check(system.run("dpkg-query", "-W", "r-base")[0] == 0, "the package is installed")
    system.check(system.shell("getent shadow root")[1].split(":")[1] in ("*", "!", ""), "root has no password")
    system.check(system.shell("getent shadow bob")[1].split(":")[1].startswith("$"), "bob has one, in spite of a final newline")
    system.check(system.run("visudo", "-c")[0] == 0, "sudo's rules are valid")
    fstab = system.read("/etc/fstab")
    system.check(fstab.count("nosuid,nodev") == 2, "mounts carry nosuid,nodev")
    units = ("dsvmc-firewall.service", "dsvmc-health.socket", "dsvmc-events.service", "dsvmc-boot.service")
    verified = system.run(
        "systemd-analyze", "verify", *("/etc/systemd/system/" + unit for unit in units + ("dsvmc-health.service",))
    )
    system.check("dsvmc" not in verified[1], "systemd finds nothing wrong with the units: %s" % verified[1][:300])
    system.check(
        system.run("systemctl", "is-active", "dsvmc-health.socket", "dsvmc-events.service")[1] == "active\nactive",
        "the services run",
    )
    system.check(
        "MemoryMax=1073741824" in system.run("systemctl", "show", "-p", "MemoryMax", "user-2001.slice")[1], "a person has a limit"
    )

    print("# log-in")
    code, output = system.ssh("ada", "id -un; readlink notebooks/remote; readlink scratch; sudo -n id -u")
    system.check(
        output.split("\n") == ["ada", "/datamnt/work/notebooks/ada", "/data/fast/scratch/ada", "0"],
        "ada logs in by key, has her folders, and is administrator: %s" % output,
    )
    system.check(system.ssh("mallory", "sudo -n true")[0] != 0, "mallory is no administrator")
    scanned = system.shell("ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null")[1].split()
    system.check(scanned[1:3] == open(system.root + "/srv/host.pub").read().split()[:2], "sshd presents the host key of the vault")
    system.check(len(system.shell("ssh-keyscan 127.0.0.1 2>/dev/null")[1].split("\n")) == 1, "and no other")
    system.shell(
        "useradd -m -u 3000 -s /bin/bash guest; mkdir -p ~guest/.ssh; cp /srv/key.pub ~guest/.ssh/authorized_keys; chown -R guest ~guest/.ssh"
    )
    output = system.ssh("guest", "readlink notebooks/remote; id -nG; touch notebooks/remote/file && echo written")[1]
    system.check(
        "/datamnt/work/notebooks/guest" in output and "dsvmusers" in output and "written" in output,
        "an account that is not described gets its folder at the first log-in: %s" % output.replace("\n", " "),
    )

    system.shell("useradd -m -u 3001 -s /bin/bash hubguest; echo hubguest:hunter2-of-guest | chpasswd")
    hub = lambda name, password: system.run("python3", "/srv/pam.py", name, password)[1]
    system.check(hub("hubguest", "hunter2-of-guest") == "welcome", "PAM lets a person in as JupyterHub asks it")
    link = system.shell("readlink /home/hubguest/notebooks/remote; stat -c %U /home/hubguest/notebooks")[1]
    system.check(
        link == "/datamnt/work/notebooks/hubguest\nhubguest",
        "who has the folder then, without a session: %s" % link.replace("\n", " "),
    )
    system.check(hub("bob", "hunter2-of-bob") == "welcome", "the password of the vault works")
    system.check(hub("root", "owned-by-ada").startswith("refused"), "and the one that a secret brought for root does not")

    print("# attacks of a person who is logged in")
    system.check("eyJ" not in system.ssh("mallory", 'python3 -c "%s"' % steal)[1], "mallory does not get the token")
    system.check("eyJ" in system.run("python3", "-c", steal)[1], "root does")
    forward = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i /srv/key -W 169.254.169.254:80 mallory@127.0.0.1"
    tunnel = system.shell(
        "printf 'GET /metadata/identity/oauth2/token?x HTTP/1.0\\r\\nMetadata: true\\r\\n\\r\\n' | timeout 10 %s" % forward
    )
    system.check("eyJ" not in tunnel[1], "nor through a tunnel of sshd: %s" % tunnel[1][:80])
    if nfs_works:
        system.check("her-work" not in system.ssh("mallory", cat)[1], "she does not read ada's file from the NFS server as ada")
        system.check("her-work" in system.shell(cat)[1], "root reaches the NFS server")
    if smb_works:
        system.check(system.ssh("mallory", smb)[0] != 0, "she does not reach the SMB server")
        system.check(system.shell(smb)[0] == 0, "root does")
    system.shell("cp /usr/bin/id /srv/shares/fast/root-id; chmod 4755 /srv/shares/fast/root-id")
    system.check("2003" in system.ssh("mallory", "/data/fast/root-id -u")[1], "a setuid program on a share gives her nothing")
    system.ssh("mallory", "rm -rf ~/.ssh ~/notebooks; ln -s /etc ~/.ssh; ln -s /opt ~/notebooks")
    etc = system.shell("stat -c '%u %a' /etc /etc/shadow /opt; ls /opt | sort; sha256sum /etc/shadow")[1]
    system.shell("rm -rf /srv/shares/work/notebooks/bob; ln -s /etc /srv/shares/work/notebooks/bob")
    system.good(dict(pool, passwords={}), "a setup ends although mallory's home and the share are full of traps")
    now = system.shell("stat -c '%u %a' /etc /etc/shadow /opt; ls /opt | sort")[1]
    system.check(etc.startswith(now), "and nothing of root has changed")
    system.shell("rm /srv/shares/work/notebooks/bob")

    print("# health")
    healthy = '200 {"ApplicationHealthState": "Healthy"}'
    system.check(system.becomes("/health", healthy), "the machine is healthy")
    system.check(system.becomes("/ready", "200 ready"), "and ready")
    flood = "import socket,time,resource\nresource.setrlimit(8 if False else resource.RLIMIT_NOFILE,(8000,8000))\nc=[socket.create_connection(('127.0.0.1',790)) for _ in range(3000)]\nprint('open',flush=True)\ntime.sleep(60)"
    flooding = subprocess.Popen(
        ["nsenter", "--target", system.leader(), "--mount", "--net", "--pid", "python3", "-c", flood], stdout=subprocess.PIPE
    )
    flooding.stdout.readline()
    started = time.monotonic()
    system.check(
        system.ask("/health") == healthy and time.monotonic() - started < 3,
        "with 3,000 silent connections it answers in %.1f s" % (time.monotonic() - started),
    )
    flooding.kill()
    flooding.wait()
    system.check(
        "refused"
        in system.ssh("mallory", "python3 -c \"import socket; socket.create_connection(('127.0.0.1', 790), 3)\"")[1].lower(),
        "mallory cannot even connect",
    )
    system.check(
        "ermission" in system.ssh("mallory", "python3 -c \"import socket; socket.create_server(('127.0.0.1', 791))\"")[1],
        "nor listen on such a port",
    )
    score = system.run("systemd-analyze", "security", "dsvmc-health.service")[1].split("\n")[-1]
    system.check("UNSAFE" not in score and "EXPOSED" not in score, score)
    uid = system.shell("stat -c %u /proc/$(systemctl show -p MainPID --value dsvmc-health.service)")[1]
    system.check(int(uid) >= 61184, "it runs as a user of its own (%s)" % uid)
    system.shell("umount /data/fast")
    system.check(system.becomes("/health", '200 {"ApplicationHealthState": "Unhealthy"}'), "a share that is gone is seen")
    system.shell("mount /data/fast")
    system.check(system.becomes("/health", healthy), "and its return too")

    print("# scheduled events")
    event = {"EventId": "E1", "EventType": "Terminate", "Resources": ["vmss-team_0"], "EventStatus": "Scheduled"}
    event["NotBefore"] = email.utils.formatdate(time.time() + 600, usegmt=True)
    system.platform(events=[event])
    system.check(system.becomes("/ready", "503"), "an event takes the machine out of the balancer")
    system.check(system.ask("/health") == healthy, "while it stays healthy")
    code, output = system.ssh("bob", "true")
    system.check(code != 0, "nobody new logs in: %s" % output.split("\n")[0])
    system.check(hub("hubguest", "hunter2-of-guest").startswith("refused"), "nor at JupyterHub")
    system.platform(events=[])
    system.check(system.becomes("/ready", "200 ready"), "a cancelled event opens it again")
    system.check(system.ssh("bob", "true")[0] == 0, "and people log in")

    print("# a start without the vault")
    system.platform(down=True)
    system.reboot()
    system.check(system.becomes("/health", healthy, 90), "the machine is healthy after a start")
    rules = system.run("nft", "list", "table", "inet", "dsvmc")
    system.check(rules[0] == 0 and "skuid" in rules[1], "the rules are there")
    order = system.shell("for u in dsvmc-firewall ssh; do systemctl show -p ActiveEnterTimestampMonotonic --value $u; done")[
        1
    ].split()
    system.check(len(order) == 2 and int(order[0]) < int(order[1]), "and were before sshd: %s" % order)
    system.check(system.ssh("ada", "sudo -n id -u")[1] == "0", "ada logs in")
    system.check("eyJ" not in system.ssh("mallory", 'python3 -c "%s"' % steal)[1], "mallory still does not get the token")
    system.platform(down=False)

    print("# a changed and a removed person")
    system.shell(
        "su ada -c 'echo work > ~/thesis'; setsid setpriv --reuid 2001 --regid 2001 --clear-groups sleep 600 >/dev/null 2>&1 &"
    )
    changed = dict(pool, users=[dict(bob, sudo=True), mallory], passwords={"bob": "bob"}, shares=[work])
    system.good(changed, "a setup without ada ends")
    system.check(system.ssh("ada", "true")[0] != 0, "ada does not log in any more")
    system.check(system.shell("pgrep -U 2001")[1] == "", "nothing of hers runs")
    system.check(system.shell("cat /home/ada/thesis")[1] == "work", "her files are there")
    system.check(system.ssh("bob", "sudo -n id -u")[1] == "0", "bob is administrator now")
    system.check(
        system.shell("findmnt /data/fast")[0] != 0 and "/data/fast" not in system.read("/etc/fstab"),
        "the share that is gone is unmounted",
    )
    system.check(system.read("/var/lib/note") == "once\n", "the step ran once in all")

    print("# a broken step")
    broken = dict(changed, steps=[{"name": "broken", "run": "echo gcc: not found; exit 3", "retries": 0}])
    code, output = system.setup(broken)
    system.check(
        code == 1 and output.endswith("failed at steps: step broken exited with code 3: gcc: not found"),
        "stops and says why: %s" % output.split("\n")[-1],
    )
    system.check(system.becomes("/health", healthy), "a machine that works goes on")
    status = system.status()
    system.check(status["failed"] == "steps" and status["ready"] != status["version"], "the status tells which version is there")
    system.good(changed, "a repaired description continues")


def main():
    name = os.path.basename(os.path.normpath(sys.argv[1]))
    print("== the machine program on %s" % name, flush=True)
    system = System(sys.argv[1], sys.argv[2])
    try:
        prepare(system)
        system.start()
        tests(system)
    finally:
        system.stop()
    print("%s: %s" % (name, "as it should be" if not system.failed else "%d facts do not hold" % system.failed))
    sys.exit(1 if system.failed else 0)


if __name__ == "__main__":
    main()
