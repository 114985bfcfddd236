"""This machine, as far as this process may use it."""

from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Machine:
    """Cores (whole ones) and memory in bytes."""

    cores: int
    memory: int


def this_machine(cgroup: Path = CGROUP) -> Machine:
    """Return cores by affinity and memory, both within the container's limits (cgroup v2) where there are any."""
    cores = len(psutil.Process().cpu_affinity())
    memory = int(psutil.virtual_memory().total)
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = max(1, min(cores, int(quota) // int(period)))
    limit = _read(cgroup / "memory.max")
    return Machine(cores, min(memory, int(limit)) if limit.isdigit() else memory)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
