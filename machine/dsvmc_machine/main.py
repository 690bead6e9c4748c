"""The commands of the program."""

from __future__ import annotations

import os
import sys

USAGE = """usage: machine.py COMMAND

setup    make this machine as /etc/dsvmc/pool.json describes it; may be run again at any time
boot     proof of identity and mounts after a start
health   answer on the health port (started by systemd)
events   listen to scheduled events (started by systemd)
folders  folders and links of whoever logs in (started by PAM or a shell)
status   print what this machine carries, as JSON
"""


def main() -> None:
    """Runs the command in the arguments. Each one imports only what it needs: `folders` is part of every log-in."""
    os.umask(0o022)
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command == "folders":
        from . import login

        try:
            login.run(os.environ)
        except Exception:  # a log-in never fails for the sake of a folder
            pass
    elif command == "health":
        from . import health

        health.main()
    elif command in ("setup", "boot", "events", "status"):
        if os.geteuid() != 0:
            raise SystemExit("dsvmc: `%s` is for root" % command)
        from . import events, setup
        from .system import Failed

        try:
            {"setup": setup.setup, "boot": setup.boot, "events": events.main, "status": setup.status}[command]()
        except Failed as error:
            raise SystemExit("dsvmc: failed at %s: %s" % (command, error)) from None
    else:
        raise SystemExit(USAGE)
