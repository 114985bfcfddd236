"""Runs all checks side by side; none can hold up, or bring down, the others."""

import sys
import threading
import time
from collections.abc import Callable, Mapping

from cli.display import Display
from cli.doctor.finding import AreaFinding, Findings
from cli.doctor.place import Place

CHECK_SECONDS = 8.5
"""Of one check. A single question in it has three: this is for what no deadline of its own reaches, as a DNS server."""
LOOK_SECONDS = 0.1

Check = Callable[[Place, Findings], None]
"""Looks at one area and notes what it finds."""


def examine(place: Place, checks: Mapping[str, Check], seconds: float = CHECK_SECONDS) -> list[AreaFinding]:
    """Return what the checks found, in their order; one that raises or does not end is a finding itself."""
    results = {area: Findings(area) for area in checks}
    # Daemons, and no executor's: one that hangs must not keep the process from ending.
    threads = [
        threading.Thread(target=_run, args=(check, place, results[area]), name=area, daemon=True)
        for area, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    _wait(threads, time.monotonic() + seconds)
    found: list[AreaFinding] = []
    for thread, (area, noted) in zip(threads, results.items(), strict=True):
        cut = Findings(area)
        if thread.is_alive():
            cut.unknown(
                "time",
                f"not done within {seconds:g} s, what is said above aside",
                "try again; look at what it waits for",
            )
        found += [*noted.all, *cut.all]
    return found


def _run(check: Check, place: Place, findings: Findings) -> None:
    try:
        check(place, findings)
    except Exception as error:
        findings.unknown(
            "check",
            f"this check itself failed: {type(error).__name__} in {_where(error)}",
            "please report it: the other lines hold",
        )


def _where(error: Exception) -> str:
    """Module and line: what the error says may hold a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"


def _wait(threads: list[threading.Thread], deadline: float) -> None:
    with Display(sys.stderr).wait("Looking at the system") as tick:
        while time.monotonic() < deadline:
            busy = [thread for thread in threads if thread.is_alive()]
            if not busy:
                return
            busy[0].join(LOOK_SECONDS)
            tick()
