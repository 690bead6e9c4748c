"""Passwords, keys of shares, tickets and the host key: fetched with the pool's identity, kept where only root reads."""

from __future__ import annotations

import re
from typing import Dict

from . import accounts, metadata, paths, ssh
from .config import Pool, SecretName
from .state import State
from .system import CommandFailed, Failed, Problems, again, read, remove, run, write

_HASH = re.compile(r"\$(?:y|6)\$[A-Za-z0-9./=,$]+\Z")
LONGEST = 512


def credentials_path(account: str) -> str:
    """The file that mount.cifs reads the key of a storage account from."""
    return "/etc/dsvmc/%s.credentials" % account


def password(value: str) -> str:
    """The password in a secret: one final newline is dropped, which tools add. Raises `ValueError` with the reason.

    chpasswd reads one account a line, so a newline inside would set the password of somebody else.
    """
    for ending in ("\r\n", "\n"):
        if value.endswith(ending):
            value = value[: -len(ending)]
            break
    if not value:
        raise ValueError("is empty")
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value):
        raise ValueError("contains a control character")
    if len(value.encode()) > LONGEST:
        raise ValueError("is longer than %d bytes" % LONGEST)
    return value


def set_password(name: str, value: str) -> None:
    """Sets a password, or the hash that the secret holds (`$y$` or `$6$`). Raises `Failed` with the reason."""
    try:
        value = password(value)
    except ValueError as error:
        raise Failed("the password %s" % error) from None
    if accounts.by_name(name) is None:
        raise Failed("there is no account for the password")
    options = ["-e"] if _HASH.match(value) else []
    try:
        run("chpasswd", *options, typed="%s:%s\n" % (name, value))
    except CommandFailed as error:
        raise Failed("the password was refused: chpasswd exited with code %d" % error.code) from None


def passwords(pool: Pool, state: State, problems: Problems, patience: float) -> None:
    """Sets everybody's password. What one person lacks is a problem of that person; an earlier password stays valid."""
    for name in list(state.passwords):
        if name not in pool.passwords and accounts.by_name(name) is not None:
            run("usermod", "-L", name)
            state.passwords.remove(name)
    wanted = {name: secret for name, secret in pool.passwords.items() if name == pool.admin or name in state.users}
    values = metadata.secrets(wanted, pool.client, patience, lambda name, why: problems.add(name, "no password: " + why))
    for name, value in values.items():
        try:
            set_password(name, value)
        except Failed as error:
            problems.add(name, str(error))
            continue
        if name not in state.passwords:
            state.passwords.append(name)
    state.save()


def share_keys(pool: Pool, state: State, patience: float) -> None:
    """Writes the keys of the SMB shares that use one. With an earlier key at hand, a vault that fails stops nothing."""
    wanted: Dict[str, SecretName] = {}
    for share in pool.shares:
        if share.kind == "key" and share.vault and share.secret:
            wanted[share.account] = SecretName(share.vault, share.secret)
    for account in list(state.keyed):
        if account not in wanted:
            remove(credentials_path(account))
            state.keyed.remove(account)
    missing: Dict[str, str] = {}
    values = metadata.secrets(wanted, pool.client, patience, missing.__setitem__)
    for account, value in values.items():
        try:
            key = password(value)
        except ValueError as error:
            missing[account] = "the key %s" % error
            continue
        write(credentials_path(account), "username=%s\npassword=%s\n" % (account, key), 0o600)
        if account not in state.keyed:
            state.keyed.append(account)
    state.save()
    lost = {account: why for account, why in missing.items() if read(credentials_path(account)) is None}
    if lost:
        raise Failed("no key for a share: " + "; ".join("%s: %s" % item for item in sorted(lost.items())))


def tickets(pool: Pool, times: int = 20) -> None:
    """Tickets for the SMB shares that use the identity; a service of azfilesauth renews them."""
    hosts = sorted({share.host for share in pool.shares if share.kind == "identity"})
    for host in hosts:
        again(
            "ticket for " + host,
            lambda: run("azfilesauthmanager", "set", "https://" + host, "--imds-client-id", pool.client or "", timeout=120),
            times=times,
        )
    if hosts:
        run("systemctl", "enable", "--now", "azfilesrefresh.service")


def ticket_owner() -> str:
    """The uid whose cache holds the tickets, as azfilesauth's README says to read it."""
    found = re.search(r"^\s*USER_UID\s*:\s*['\"]?(\d+)", read(paths.AZFILES) or "", re.M)
    return found.group(1) if found else "0"


def host_key(pool: Pool, patience: float) -> None:
    """Makes sshd present the host key of the pool. Raises `Failed` when a new machine cannot have it."""
    if pool.host_key is None:
        remove(paths.HOST_KEY)
        remove(paths.HOST_KEY + ".pub")
        ssh.apply(False)
        return
    missing: Dict[str, str] = {}
    values = metadata.secrets({"host key": pool.host_key}, pool.client, patience, missing.__setitem__)
    if "host key" in values:
        ssh.apply(True, ssh.install_host_key(values["host key"]))
    elif read(paths.HOST_KEY) is None:
        raise Failed("no host key: " + missing["host key"])
