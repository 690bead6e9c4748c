"""pool.json, typed. Unknown keys are left alone; a wrong value raises `Failed` with the path to it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, TypeVar

from .system import Failed

Item = TypeVar("Item")

HEALTH_PORT = 790
"""Below 1024, so that no ordinary user can listen there while the service is down."""
NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")


@dataclass(frozen=True)
class User:
    """A person with an account on every machine."""

    name: str
    uid: int
    sudo: bool
    groups: List[str]
    keys: List[str]


@dataclass(frozen=True)
class Link:
    """A link in each home: `path` below it leads to `target` below the mount. `{user}` is the name of the person."""

    path: str
    target: str


@dataclass(frozen=True)
class Share:
    """A share to mount. `kind`: `identity` and `key` are SMB, `nfs` is NFS."""

    kind: str
    account: str
    host: str
    share: str
    mount: str
    file_mode: str
    directory_mode: str
    vault: Optional[str]
    secret: Optional[str]
    options: List[str]
    links: List[Link]


@dataclass(frozen=True)
class Step:
    """A script of the pool, run once for each of its texts."""

    name: str
    run: str
    retries: int


@dataclass(frozen=True)
class Service:
    """A service that people reach. Its listener must belong to the system or to `user`."""

    port: int
    user: Optional[str]


@dataclass(frozen=True)
class SecretName:
    """A secret, by the host name of its vault and its own name."""

    vault: str
    secret: str


@dataclass(frozen=True)
class Limits:
    """What one person may use of a machine; systemd's units (`16G`, `50%`)."""

    memory: Optional[str]
    tasks: Optional[int]


@dataclass(frozen=True)
class Pool:
    """The whole description."""

    pool: str
    admin: str
    client: Optional[str]
    health: int
    services: List[Service]
    users: List[User]
    passwords: Dict[str, SecretName]
    shares: List[Share]
    packages: List[str]
    steps: List[Step]
    host_key: Optional[SecretName]
    limits: Limits
    notice: bool


class _At:
    """An object of the JSON document and the path to it."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Failed("%s: expected an object" % (path or "pool.json"))
        self.value: Dict[str, Any] = value
        self.path = path

    def wrong(self, key: str, expected: str) -> Failed:
        return Failed("pool.json: %s: expected %s" % ((self.path + "." + key).lstrip("."), expected))

    def text(self, key: str) -> str:
        value = self.optional(key)
        if value is None:
            raise self.wrong(key, "a string")
        return value

    def optional(self, key: str) -> Optional[str]:
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value or re.search(r"[\x00-\x1f\x7f]", value):
            raise self.wrong(key, "a string on one line")
        return value

    def script(self, key: str) -> str:
        value = self.value.get(key, "")
        if not isinstance(value, str) or "\0" in value:
            raise self.wrong(key, "a string")
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value: object = self.value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, "a number from %d to %d" % (least, most))
        return value

    def flag(self, key: str) -> bool:
        value = self.value.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def texts(self, key: str) -> List[str]:
        value = self.value.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of strings")
        return list(value)

    def items(self, key: str, make: Callable[["_At"], Item]) -> List[Item]:
        value = self.value.get(key) or []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return [make(_At(item, "%s[%d]" % ((self.path + "." + key).lstrip("."), index))) for index, item in enumerate(value)]


def _link(at: _At) -> Link:
    return Link(at.text("path"), at.text("target"))


def _share(at: _At) -> Share:
    kind, mount = at.text("kind"), at.text("mount")
    if kind not in ("identity", "key", "nfs"):
        raise at.wrong("kind", "`identity`, `key` or `nfs`")
    if not mount.startswith("/") or mount == "/" or ".." in mount.split("/"):
        raise at.wrong("mount", "an absolute path")
    vault, secret = at.optional("vault"), at.optional("secret")
    if kind == "key" and not (vault and secret):
        raise at.wrong("secret", "the vault and the secret of the key")
    modes = [at.optional(key) or default for key, default in (("file_mode", "0660"), ("directory_mode", "0770"))]
    options = at.texts("options")
    if not all(re.match(r"[a-z0-9_]+(=[A-Za-z0-9_.:/-]+)?\Z", option) for option in options):
        raise at.wrong("options", "mount options")
    return Share(
        kind, at.text("account"), at.text("host"), at.text("share"), mount.rstrip("/"), modes[0], modes[1],
        vault, secret, options, at.items("links", _link),
    )  # fmt: skip


def _user(at: _At) -> User:
    return User(at.text("name"), at.number("uid", -1, 0, 2**31), at.flag("sudo"), at.texts("groups"), at.texts("keys"))


def _step(at: _At) -> Step:
    return Step(at.text("name"), at.script("run"), at.number("retries", 0, 0, 100))


def _service(at: _At) -> Service:
    return Service(at.number("port", 0, 1, 65535), at.optional("user"))


def _secret(at: _At) -> SecretName:
    return SecretName(at.text("vault"), at.text("secret"))


def parse(text: str) -> Pool:
    """The pool that a JSON document describes."""
    try:
        at = _At(json.loads(text), "")
    except ValueError as error:
        raise Failed("pool.json: not a JSON document: %s" % error) from None
    vault = at.optional("vault")
    named = at.value.get("passwords") or {}
    if not isinstance(named, dict) or not all(isinstance(name, str) and name for name in named.values()):
        raise at.wrong("passwords", "an object of names of secrets")
    if named and not vault:
        raise at.wrong("vault", "the vault of the passwords")
    services = at.items("services", _service)
    ports = at.value.get("ports") or []
    if not isinstance(ports, list) or not all(isinstance(port, int) for port in ports):
        raise at.wrong("ports", "a list of port numbers")
    services += [Service(port, None) for port in ports if port not in {service.port for service in services}]
    limits = _At(at.value.get("limits") or {}, "limits")
    memory = limits.optional("memory")
    if memory and not re.match(r"[0-9]+[KMGT%]?\Z", memory):
        raise limits.wrong("memory", "an amount such as `16G` or `50%`")
    host_key = at.value.get("host_key")
    return Pool(
        pool=at.text("pool"),
        admin=at.text("admin"),
        client=at.optional("client"),
        health=at.number("health", HEALTH_PORT, 1, 65535),
        services=services,
        users=at.items("users", _user),
        passwords={name: SecretName(str(vault), secret) for name, secret in named.items()},
        shares=at.items("shares", _share),
        packages=at.texts("packages"),
        steps=at.items("steps", _step),
        host_key=_secret(_At(host_key, "host_key")) if host_key else None,
        limits=Limits(memory, limits.number("tasks", 0, 0, 2**22) or None),
        notice=bool(at.value.get("notice", False)),
    )


def public(pool: Pool, retired: List[Dict[str, str]]) -> Dict[str, Any]:
    """What a log-in and the health service need: no vault, no secret, no right of a person."""
    return {
        "admin": pool.admin,
        "services": [{"port": service.port, "user": service.user} for service in pool.services],
        "shares": [
            {
                "kind": share.kind,
                "mount": share.mount,
                "links": [{"path": link.path, "target": link.target} for link in share.links],
            }
            for share in pool.shares
        ],
        "retired": retired,
    }
