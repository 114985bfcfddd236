"""How much of a core a process keeps while others want it whole: the kernel's scheduler shares, and it shares at once.

A batch worker that computes as it can would take half of the core of each live worker; the client of a job adds to
that. The weight of a nice value n is 1024 / 1.25^n (Linux, kernel/sched/core.c); who does not run costs nothing, and
who has more weight goes first.
"""

import math
import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
STEP = 1.25
LOWEST = 19


def nice_for(share: float) -> int:
    """The nice value at which a process keeps about that share, 0 to 1, of a core beside one of the usual weight."""
    if share >= 0.5:
        return 0
    if share <= 0:
        return LOWEST
    return min(LOWEST, round(math.log((1 - share) / share, STEP)))


def give_way(share: float) -> int:
    """Let others of this machine go first, from now on; returns the nice value. Call it before there are threads: it is
    the calling thread's, and of those that it starts.

    Where the kernel groups processes by session (autogroup), a nice value counts only within the group: then the group
    gets it, if it is this process's own.
    """
    wanted = nice_for(share)
    value = os.nice(wanted)  # added to that of whoever started it, and so of the live workers beside it
    group_gives_way(wanted)
    return value


def group_gives_way(nice: int) -> None:
    """Let this process's session have that nice value among others, where the kernel groups and it is its own."""
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # the kernel does not group
            AUTOGROUP.write_text(str(nice))
