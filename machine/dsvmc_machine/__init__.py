"""The program on a machine of a pool: reads /etc/dsvmc/pool.json and keeps the machine as described there.

It runs as root, so it follows four rules (docs/security.md has the threat model):

- Nothing below a home folder or a share is touched as root by path: `folders` becomes the person first.
- One person's key, password, link or folder never stops the machine: it becomes a problem in the status.
- Secrets are never arguments, environment variables, output or state.
- Files are written beside their place and renamed, so that a machine that stops in between keeps the old file.
"""

GROUP = "dsvmusers"
"""The group of everybody who may use the shares."""
GROUP_ID = 1900
"""The same on every machine, because NFS compares numbers."""
