"""Packages of the pool, and those that mounts need. Package sources are added with a checked key and a low priority."""

from __future__ import annotations

import glob
import os
import re
import tempfile
import urllib.request
from typing import Dict, List

from .config import Pool
from .system import CommandFailed, Failed, again, installed, read, remove, run, write

SOURCE = "https://packages.microsoft.com/ubuntu/%s/prod"
KEY_URL = "https://packages.microsoft.com/keys/%s"
KEYRING = "/usr/share/keyrings/dsvmc-microsoft.asc"
LIST = "/etc/apt/sources.list.d/dsvmc-microsoft.list"
PIN = "/etc/apt/preferences.d/dsvmc-microsoft"
KEYS: Dict[str, str] = {
    "microsoft.asc": "BC528686B50D79E339D3721CEB3E94ADBE1229CF",
    "microsoft-2025.asc": "AA86F75E427A19DD33346403EE4D7792F748182B",
}
"""Fingerprints from https://learn.microsoft.com/linux/packages. Releases from 25.10 on are signed with the key of 2025."""
HELPERS: Dict[str, List[str]] = {"identity": ["cifs-utils", "azfilesauth"], "key": ["cifs-utils"], "nfs": ["aznfs"]}
MICROSOFT = {"azfilesauth", "aznfs"}
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "AZNFS_NONINTERACTIVE_INSTALL": "1"}
OPTIONS = ("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
PINS = """# Made by dsvmc. The distribution's own packages win over this source.
Package: *
Pin: origin packages.microsoft.com
Pin-Priority: 400
"""


def wanted(pool: Pool) -> List[str]:
    """The packages that this pool needs, in a stable order."""
    names = list(pool.packages)
    for share in pool.shares:
        names += HELPERS[share.kind]
    return list(dict.fromkeys(names))


def missing(names: List[str]) -> List[str]:
    """Those that are not installed. A name may carry `=VERSION`, as for apt."""
    found = []
    for name in names:
        package, _, version = name.partition("=")
        try:
            status = run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}\\n", package).split()
        except CommandFailed:
            status = []
        if status[:1] != ["installed"] or (version and version not in status[1:]):
            found.append(name)
    return found


def apply(pool: Pool) -> None:
    """Installs what is missing; a machine that has everything asks no package source at all."""
    for name in pool.packages:
        if not re.match(r"[a-z0-9][a-z0-9+.:-]*(?:=[A-Za-z0-9.+:~-]+)?\Z", name):
            raise Failed("`%s` is not the name of a package" % name)
    names = missing(wanted(pool))
    if not names:
        return
    if MICROSOFT & set(names):
        again("package source", add_source, times=10)
    again("list of packages", lambda: run("apt-get", "update", "-q", *OPTIONS, environment=ENVIRONMENT))
    again(
        "packages",
        lambda: run("apt-get", "install", "-yq", *OPTIONS, *names, environment=ENVIRONMENT, timeout=3600),
        times=5,
        pause=30,
    )


def release() -> str:
    """The version of the distribution, as in `22.04`."""
    found = re.search(r"^VERSION_ID=\"?([0-9.]+)", read("/etc/os-release") or "", re.M)
    return found.group(1) if found else "22.04"


def configured(url: str) -> bool:
    """Whether apt has this source already. A second entry with another key would make apt refuse both."""
    lists = ["/etc/apt/sources.list"] + glob.glob("/etc/apt/sources.list.d/*.list") + glob.glob("/etc/apt/sources.list.d/*.sources")
    lines = "\n".join(read(path) or "" for path in lists if path != LIST)
    return re.search(r"^[^#\n]*" + re.escape(url) + r"(?:[/\s]|$)", lines, re.M) is not None


def fingerprints(key: str) -> List[str]:
    """The fingerprints of the primary keys in an armored file, by gpg."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "key.asc")
        write(path, key, 0o600)
        listing = run("gpg", "--homedir", folder, "--batch", "--show-keys", "--with-colons", "--with-fingerprint", path)
    found, primary = [], False
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sub"):
            primary = fields[0] == "pub"
        elif fields[0] == "fpr" and primary:
            found.append(fields[9])
            primary = False
    return found


def add_source() -> None:
    """Microsoft's package source for this release, with a key whose fingerprint is known."""
    version = release()
    url = SOURCE % version
    write(PIN, PINS, 0o644)
    if configured(url):
        remove(LIST)
        return
    if not installed("gpg"):
        run("apt-get", "update", "-q", *OPTIONS, environment=ENVIRONMENT)
        run("apt-get", "install", "-yq", *OPTIONS, "gpg", environment=ENVIRONMENT)
    name = "microsoft-2025.asc" if tuple(map(int, version.split("."))) >= (25, 10) else "microsoft.asc"
    with urllib.request.urlopen(KEY_URL % name, timeout=30) as answer:
        key = answer.read(65536).decode("ascii", "replace")
    if fingerprints(key) != [KEYS[name]]:
        raise Failed("the key at %s is not the one that Microsoft documents" % (KEY_URL % name))
    write(KEYRING, key, 0o644)
    code = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", read("/etc/os-release") or "", re.M)
    write(LIST, "deb [arch=amd64 signed-by=%s] %s %s main\n" % (KEYRING, url, code.group(1) if code else "jammy"), 0o644)
