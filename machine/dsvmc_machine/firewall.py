"""Which processes may reach what is the platform's: the metadata service, the wire server, file servers.

The metadata service answers every process of a machine
(https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service: "unauthenticated and open to all processes
on the VM"), so without these rules every person has the pool's identity. NFS with `sec=sys` believes the uid that a client
states, so a person who reaches the server is anybody.

`meta skuid` matches sockets of processes only: a socket of the kernel itself, as of a mount, has no file, and then the
rule does not match (Linux, net/netfilter/nft_meta.c, nft_meta_get_eval_skugid). xt_owner's inverted match does match
them and would cut the mounts.
"""

from __future__ import annotations

from . import paths
from .config import Pool
from .system import Failed, again, installed, run, write

METADATA = "169.254.169.254"
WIRE_SERVER = "168.63.129.16"
FILES = "139, 445, 2049, 20049-21049"
"""SMB and its older port, to which clients fall back; NFS, and the local ends of the TLS tunnels of aznfs (Azure/AZNFS-mount, src/nfsv4mountscript.sh)."""


def ruleset(health_port: int) -> str:
    """The rules as one transaction that replaces the earlier ones.

    The wire server is also name server and DHCP server
    (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16); the client port of DHCP, 68,
    cannot be taken by a person. The health port is for the agent of the platform, which is root, and for probes from
    outside, which do not pass the output chain.
    """
    return """# Made by dsvmc. Loaded before the network is up.
table inet dsvmc
delete table inet dsvmc
table inet dsvmc {
  chain output {
    type filter hook output priority filter - 10; policy accept;
    ip daddr %(wire)s meta l4proto { tcp, udp } th dport 53 accept
    ip daddr %(wire)s udp sport 68 udp dport 67 accept
    ip daddr { %(metadata)s, %(wire)s } meta skuid != 0 reject
    meta l4proto { tcp, udp } th dport { %(files)s } meta skuid != 0 reject
    oif "lo" tcp dport %(health)d meta skuid != 0 reject with tcp reset
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    ip daddr %(wire)s meta l4proto { tcp, udp } th dport 53 accept
    ip daddr { %(metadata)s, %(wire)s } reject
    meta l4proto { tcp, udp } th dport { %(files)s } reject
  }
}
""" % {
        "wire": WIRE_SERVER,
        "metadata": METADATA,
        "files": FILES,
        "health": health_port,
    }


def apply(pool: Pool) -> None:
    """Loads the rules and keeps them for the next start. Without them no account is made: a failure stops the setup."""
    if not installed("nft"):
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        lock = ("-o", "DPkg::Lock::Timeout=300")
        again("list of packages", lambda: run("apt-get", "update", "-q", *lock, environment=environment))
        again("nftables", lambda: run("apt-get", "install", "-yq", *lock, "nftables", environment=environment), times=5)
    write(paths.FIREWALL, ruleset(pool.health), 0o600)
    try:
        run("nft", "-f", paths.FIREWALL)
    except Failed as error:
        raise Failed("the rules that keep people from the pool's identity could not be loaded: %s" % error) from None
