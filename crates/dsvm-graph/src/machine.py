#!/usr/bin/env python3
"""Prepares a machine of a pool. Reads /etc/dsvmc/pool.json; holds no secret and writes none to a log.

setup        once, when the machine is new: accounts, packages, mounts, links, steps
credentials  at each boot, before the mounts: proof of identity for shares, Unix passwords
health       for ever: 200 on the local health port while mounts are there and services listen
links USER   at log-in of an account that was not declared
"""
import grp, http.server, json, os, pwd, socket, subprocess, sys, time, urllib.parse, urllib.request

CONFIG = "/etc/dsvmc/pool.json"
READY = "/var/lib/dsvmc/ready"
GROUP, GID = "dsvmusers", 1900
SELF = "/usr/local/lib/dsvmc/machine.py"


def say(text):
    print("dsvmc: " + text, flush=True)


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def again(what, action, times=20, pause=15):
    for attempt in range(times):
        try:
            return action()
        except Exception as error:  # the message of an error can hold no secret: none is ever passed as an argument
            say(f"{what}: {type(error).__name__}, attempt {attempt + 1} of {times}")
            if attempt + 1 == times:
                raise
            time.sleep(pause)


def get(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return json.load(answer)


def secret(config, vault, name):
    def read():
        query = {"api-version": "2018-02-01", "resource": "https://" + vault.split(".", 1)[1], "client_id": config["client"]}
        query["resource"] = query["resource"].rstrip("/")
        url = "http://169.254.169.254/metadata/identity/oauth2/token?" + urllib.parse.urlencode(query)
        token = get(url, {"Metadata": "true"})["access_token"]
        return get(f"https://{vault}/secrets/{name}?api-version=7.4", {"Authorization": "Bearer " + token})["value"]

    return again(f"secret {name} of {vault}", read)


def accounts(config):
    if subprocess.run(["getent", "group", GROUP], stdout=subprocess.DEVNULL).returncode:
        run("groupadd", "-g", str(GID), GROUP)
    run("usermod", "-aG", GROUP, config["admin"])
    for user in config.get("users", []):
        name, uid = user["name"], str(user["uid"])
        try:
            pwd.getpwnam(name)
        except KeyError:
            run("groupadd", "-g", uid, name)
            run("useradd", "-m", "-s", "/bin/bash", "-u", uid, "-g", uid, name)
        known = {g.gr_name for g in grp.getgrall()}
        groups = [GROUP] + [g for g in user.get("groups", []) if g in known]
        run("usermod", "-aG", ",".join(groups), name)
        folder = f"/home/{name}/.ssh"
        run("install", "-d", "-m", "0700", "-o", name, "-g", uid, folder)
        with open(folder + "/authorized_keys", "w") as keys:
            keys.writelines(key.strip() + "\n" for key in user.get("keys", []))
        os.chmod(folder + "/authorized_keys", 0o600)
        run("chown", f"{name}:{uid}", folder + "/authorized_keys")
        if user.get("sudo"):
            path = f"/etc/sudoers.d/90-dsvmc-{uid}"
            with open(path, "w") as rule:
                rule.write(f"{name} ALL=(ALL) NOPASSWD:ALL\n")
            os.chmod(path, 0o440)


def packages(config):
    wanted = list(config.get("packages", []))
    kinds = {share["kind"] for share in config.get("shares", [])}
    helper = [package for kind, package in (("identity", "azfilesauth"), ("nfs", "aznfs")) if kind in kinds]
    if kinds & {"identity", "key"}:
        wanted.append("cifs-utils")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", AZNFS_NONINTERACTIVE_INSTALL="1")
    if helper:
        release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)["VERSION_ID"].strip('"')
        file = "/var/lib/dsvmc/packages-microsoft-prod.deb"
        url = f"https://packages.microsoft.com/config/ubuntu/{release}/packages-microsoft-prod.deb"
        again("package source", lambda: urllib.request.urlretrieve(url, file))
        run("dpkg", "-i", file)
        wanted += helper
    if wanted:
        again("package list", lambda: run("apt-get", "update", "-q", env=environment))
        again("packages", lambda: run("apt-get", "install", "-yq", "-o", "DPkg::Lock::Timeout=300", *wanted, env=environment))


def ticket_owner():
    for line in open("/etc/azfilesauth/config.yaml"):
        if line.startswith("USER_UID"):
            return line.split(":", 1)[1].strip()
    return "0"


def fstab(config):
    lines = [line for line in open("/etc/fstab") if "# dsvmc" not in line]
    for share in config.get("shares", []):
        os.makedirs(share["mount"], exist_ok=True)
        unit = "x-systemd.requires=dsvmc-credentials.service,x-systemd.after=dsvmc-credentials.service"
        options = ["nofail", "_netdev", unit, "x-systemd.mount-timeout=120"]
        if share["kind"] == "nfs":
            source, kind = f"{share['host']}:/{share['account']}/{share['share']}", "aznfs"
            options += ["vers=4", "minorversion=1", "sec=sys", "nconnect=4"]
        else:
            source, kind = f"//{share['host']}/{share['share']}", "cifs"
            options += ["vers=3.1.1", f"gid={GID}", "file_mode=" + share["file_mode"], "dir_mode=" + share["directory_mode"]]
            options += ["serverino", "nosharesock", "mfsymlinks", "actimeo=30"]
            if share["kind"] == "identity":
                options += ["sec=krb5", "cruid=" + ticket_owner(), "username=" + config["client"]]
            else:
                options += [f"credentials=/etc/dsvmc/{share['account']}.credentials"]
        # Last, so that no other option undoes them: a share brings neither setuid programs nor devices.
        options += share.get("options", []) + ["nosuid", "nodev"]
        lines.append(f"{source} {share['mount']} {kind} {','.join(options)} 0 0 # dsvmc\n")
    with open("/etc/fstab.dsvmc", "w") as table:
        table.writelines(lines)
    os.replace("/etc/fstab.dsvmc", "/etc/fstab")
    run("systemctl", "daemon-reload")


def mounts(config):
    for share in config.get("shares", []):
        def mount():
            if not os.path.ismount(share["mount"]):
                run("mount", share["mount"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        again("mount " + share["mount"], mount)


def links(config, name):
    user = pwd.getpwnam(name)
    for share in config.get("shares", []):
        for link in share.get("links", []):
            target = os.path.join(share["mount"], link["target"].replace("{user}", name))
            path = os.path.join(user.pw_dir, link["path"].replace("{user}", name))
            if not os.path.isdir(target):
                os.makedirs(target, mode=0o770)
                if share["kind"] == "nfs":
                    os.chown(target, user.pw_uid, user.pw_gid)
            here = user.pw_dir
            for part in os.path.relpath(os.path.dirname(path), here).split("/"):
                here = os.path.normpath(os.path.join(here, part))
                if not os.path.isdir(here):
                    os.mkdir(here)
                    os.chown(here, user.pw_uid, user.pw_gid)
            if os.path.islink(path):
                os.remove(path)
            if not os.path.lexists(path):
                os.symlink(target, path)
                os.lchown(path, user.pw_uid, user.pw_gid)


def credentials(config):
    for share in config.get("shares", []):
        if share["kind"] == "identity":
            command = ["azfilesauthmanager", "set", "https://" + share["host"], "--imds-client-id", config["client"]]
            again("ticket for " + share["host"], lambda: run(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            run("systemctl", "enable", "--now", "azfilesrefresh")
        elif share["kind"] == "key":
            key = secret(config, share["vault"], share["secret"])
            path = f"/etc/dsvmc/{share['account']}.credentials"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(f"username={share['account']}\npassword={key}\n")
    for name, where in config.get("passwords", {}).items():
        value = secret(config, config["vault"], where)
        run("chpasswd", input=f"{name}:{value}\n".encode())


def setup(config):
    os.makedirs("/var/lib/dsvmc", exist_ok=True)
    accounts(config)
    packages(config)
    credentials(config)
    fstab(config)
    mounts(config)
    for name in [config["admin"]] + [user["name"] for user in config.get("users", [])]:
        links(config, name)
    for step in config.get("steps", []):
        say("step " + step["name"])
        again("step " + step["name"], lambda: run("bash", "-euo", "pipefail", "-c", step["run"]), times=1 + step["retries"])
    open(READY, "w").close()
    say("ready")


def healthy(config):
    if not os.path.exists(READY) or not all(os.path.ismount(s["mount"]) for s in config.get("shares", [])):
        return False
    for port in config.get("ports", []):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
    return True


def health(config):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            good = healthy(config)
            body = json.dumps({"ApplicationHealthState": "Healthy" if good else "Unhealthy"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", config["health"]), Answer).serve_forever()


if __name__ == "__main__":
    with open(CONFIG) as file:
        configuration = json.load(file)
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "links":
        links(configuration, sys.argv[2])
    elif command in ("setup", "credentials", "health"):
        {"setup": setup, "credentials": credentials, "health": health}[command](configuration)
    else:
        sys.exit("usage: machine.py setup|credentials|health|links USER")
