"""The metadata service of the machine and the vaults, over HTTP. Values are returned, never printed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Dict, List, Mapping, Optional

from .config import SecretName
from .firewall import METADATA
from .system import Failed, hide, say

TIMEOUT = 20.0


class Refused(Failed):
    """A vault that answered, with something else than the secret."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token must not follow a redirection to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _open(url: str, headers: Mapping[str, str], body: Optional[bytes] = None, timeout: float = TIMEOUT) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    with opener.open(urllib.request.Request(url, data=body, headers=dict(headers)), timeout=timeout) as answer:
        return json.loads(answer.read() or b"{}")


def imds(path: str, query: Mapping[str, str], body: Optional[bytes] = None, timeout: float = TIMEOUT) -> Any:
    """What the metadata service answers. It must never be asked through a proxy, says its documentation."""
    return _open("http://%s/metadata/%s?%s" % (METADATA, path, urllib.parse.urlencode(query)), {"Metadata": "true"}, body, timeout)


def token(resource: str, client: Optional[str]) -> str:
    """A token of the pool's identity."""
    query = {"api-version": "2018-02-01", "resource": resource}
    if client:
        query["client_id"] = client
    value = str(imds("identity/oauth2/token", query)["access_token"])
    hide(value)
    return value


def secret(name: SecretName, client: Optional[str]) -> str:
    """The value of a secret. Raises `Refused` when the vault answers without it, `OSError` when it does not answer."""
    resource = "https://" + name.vault.split(".", 1)[1].rstrip("/")
    url = "https://%s/secrets/%s?api-version=7.4" % (name.vault, urllib.parse.quote(name.secret, safe=""))
    try:
        value = _open(url, {"Authorization": "Bearer " + token(resource, client)})["value"]
    except urllib.error.HTTPError as error:
        raise Refused("secret %s of %s: HTTP %d" % (name.secret, name.vault, error.code)) from None
    except (KeyError, TypeError):
        raise Refused("secret %s of %s: no value" % (name.secret, name.vault)) from None
    if not isinstance(value, str):
        raise Refused("secret %s of %s: no text" % (name.secret, name.vault))
    hide(value)
    return value


def secrets(
    wanted: Mapping[str, SecretName],
    client: Optional[str],
    patience: float,
    failed: Callable[[str, str], None],
    pause: float = 15,
) -> Dict[str, str]:
    """The values of several secrets by key. All are tried in each round, so that one that is missing delays no other.

    Roles take minutes to reach a vault, so an answer of 403 is tried again too, for `patience` seconds in all. What is
    left then goes to `failed` with the reason.
    """
    found: Dict[str, str] = {}
    waiting: List[str] = list(wanted)
    end = time.monotonic() + patience
    while waiting:
        reasons: Dict[str, str] = {}
        for key in waiting:
            try:
                found[key] = secret(wanted[key], client)
            except (Failed, OSError, ValueError, KeyError) as error:
                text = str(error) if isinstance(error, Failed) else type(error).__name__
                reasons[key] = text
        waiting = [key for key in waiting if key not in found]
        if waiting and time.monotonic() + pause > end:
            for key in waiting:
                failed(key, reasons[key])
            break
        if waiting:
            say("waiting for %d secrets: %s" % (len(waiting), reasons[waiting[0]]))
            time.sleep(pause)
    return found
