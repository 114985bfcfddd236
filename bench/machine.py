"""What machine this is, for the head of every report, and what a process costs it."""

import contextlib
import os
import platform
import subprocess
import time
from pathlib import Path

CPUCLOCK_SCHED = 2
"""Of Linux's dynamic clock ids (include/linux/posix-timers.h): what the scheduler counted, in nanoseconds."""


def facts() -> str:
    """One line: processor, cores, memory, kernel, Python, RabbitMQ."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    rabbitmq = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, RabbitMQ {rabbitmq or 'unknown'}"
    )


def cpu_seconds(pid: int) -> float:
    """User and system time that all threads of a process have used so far, those that ended included.

    `/proc/PID/stat` has it in ticks of 10 ms only. The clock's id is that of clock_getcpuclockid(3).
    """
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def resident_megabytes(pid: int) -> tuple[float, float]:
    """Resident memory of a process: now, and at most so far."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(status[name].split()[0]) / 1000 for name in ("VmRSS", "VmHWM"))
    return now, most


def family(pid: int) -> list[int]:
    """The processes that the process has started and those that they have, itself not among them."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            # The name in brackets may contain anything, spaces and brackets too.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = children.get(pid, [])
    for process in found:  # grows on the way
        found += children.get(process, [])
    return found


def resident(pid: int) -> float:
    """Resident megabytes of a process; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def idle_seconds() -> float:
    """What all cores of the machine together have not used so far (proc(5), /proc/stat)."""
    _user, _nice, _system, idle, waiting = map(int, Path("/proc/stat").read_text().split(maxsplit=6)[1:6])
    return (idle + waiting) / os.sysconf("SC_CLK_TCK")
