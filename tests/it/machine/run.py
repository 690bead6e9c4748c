"""Runs the first boot of a machine against a folder that stands for its disk.

run.py EXPANDED ROOT: unpacks the cloud-config document of the scale set in EXPANDED into ROOT and runs machine.py from
there, twice, as a machine would: files below /etc, /var, /home and the mount points are those of ROOT, commands are
those of ROOT/bin, which write down what they were asked, and the metadata service and the vault answer from a local
server. Ends with 1 and a sentence when something is not as it should be.
"""
import base64, builtins, contextlib, http.server, io, json, os, pwd, stat, socket, subprocess, sys, threading, time, types
import urllib.request

EXPANDED, ROOT = sys.argv[1], os.path.realpath(sys.argv[2])
SECRETS = {"owner": "hunter2-owner", "ada": "hunter2-ada", "old-key": "c2VjcmV0LWtleQ=="}
TOKEN = "eyJ-a-token"
COMMANDS = "mount useradd groupadd usermod getent install chown apt-get dpkg systemctl chpasswd azfilesauthmanager".split()
FAKE = """#!%s
import json, os, sys
root, name, arguments = os.environ["FAKE_ROOT"], os.path.basename(sys.argv[0]), sys.argv[1:]
typed = sys.stdin.read() if name == "chpasswd" else ""
with open(root + "/commands", "a") as log:
    log.write(json.dumps([name, arguments, typed]) + "\\n")
def append(file, line):
    with open(root + file, "a") as table:
        table.write(line + "\\n")
if name == "getent":
    lines = open(root + "/etc/group").read().splitlines()
    sys.exit(0 if any(line.startswith(arguments[1] + ":") for line in lines) else 2)
if name == "groupadd":
    append("/etc/group", "%%s:x:%%s:" %% (arguments[2], arguments[1]))
if name == "useradd":
    user, uid = arguments[-1], arguments[arguments.index("-u") + 1]
    append("/etc/passwd", "%%s:x:%%s:%%s::/home/%%s:/bin/bash" %% (user, uid, uid, user))
    os.makedirs(root + "/home/" + user)
if name == "install" and "-d" in arguments:
    os.makedirs(root + arguments[-1], exist_ok=True)
if name == "mount":
    table = [line.split() for line in open(root + "/etc/fstab")]
    if not any(len(row) > 1 and row[1] == arguments[-1] for row in table):
        sys.exit(32)
    # The first try of the first mount fails: the network is not there yet.
    if not os.path.exists(root + "/slow"):
        open(root + "/slow", "w").close()
        sys.exit(32)
    append("/mounted", arguments[-1])
""" % sys.executable


def check(condition, sentence):
    if not condition:
        sys.exit("machine: " + sentence)


def written_files(document):
    """The files of a cloud-config document as dsvmc writes it."""
    check(document.startswith("#cloud-config\n"), "the custom data is no cloud-config document")
    files, path = {}, None
    for line in document.split("write_files:\n", 1)[1].split("\n"):
        if line.startswith("  - path: "):
            path = line[len("  - path: "):]
            files[path] = []
        elif path and line.startswith("      "):
            files[path].append(line[6:])
        elif path and not line:
            files[path].append("")
    return {path: "\n".join(lines) for path, lines in files.items()}


resources = json.load(open(EXPANDED))
resources = resources.get("resources", resources) if isinstance(resources, dict) else resources
[scale_set] = [r for r in resources if r["type"].endswith("/virtualMachineScaleSets")]
custom = scale_set["properties"]["virtualMachineProfile"]["osProfile"]["customData"]
files = written_files(base64.b64decode(custom).decode())
config = json.loads(files["/etc/dsvmc/pool.json"])
config["health"] = 0

for path, text in files.items():
    os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
    with open(ROOT + path, "w") as file:
        file.write(text)
for path, text in {
    "/etc/passwd": "root:x:0:0::/root:/bin/bash\ndsvmuser:x:1000:1000::/home/dsvmuser:/bin/bash\nguest:x:3000:3000::/home/guest:/bin/bash\n",
    "/etc/group": "root:x:0:\ndocker:x:998:\n",
    "/etc/fstab": "UUID=1 / ext4 defaults 0 1\n",
    "/etc/os-release": 'NAME="Ubuntu"\nVERSION_ID="22.04"\n',
    "/etc/azfilesauth/config.yaml": "USER_UID: 0\n",
    "/home/dsvmuser/.profile": "",
    "/home/guest/.profile": "",
    "/etc/sudoers.d/README": "",
    "/mounted": "",
}.items():
    os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
    with open(ROOT + path, "w") as file:
        file.write(text)
os.makedirs(ROOT + "/bin")
for name in COMMANDS:
    with open(f"{ROOT}/bin/{name}", "w") as file:
        file.write(FAKE)
    os.chmod(f"{ROOT}/bin/{name}", 0o755)
os.environ["PATH"] = ROOT + "/bin:" + os.environ["PATH"]
os.environ["FAKE_ROOT"] = ROOT

# The disk.
INSIDE = ("/etc/", "/var/lib/dsvmc", "/home/", *(share["mount"] for share in config["shares"]))


def below(path):
    return ROOT + path if isinstance(path, str) and path.startswith(INSIDE) else path


def redirected(function, count=1):
    return lambda *a, **k: function(*[below(p) for p in a[:count]], *a[count:], **k)


open_here = builtins.open
builtins.open = redirected(open_here)
for name in ("open", "makedirs", "mkdir", "remove", "stat", "lstat", "chmod"):
    setattr(os, name, redirected(getattr(os, name)))
os.replace = redirected(os.replace, 2)
link_here = os.symlink
os.symlink = lambda target, path: link_here(target, below(path))
os.path.ismount = lambda path: path in open_here(ROOT + "/mounted").read().split()
owned = []
os.chown = os.lchown = lambda path, uid, gid: owned.append((path, uid, gid))


def account(name):
    for line in open_here(ROOT + "/etc/passwd"):
        row = line.rstrip("\n").split(":")
        if row[0] == name:
            return types.SimpleNamespace(pw_name=name, pw_uid=int(row[2]), pw_gid=int(row[3]), pw_dir=row[5])
    raise KeyError(name)


pwd.getpwnam = account
import grp
grp.getgrall = lambda: [types.SimpleNamespace(gr_name=line.split(":")[0]) for line in open_here(ROOT + "/etc/group")]
pause = time.sleep
time.sleep = lambda _: None


# The network.
asked = []


class Services(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        status, answer = 404, {}
        if self.path.startswith("/metadata/identity/oauth2/token?"):
            status, answer = (200, {"access_token": TOKEN}) if self.headers["Metadata"] == "true" else (400, {})
        elif self.path.startswith("/secrets/"):
            name = self.path[len("/secrets/"):].split("?")[0]
            first = sum(path.startswith("/secrets/" + name) for path in asked) == 1
            if self.headers["Authorization"] != "Bearer " + TOKEN:
                status = 401
            elif name == "owner" and first:
                status = 503
            elif name in SECRETS:
                status, answer = 200, {"value": SECRETS[name]}
        elif self.path.startswith("/config/ubuntu/22.04/"):
            status = 200
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services)
threading.Thread(target=server.serve_forever, daemon=True).start()
HERE = f"http://127.0.0.1:{server.server_port}"
get_here = urllib.request.urlopen


def local(url):
    scheme, rest = url.split("://", 1)
    host, path = rest.split("/", 1)
    known = (("http", "169.254.169.254"), ("https", config["vault"]), ("https", "packages.microsoft.com"))
    check((scheme, host) in known, f"asked {scheme}://{host}")
    return f"{HERE}/{path}"


def opened(request, **options):
    if isinstance(request, str):
        return get_here(local(request), **options)
    return get_here(urllib.request.Request(local(request.full_url), headers=dict(request.header_items())), **options)


urllib.request.urlopen = opened
urllib.request.urlretrieve = lambda url, file: open_here(below(file), "wb").write(get_here(local(url)).read())


# The program.
program = types.ModuleType("machine")
exec(compile(files["/usr/local/lib/dsvmc/machine.py"], "machine.py", "exec"), program.__dict__)


def commands():
    return [json.loads(line) for line in open_here(ROOT + "/commands")]


def spoken(action, *arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        action(*arguments)
    return said.getvalue()


def tree():
    found = {}
    for folder, _, names in os.walk(ROOT):
        for name in names + [d for d in os.listdir(folder) if os.path.islink(os.path.join(folder, d))]:
            path = os.path.join(folder, name)
            if path.endswith(("/commands", "/steps", "/tries", "/mounted")):
                continue
            found[path[len(ROOT):]] = os.readlink(path) if os.path.islink(path) else open_here(path, "rb").read()
    return found


said = spoken(program.setup, config)
first, once = tree(), commands()
said += spoken(program.setup, config)
second, twice = tree(), commands()

check(said.count("ready") == 2, "the setup did not come to its end")
changed = [path for path in {**first, **second} if first.get(path) != second.get(path)]
check(not changed, f"the second run changed {changed}")
for name in ("useradd", "groupadd", "mount"):
    count = lambda log: sum(command[0] == name for command in log)
    check(count(once) == count(twice) > 0, f"the second run called {name} again")

hidden = [TOKEN, *SECRETS.values()]
check(not any(secret in said for secret in hidden), "a secret was said")
check(not any(secret in " ".join(a) for _, a, _ in twice for secret in hidden), "a secret is an argument of a command")
holders = {path for path, text in second.items() for secret in hidden if isinstance(text, bytes) and secret.encode() in text}
[key] = [share for share in config["shares"] if share["kind"] == "key"]
proof = f"/etc/dsvmc/{key['account']}.credentials"
check(holders == {proof}, f"secrets are in {holders}")
check(stat.S_IMODE(os.stat(proof).st_mode) == 0o600, "others can read the key of a share")
typed = [text for name, _, text in once if name == "chpasswd"]
check(typed == [f"dsvmuser:{SECRETS['owner']}\n", f"ada:{SECRETS['ada']}\n"], "passwords were not set")
check("secret owner of" in said and "attempt 1" in said, "a vault that is not ready was not asked again")

table = second["/etc/fstab"].decode().splitlines()
check(table[0].startswith("UUID=1 "), "a line of the file system table is gone")
kinds = [(row.split()[1], row.split()[2]) for row in table[1:]]
check(kinds == [("/datamnt/work", "cifs"), ("/data/fast", "aznfs"), ("/data/old", "cifs")], f"mounts are {kinds}")
check(all("nofail" in row and "_netdev" in row for row in table[1:]), "a mount can stop the boot")
check(all(row.split()[3].endswith(",nosuid,nodev") for row in table[1:]), "a share brings setuid programs or devices")
check("sec=krb5" in table[1] and "credentials=" + proof in table[3], "a share proves itself in another way")
check(stat.S_IMODE(os.stat("/etc/sudoers.d/90-dsvmc-2001").st_mode) == 0o440, "the rule of sudo can be changed")
check(second["/home/ada/.ssh/authorized_keys"].startswith(b"ssh-"), "ada has no key")
for name in ("dsvmuser", "ada"):
    link, target = f"/home/{name}/notebooks/remote", f"/datamnt/work/notebooks/{name}"
    check(second.get(link) == target and os.path.isdir(target), f"{link} leads nowhere")
    check(second.get(f"/home/{name}/scratch") == f"/data/fast/scratch/{name}", f"{name} has no scratch")
check(("/data/fast/scratch/ada", 2001, 2001) in owned, "a folder on the NFS share belongs to somebody else")
installs = [a for name, a, _ in once if name == "apt-get" and a[0] == "install"]
check(installs and {"r-base", "cifs-utils", "azfilesauth", "aznfs"} <= set(installs[0]), f"installed {installs}")
check(open_here(ROOT + "/steps").read() == "2\n2\n", "the text of a step was changed on the way")
check(open_here(ROOT + "/tries").read().count("try") == 3, "a step that failed was not tried again")

# Somebody who was not declared logs in.
program.links(config, "guest")
check(os.readlink(ROOT + "/home/guest/notebooks/remote") == "/datamnt/work/notebooks/guest", "a guest has no workspace")

# Health: good while everything is mounted and listens.
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in config["ports"]]
config["ports"] = [listener.getsockname()[1] for listener in listeners]
probe = socket.create_server(("127.0.0.1", 0))
config["health"] = probe.getsockname()[1]
probe.close()
threading.Thread(target=program.health, args=(config,), daemon=True).start()


def state():
    for _ in range(100):
        try:
            with get_here(f"http://127.0.0.1:{config['health']}/") as answer:
                return json.load(answer)["ApplicationHealthState"]
        except OSError:
            pause(0.05)
    sys.exit("machine: the health port does not answer")


check(state() == "Healthy", "a good machine is called unhealthy")
listeners[0].close()
check(state() == "Unhealthy", "a machine without SSH is called healthy")
config["ports"] = config["ports"][1:]
check(state() == "Healthy", "the machine did not recover")
with open_here(ROOT + "/mounted", "w") as mounted:
    mounted.write("/datamnt/work\n")
check(state() == "Unhealthy", "a machine without its shares is called healthy")
print("machine: as it should be")
