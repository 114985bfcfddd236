"""The area `processes`: which of the processes of `make up` run; and where there is nothing, that nothing runs."""

import psutil

from cli.doctor.finding import Findings
from cli.doctor.place import Place
from cli.survivors import Started, start_time

START = "start it with `make up`; with Compose ask there: docker compose exec gateway framefleet doctor"


def check(place: Place, findings: Findings) -> None:
    """Note who runs, who has ended, and who is stopped."""
    for found, todo in place.troubles:
        findings.error("files", found, todo)
    if not place.native:
        findings.ok(
            "container", f"this is the {place.image} container; others are seen through what they answer"
        )
        return
    if place.original is not None:
        findings.error(
            "copy",
            f"this folder is a copy, and the system runs in the original: {place.original}",
            "run this there",
        )
        return
    alive = [each for each in place.processes if start_time(each.pid) == each.start_time]
    if place.supervisor is None:
        _without_supervisor(place, alive, findings)
        return
    if not place.gateway and not any(trouble for trouble in place.troubles):
        findings.warning(
            "start",
            f"`make up` (pid {place.supervisor}) has not got as far as its link",
            "wait a minute, then look at where it was started, and into .run/logs/",
        )
    _each(place, alive, findings)


def _without_supervisor(place: Place, alive: list[Started], findings: Findings) -> None:
    if alive:
        names = ", ".join(each.name for each in alive)
        findings.error(
            "left over",
            f"`make up` was killed; {len(alive)} processes of it go on unwatched: {names}",
            "`make down` ends them; `make up` ends them and starts again. Nothing is lost",
        )
    elif place.killed:
        findings.error("killed", "the last run was killed, and nothing of it is left", START)
    elif place.named:
        findings.ok(
            "elsewhere", "nothing runs in this checkout: this looks at what AMQP_URL and PROMETHEUS_URL name"
        )
    else:
        findings.error("nothing", "no system runs in this checkout", START)


def _each(place: Place, alive: list[Started], findings: Findings) -> None:
    for process in place.processes:
        if process not in alive:
            findings.error(
                process.name,
                f"it has ended (pid {process.pid})",
                f"it is started again by itself; if it stays so: the last lines of .run/logs/{process.name}.log",
            )
        elif _stopped(process.pid):
            findings.error(
                process.name,
                f"it is stopped and does nothing (pid {process.pid})",
                f"kill -CONT {process.pid}, if nobody is looking at it with a debugger",
            )
    if alive:
        findings.ok("running", f"{len(alive)} processes: {', '.join(each.name for each in alive)}")


def _stopped(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False
