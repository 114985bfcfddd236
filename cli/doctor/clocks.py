"""The area `clocks`: whether this machine, the gateway, Prometheus and the senders of frames agree about the time."""

import time
from email.utils import parsedate_to_datetime

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import ASIDE_SECONDS, HttpAnswer, ask
from cli.doctor.place import Place
from cli.doctor.promql import series

RESOLUTION_SECONDS = 1.0
"""Of the header `Date`: it says a whole second."""
OFF_SECONDS = 2.0
"""The staleness budget: from here on live frames are judged wrongly wherever a sender's clock is not corrected for."""
EARLIEST = 1_760_000_000.0
"""October 2025, Unix seconds: this program was not there before."""
SKEWED = "sum by (node_id) (increase(cv_clock_skew_total[10m])) > 0"
SET = "set the clock by the network: timedatectl set-ntp true, or chrony; in a container it is the host's"


def check(place: Place, findings: Findings) -> None:
    """Note clocks that differ from ours."""
    now = time.time()
    if now < EARLIEST:
        findings.error("own", f"this machine's clock says {_day(now)}", SET)
    newest = _newest(place)
    if newest - now > OFF_SECONDS:
        findings.error(
            "own",
            f"files of this system are {newest - now:.0f} s from the future: was the clock put back?",
            SET,
        )
    agreeing = ["own"]
    for name, url in (("gateway", f"{place.gateway}/livez"), ("prometheus", f"{place.prometheus}/-/healthy")):
        if url.startswith("http"):
            try:
                off = offset(ask(url, seconds=ASIDE_SECONDS))
            except NoAnswer:
                continue  # its own area says so
            if judge(name, off, findings):
                agreeing.append(name)
    senders = series(place.prometheus, SKEWED)
    for labels, frames in senders:
        findings.warning(
            "senders",
            f"{labels.get('node_id', 'a worker')} had to correct the clock of the senders of {frames:.0f} frames "
            "within ten minutes",
            f"{SET}, on the machines of cameras and producers; ages are right, `timestamp` is not",
        )
    findings.ok("agree", ", ".join(agreeing))


def offset(answer: HttpAnswer) -> float | None:
    """Seconds that the clock of who answered is ahead of ours, at least; negative: behind. None: it does not say."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if theirs > answer.came:
        return theirs - answer.came
    return min(0.0, theirs + RESOLUTION_SECONDS - answer.asked)


def judge(name: str, off: float | None, findings: Findings) -> bool:
    """Note a clock that is off; returns whether it agrees with ours."""
    if off is None or abs(off) < OFF_SECONDS:
        return off is not None
    way = "ahead of" if off > 0 else "behind"
    findings.error(name, f"its clock is {abs(off):,.0f} s {way} ours", SET)
    return False


def _newest(place: Place) -> float:
    files = (place.layout.endpoints, place.layout.processes) if place.native else ()
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


def _day(now: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(now))
