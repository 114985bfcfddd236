"""How much a PromQL query may ask of Prometheus, which everybody shares. Pure: times in Unix seconds."""

from collections import Counter

from gateway.errors import OutOfBounds
from gateway.prometheus.client import TIMEOUT_SECONDS
from gateway.times import parse_duration, parse_time

MAX_RANGE_SECONDS = 31 * 86_400.0
MAX_POINTS = 11_000
MAX_MATCHERS = 64
MAX_QUERY = 16_384
SMALLEST = 0.001  # Prometheus counts in milliseconds
MAX_TIME = 1e11  # as in tasks: beyond, somebody wrote milliseconds

Parameters = list[tuple[str, str]]


def bounded(path: str, parameters: Parameters, now: float) -> Parameters:
    """The parameters to pass on; times and steps as they were understood here. Raises OutOfBounds.

    Prometheus takes the first of several values: were they not refused, one could be checked and another one used.
    """
    counts = Counter(name for name, _ in parameters)
    if several := [name for name, count in counts.items() if count > 1 and not name.endswith("[]")]:
        raise OutOfBounds(f"{several[0][:64]} is given more than once")
    if counts["match[]"] > MAX_MATCHERS:
        raise OutOfBounds(f"more than {MAX_MATCHERS} selectors in match[]")
    values = dict(parameters)
    if len(values.get("query", "")) > MAX_QUERY:
        raise OutOfBounds(f"the query has more than {MAX_QUERY} characters")
    start = _time("start", values["start"]) if "start" in values else None
    end = _time("end", values["end"]) if "end" in values else None
    if start is not None and end is not None and end < start:
        raise OutOfBounds("end lies before start")
    ours: dict[str, float] = {}
    if path in ("query", "query_range"):
        ours["timeout"] = _timeout(values)
    if path == "query" and "time" in values:
        ours["time"] = _time("time", values["time"])
    if path == "query_range":
        if start is None or end is None or "step" not in values:
            raise OutOfBounds("a range query needs start, end and step")
        ours |= {"start": start, "end": end, "step": _duration("step", values["step"])}
        _check_range(start, end, ours["step"])
    elif path in ("series", "labels", "query_exemplars") or path.startswith("label/"):
        # promtool asks for all times there are: it gets the names of the last 31 days.
        end = now if end is None else min(end, now)
        start = max(end - MAX_RANGE_SECONDS, start if start is not None else end - MAX_RANGE_SECONDS)
        ours |= {"start": start, "end": max(start, end)}
    kept = [(name, value) for name, value in parameters if name not in ours]
    return [*kept, *((name, f"{value:.3f}") for name, value in ours.items())]


def _timeout(values: dict[str, str]) -> float:
    """Prometheus is not to go on computing when nobody waits any more."""
    if "timeout" not in values:
        return TIMEOUT_SECONDS
    seconds = _duration("timeout", values["timeout"])
    if seconds < SMALLEST:
        raise OutOfBounds("timeout must be positive, and a millisecond at least")
    return min(seconds, TIMEOUT_SECONDS)


def _check_range(start: float, end: float, step: float) -> None:
    if end - start > MAX_RANGE_SECONDS:
        raise OutOfBounds("the range is longer than 31 days: ask for a part of it")
    if step < SMALLEST:
        raise OutOfBounds("step must be positive, and a millisecond at least")
    if (end - start) / step > MAX_POINTS:
        raise OutOfBounds(f"more than {MAX_POINTS} points: take a longer step or a shorter range")


def _time(name: str, text: str) -> float:
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        raise OutOfBounds(f"{name} is neither Unix seconds nor an RFC 3339 time") from None
    if abs(moment) > MAX_TIME:
        raise OutOfBounds(f"{name} is beyond all times: Unix seconds are meant, not milliseconds")
    return moment


def _duration(name: str, text: str) -> float:
    try:
        return parse_duration(text)
    except (ValueError, OverflowError):
        raise OutOfBounds(f"{name} is neither a number of seconds nor a duration like 15s") from None
