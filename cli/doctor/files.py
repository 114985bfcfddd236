"""The area `file limits`: how many files each process may have open, and how many it has."""

import resource

import psutil

from cli.doctor.finding import Findings
from cli.doctor.place import Place
from cli.doctor.promql import series
from cli.survivors import start_time

FEW = 1_024
TIGHT = 0.8
USE = "process_open_fds / process_max_fds > 0.8"
RAISE = "raise it: ulimit -n 65536 before `make up`, LimitNOFILE= in a unit, ulimits: in Compose"


def check(place: Place, findings: Findings) -> None:
    """Note limits that are low, and processes that come near theirs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW:
        findings.warning("this shell", f"{soft} open files, {hard} at most", RAISE)
    else:
        findings.ok("this shell", f"{soft:,} open files")
    looked = 0
    for process in place.processes:
        if start_time(process.pid) != process.start_time:
            continue
        try:
            seen = psutil.Process(process.pid)
            judge(process.name, seen.num_fds(), seen.rlimit(psutil.RLIMIT_NOFILE)[0], findings)
            looked += 1
        except (psutil.Error, OSError):
            continue  # it has ended, or is another user's
    if looked:
        findings.ok("processes", f"{looked} looked at")
    else:
        for labels, share in series(place.prometheus, USE):
            _near(f"{labels.get('job', '')} {labels.get('instance', '')}", share, findings)


def judge(name: str, used: int, limit: int, findings: Findings) -> None:
    """Note a process that has nearly all the files open that it may have. A limit below 0 is none."""
    if limit > 0 and used > TIGHT * limit:
        _near(name, used / limit, findings)


def _near(name: str, share: float, findings: Findings) -> None:
    findings.error(name, f"{share:.0%} of the files that it may have open are open", RAISE)
