"""What the last setup left on this machine, so that the next one can remove what is no longer described."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Dict, List

from . import paths
from .system import Failed, read, write


@dataclass
class State:
    """Kept in a file that only root can read. It holds no secret."""

    users: Dict[str, int] = field(default_factory=dict)
    """Accounts in use, with their uids."""
    removed: Dict[str, int] = field(default_factory=dict)
    """Accounts whose access was taken away; their files stay."""
    groups: Dict[str, List[str]] = field(default_factory=dict)
    """Groups that this program added a person to."""
    passwords: List[str] = field(default_factory=list)
    """People whose password came from a vault."""
    keyed: List[str] = field(default_factory=list)
    """Accounts of storage whose key is in a file for mounts."""
    mounts: Dict[str, str] = field(default_factory=dict)
    """Mount points, each with its line of the file system table."""
    steps: Dict[str, str] = field(default_factory=dict)
    """Steps that came to their end, each with the hash of its text."""
    links: List[Dict[str, str]] = field(default_factory=list)
    """Links of the last setup: `path`, `target`, `mount`."""
    retired: List[Dict[str, str]] = field(default_factory=list)
    """Links of earlier setups that are no longer described."""

    def save(self) -> None:
        """Writes the state; called after each part of a setup, so that a failure loses nothing."""
        write(paths.STATE, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", 0o600)


def load() -> State:
    """The state, empty on a new machine. A damaged file stops the setup: who had access would be forgotten."""
    text = read(paths.STATE)
    if text is None:
        return State()
    try:
        return State(**json.loads(text))
    except (ValueError, TypeError):
        raise Failed(
            "%s is damaged; reimage this machine, or remove the file and check its accounts by hand" % paths.STATE
        ) from None
