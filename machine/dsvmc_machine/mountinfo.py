"""What is mounted, read from the kernel's table, which cannot hang."""

from __future__ import annotations

import re
from typing import Dict

from .system import read


def mounted() -> Dict[str, str]:
    """The file system type of each mount point (proc_pid_mountinfo(5))."""
    found = {}
    for entry in (read("/proc/self/mountinfo") or "").splitlines():
        fields = entry.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), fields[4])
        found[point] = fields[fields.index("-") + 1]
    return found
