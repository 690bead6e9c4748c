"""Runs the tests of the program: first those that need nothing, then those on a machine of their own.

usage: run.py SCRIPT [PATTERN]

SCRIPT is the emitted script without its pool (`dsvm_machine::script()`). The machine is made of namespaces: own mounts,
processes and network, a root folder with the programs of this computer and accounts of its own; what a machine has and
this computer may lack (systemd, apt, mounts of Azure) is stood in for by the commands in `stand_in.py`. Without the right
to make namespaces this half is skipped, and says so.
"""

import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED = ("unshare", "useradd", "usermod", "groupadd", "gpasswd", "chpasswd", "openssl")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def plain(pattern):
    sys.path.insert(0, os.path.dirname(HERE))
    sys.path.insert(0, HERE)
    return run_all("plain_*.py", pattern)


def run_all(files, pattern):
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = ["*%s*" % pattern]
    suite = loader.discover(HERE, pattern=files, top_level_dir=HERE)
    return unittest.TextTestRunner(verbosity=2, failfast=False).run(suite).wasSuccessful()


def namespaces():
    """The command that starts a machine, or why there is none."""
    lacking = [name for name in NEEDED if not shutil.which(name, path=PATH)]
    lacking += [path for path in ("/usr/bin/python3", "/usr/share/pam-configs") if not os.path.exists(path)]
    if lacking:
        return None, "not here: " + ", ".join(lacking)
    own = ["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc", "--kill-child", "--propagation", "private"]
    if os.geteuid() != 0:
        own[1:1] = ["--user", "--map-root-user", "--map-auto"]
    tried = subprocess.run(own + ["true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if tried.returncode:
        return None, "namespaces are not allowed here: " + tried.stdout.decode(errors="replace").strip()
    return own, ""


def main():
    script = os.path.abspath(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    good = plain(pattern)
    own, why = namespaces()
    if own is None:
        print("SKIPPED the tests on a machine: " + why)
    else:
        inside = own + ["/usr/bin/python3", os.path.join(HERE, "machine.py"), script, pattern]
        environment = dict(os.environ, PATH=PATH, PYTHONDONTWRITEBYTECODE="1")
        good = subprocess.run(inside, env=environment).returncode == 0 and good
    print("machine: %s" % ("as it should be" if good else "FAILED"))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
