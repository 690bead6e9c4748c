"""Builds the root folder of a machine inside namespaces, enters it, and runs the tests of `on_*.py` there."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = "/tmp/dsvmc-machine"
PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
syslog:x:104:110::/home/syslog:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
dsvmuser:x:1000:1000::/home/dsvmuser:/bin/bash
"""
GROUP = """root:x:0:
daemon:x:1:
shadow:x:42:
sudo:x:27:
docker:x:998:
syslog:x:110:
dsvmuser:x:1000:
nogroup:x:65534:
"""
FILES = {
    "/etc/passwd": PASSWD,
    "/etc/group": GROUP,
    "/etc/fstab": "UUID=1 / ext4 defaults 0 1\n",
    "/etc/os-release": 'NAME="Ubuntu"\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\n',
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "/etc/hosts": "127.0.0.1 localhost kv.vault.azure.net packages.microsoft.com\n",
    "/etc/login.defs": "UID_MIN 1000\nUID_MAX 60000\nENCRYPT_METHOD SHA512\nUSERGROUPS_ENAB yes\nHOME_MODE 0750\n",
    "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    "/etc/azfilesauth/config.yaml": "USER_UID: 0\n",
    "/etc/sudoers.d/README": "",
    "/etc/apt/sources.list.d/microsoft-prod.list": "deb [arch=amd64] https://packages.microsoft.com/ubuntu/22.04/prod jammy main\n",
    "/etc/pam.d/chpasswd": "password sufficient pam_unix.so sha512\n",
    "/etc/pam.d/other": "auth required pam_permit.so\naccount required pam_permit.so\npassword sufficient pam_unix.so sha512\n"
    "session required pam_permit.so\n",
}
FOLDERS = ("etc", "home", "var/lib", "var/log", "run", "tmp", "root", "srv", "opt", "dev", "proc", "sys", "mnt", "usr")


def mount(*arguments):
    subprocess.run(("mount",) + arguments, check=True)


def build():
    os.makedirs(ROOT, exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=0755", "dsvmc", ROOT)
    for folder in FOLDERS:
        os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
    os.chmod(ROOT + "/tmp", 0o1777)
    mount("--rbind", "/usr", ROOT + "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink("/" + name):
            os.symlink(os.readlink("/" + name), os.path.join(ROOT, name))
        elif os.path.isdir("/" + name):
            os.makedirs(os.path.join(ROOT, name))
            mount("--rbind", "/" + name, os.path.join(ROOT, name))
    # Best effort: without root outside of the namespace nobody can write there anyway.
    subprocess.run(["mount", "-o", "remount,bind,ro", ROOT + "/usr"], stderr=subprocess.DEVNULL)
    mount("-t", "tmpfs", "-o", "mode=0755", "dsvmc", ROOT + "/usr/local")
    # Places of /usr that the program writes to.
    for name in ("share/pam-configs", "share/keyrings"):
        if os.path.isdir("/usr/" + name):
            mount("-t", "tmpfs", "-o", "mode=0755", "dsvmc", ROOT + "/usr/" + name)
    mount("-t", "proc", "proc", ROOT + "/proc")
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        open(os.path.join(ROOT, "dev", device), "w").close()
        mount("--bind", "/dev/" + device, os.path.join(ROOT, "dev", device))
    os.symlink("/proc/self/fd", ROOT + "/dev/fd")
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl/openssl.cnf"):
        if os.path.isdir("/etc/" + name):
            shutil.copytree("/etc/" + name, ROOT + "/etc/" + name, symlinks=True)
        elif os.path.exists("/etc/" + name):
            os.makedirs(os.path.dirname(ROOT + "/etc/" + name), exist_ok=True)
            shutil.copy("/etc/" + name, ROOT + "/etc/" + name)
    for path, text in FILES.items():
        os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
        with open(ROOT + path, "w") as file:
            file.write(text)
    for path in ("/etc/shadow", "/etc/gshadow"):
        names = [line.split(":")[0] for line in (PASSWD if path == "/etc/shadow" else GROUP).splitlines()]
        with open(ROOT + path, "w") as file:
            file.writelines("%s:*:19000:0:99999:7:::\n" % name if path == "/etc/shadow" else "%s:!::\n" % name for name in names)
        os.chmod(ROOT + path, 0o640)
    os.makedirs(ROOT + "/home/dsvmuser", 0o750)
    os.chown(ROOT + "/home/dsvmuser", 1000, 1000)
    os.chmod(ROOT + "/home/dsvmuser", 0o750)
    shutil.copytree(ROOT + "/etc", ROOT + "/mnt/etc", symlinks=True)
    os.makedirs(ROOT + "/mnt/tests")
    mount("--bind", os.path.dirname(HERE), ROOT + "/mnt/tests")
    os.makedirs(ROOT + "/usr/local/sbin")
    os.makedirs(ROOT + "/usr/local/lib")


def network():
    """Brings up the loopback interface and gives it the addresses of the platform."""
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    up, set_address, set_flags = 0x1, 0x8916, 0x8914
    fcntl.ioctl(control, set_flags, struct.pack("16sh14x", b"lo", up))
    for number, address in enumerate(("169.254.169.254", "168.63.129.16"), 1):
        name = ("lo:%d" % number).encode()
        request = struct.pack("16sH2s4s8x", name, socket.AF_INET, b"\0\0", socket.inet_aton(address))
        fcntl.ioctl(control, set_address, request)
    control.close()


def main():
    script, pattern = sys.argv[1], sys.argv[2]
    with open(script) as file:
        text = file.read()
    build()
    network()
    with open(ROOT + "/mnt/script", "w") as file:
        file.write(text)
    os.chroot(ROOT)
    os.chdir("/")
    sys.path.insert(0, "/mnt/tests")
    sys.path.insert(0, "/mnt/tests/tests")
    import run

    run.HERE = "/mnt/tests/tests"
    sys.exit(0 if run.run_all("on_*.py", pattern) else 1)


if __name__ == "__main__":
    main()
