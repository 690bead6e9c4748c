#!/usr/bin/python3 -I
"""Made by dsvmc: the program of a pool's machines and, in the last line, the pool. Run as root by the platform.

Installs the modules into a folder named after the version of this file, points /usr/local/lib/dsvmc/machine.py there,
and runs `setup`. The version is the SHA-256 of this file, 16 digits.
"""
import base64
import hashlib
import json
import os
import shutil
import sys
import zlib

# JSON of file names and contents, compressed. Read them after the run in /usr/local/lib/dsvmc, or with
# python3 -c 'import base64, json, sys, zlib; print(*json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))).values())' TEXT
MODULES = "@MODULES@"  # fmt: skip
BASE = "/usr/local/lib/dsvmc"
ENTRY = """#!/usr/bin/python3 -I
import sys
sys.path.insert(0, "%s")
from dsvmc_machine.main import main
main()
"""


def write(path, text, mode):
    beside = path + ".dsvmc-new"
    if os.path.lexists(beside):
        os.unlink(beside)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def main():
    if os.geteuid() != 0:
        sys.exit("dsvmc: this script is for root")
    os.umask(0o022)
    with open(os.path.abspath(__file__), "rb") as file:
        content = file.read()
    version = hashlib.sha256(content).hexdigest()[:16]
    pool = content[content.rindex(b"\n#POOL ") + 7 :].decode("utf-8").strip()
    try:
        json.loads(pool)
    except ValueError as error:
        sys.exit("dsvmc: failed at pool.json: not a JSON document: %s" % error)
    folder = os.path.join(BASE, version)
    package = os.path.join(folder, "dsvmc_machine")
    os.makedirs(package, 0o755, exist_ok=True)
    for name, text in json.loads(zlib.decompress(base64.b64decode(MODULES))).items():
        write(os.path.join(package, name), text, 0o644)
    os.makedirs("/etc/dsvmc", 0o755, exist_ok=True)
    write("/etc/dsvmc/pool.json", pool + "\n", 0o600)
    write("/etc/dsvmc/version", version + "\n", 0o644)
    entry = os.path.join(BASE, "machine.py")
    write(entry, ENTRY % folder, 0o755)
    for name in os.listdir(BASE):
        path = os.path.join(BASE, name)
        if name != version and os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
    sys.stdout.flush()
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-I", entry, "setup"])


main()
