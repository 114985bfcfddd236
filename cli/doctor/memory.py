"""The area `memory`: of this machine, or of this container."""

from pathlib import Path

import psutil

from cli.console import size
from cli.doctor.finding import Findings
from cli.doctor.place import Place

CGROUP = Path("/sys/fs/cgroup")
LITTLE, HARDLY_ANY = 0.10, 0.04
"""Shares of the memory that can still be had: a warning, an error."""
FEWER = "fewer workers (about 80 MB each), a smaller WORKER_MAX_PIXELS, or more memory"


def check(_place: Place, findings: Findings, cgroup: Path = CGROUP) -> None:
    """Note how much can still be had, and whom the kernel has killed for want of it."""
    machine = psutil.virtual_memory()
    judge("machine", machine.available, machine.total, findings)
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is not None and used is not None and limit < machine.total:
        # Of what a container uses, files that are only cached can be had at once.
        cached = _field(cgroup / "memory.stat", "inactive_file")
        judge("container", limit - used + cached, limit, findings)
    if kills := _field(cgroup / "memory.events", "oom_kill"):
        findings.warning("killed", f"the kernel has killed {kills} processes here for want of memory", FEWER)


def judge(name: str, available: int, total: int, findings: Findings) -> None:
    """Note what of `total` bytes can still be had."""
    said = f"{size(available)} of {size(total)} can be had"
    if available < HARDLY_ANY * total:
        findings.error(name, said, FEWER)
    elif available < LITTLE * total:
        findings.warning(name, said, FEWER)
    else:
        findings.ok(name, said)


def _number(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _field(file: Path, name: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    found = [line.split() for line in lines if line.startswith(f"{name} ")]
    return int(found[0][1]) if found and found[0][1].isdigit() else 0
