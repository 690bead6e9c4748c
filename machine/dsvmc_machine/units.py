"""Files of the system that this program owns: units of systemd, PAM, profiles, limits."""

from __future__ import annotations

import os
from typing import Dict

from . import paths
from .config import Limits, Pool
from .system import remove, run, succeeds, write

SYSTEM = "/etc/systemd/system/"
PYTHON = "/usr/bin/python3 -I " + paths.PROGRAM
SANDBOX = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
"""
JUPYTER = '{"NotebookNotary": {"db_file": ":memory:"}}\n'
"""Databases of Jupyter stay off the shares: SMB has no byte-range locks that SQLite could use."""
PROFILE = (
    """# Made by dsvmc: folders on the shares for people whose log-in did not pass PAM.
[ "$(id -u)" -ge 1000 ] && timeout 5 %s folders >/dev/null 2>&1 || true
"""
    % PYTHON
)
PAM = (
    """Name: dsvmc folders of a pool
Default: yes
Priority: 0
Account-Type: Additional
Account:
\toptional\tpam_exec.so quiet type=account /usr/bin/timeout 10 /usr/bin/python3 -I %s folders
"""
    % paths.PROGRAM
)


def texts(pool: Pool) -> Dict[str, str]:
    """Each file with its content; all may be read by everybody."""
    files = {
        "/etc/tmpfiles.d/dsvmc.conf": "d %s 0755 root root -\n" % paths.RUN,
        SYSTEM
        + "dsvmc-firewall.service": """[Unit]
Description=dsvmc: only root reaches the platform's services
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target ssh.service ssh.socket cron.service
After=nftables.service ufw.service firewalld.service local-fs.target
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f %s

[Install]
WantedBy=sysinit.target
"""
        % paths.FIREWALL,
        SYSTEM
        + "dsvmc-boot.service": """[Unit]
Description=dsvmc: proof of identity and mounts after a start
ConditionPathExists=%s
Wants=network-online.target
After=network-online.target dsvmc-firewall.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%s boot
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
"""
        % (paths.READY, PYTHON),
        SYSTEM
        + "dsvmc-health.socket": """[Unit]
Description=dsvmc: health and readiness of this machine
DefaultDependencies=no
Before=sockets.target ssh.service shutdown.target
After=sysinit.target
Conflicts=shutdown.target

[Socket]
ListenStream=%d
Backlog=4096
NoDelay=yes
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
"""
        % pool.health,
        SYSTEM
        + "dsvmc-health.service": """[Unit]
Description=dsvmc: health and readiness of this machine
Requires=dsvmc-health.socket
StartLimitIntervalSec=0

[Service]
ExecStart=%s health
Restart=always
RestartSec=1
DynamicUser=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
MemoryMax=256M
TasksMax=16
OOMScoreAdjust=-900
%s"""
        % (PYTHON, SANDBOX),
        "/etc/jupyter/jupyter_server_config.d/dsvmc.json": JUPYTER,
        "/etc/jupyter/jupyter_notebook_config.d/dsvmc.json": JUPYTER,
        "/etc/profile.d/dsvmc.sh": PROFILE,
        "/usr/share/pam-configs/dsvmc": PAM,
    }
    if pool.notice:
        files[SYSTEM + "dsvmc-events.service"] = (
            """[Unit]
Description=dsvmc: warns people before the platform takes this machine away
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=%s events
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
            % PYTHON
        )
    if pool.limits != Limits(None, None):
        files[SYSTEM + "user-.slice.d/50-dsvmc.conf"] = limits(pool.limits)
    return files


def limits(limits: Limits) -> str:
    """The drop-in for the slice of each person (systemd.resource-control(5))."""
    text = "[Slice]\n"
    if limits.memory:
        text += "MemoryMax=%s\n" % limits.memory
    if limits.tasks:
        text += "TasksMax=%d\n" % limits.tasks
    return text


OPTIONAL = (SYSTEM + "dsvmc-events.service", SYSTEM + "user-.slice.d/50-dsvmc.conf")


def apply(pool: Pool) -> None:
    """Brings the files up to date and starts what is new; what did not change is not restarted."""
    files = texts(pool)
    if not pool.notice:
        succeeds("systemctl", "disable", "--now", "dsvmc-events.service")
    changed = {path for path in OPTIONAL if path not in files and remove(path)}
    changed |= {path for path, text in files.items() if write(path, text, 0o644)}
    os.makedirs(paths.RUN, 0o755, exist_ok=True)
    if "/usr/share/pam-configs/dsvmc" in changed:
        run("pam-auth-update", "--package", "--enable", "dsvmc", environment={"DEBIAN_FRONTEND": "noninteractive"})
    if any(path.startswith(SYSTEM) for path in changed):
        run("systemctl", "daemon-reload")
    run("systemctl", "enable", "dsvmc-firewall.service", "dsvmc-boot.service")
    if SYSTEM + "dsvmc-health.socket" in changed:
        run("systemctl", "stop", "dsvmc-health.service", "dsvmc-health.socket")
    run("systemctl", "enable", "--now", "dsvmc-health.socket")
    run("systemctl", "try-restart", "dsvmc-health.service")
    if pool.notice:
        run("systemctl", "enable", "dsvmc-events.service")
        run("systemctl", "restart", "dsvmc-events.service")
