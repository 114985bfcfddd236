"""What a PromQL query may ask of Prometheus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import OutOfBounds
from gateway.prometheus.bounds import MAX_POINTS, MAX_RANGE_SECONDS, Parameters, bounded
from gateway.prometheus.client import TIMEOUT_SECONDS

NOW = 1_795_216_000.0
RANGE = [("query", "up"), ("start", f"{NOW - 60}"), ("end", f"{NOW}"), ("step", "15")]


def without(name: str) -> Parameters:
    return [each for each in RANGE if each[0] != name]


@pytest.mark.parametrize(
    ("path", "parameters", "part"),
    [
        ("query_range", [*RANGE, ("start", "0")], "start is given more than once"),
        ("query_range", [("step", "1y"), *RANGE], "step is given more than once"),
        ("query", [("query", "up"), ("query", "1")], "query is given more than once"),
        ("query", [("query", "x" * 16_385)], "16384 characters"),
        ("series", [("match[]", "up")] * 65, "64 selectors"),
        ("query_range", without("step"), "needs start, end and step"),
        ("query_range", [*without("start"), ("start", "yesterday")], "start is neither"),
        ("query_range", [*without("start"), ("start", f"{NOW * 1000}")], "milliseconds"),
        ("query_range", [*without("end"), ("end", "nan")], "end is neither"),
        ("query_range", [*without("end"), ("end", "0")], "before start"),
        ("query_range", [*without("step"), ("step", "0")], "positive"),
        ("query_range", [*without("step"), ("step", "-5")], "positive"),
        ("query_range", [*without("step"), ("step", "0.0004")], "millisecond"),
        ("query_range", [*without("step"), ("step", "0.005")], "11000 points"),
        ("query_range", [*without("step"), ("step", "soon")], "step is neither"),
        ("query_range", [*without("start"), ("start", "0")], "31 days"),
        ("query", [("query", "up"), ("time", "1e300")], "milliseconds"),
        ("query", [("query", "up"), ("timeout", "0")], "positive"),
        ("labels", [("start", "9"), ("end", "8")], "before start"),
    ],
)
def test_refused(path: str, parameters: Parameters, part: str) -> None:
    with pytest.raises(OutOfBounds, match=part):
        bounded(path, parameters, NOW)


def test_prometheus_stops_when_nobody_waits_any_more() -> None:
    for given_, passed in (("60", TIMEOUT_SECONDS), ("2s", 2.0), (None, TIMEOUT_SECONDS)):
        parameters = [("query", "up"), *([("timeout", given_)] if given_ else [])]
        assert dict(bounded("query", parameters, NOW))["timeout"] == f"{passed:.3f}"


def test_names_are_those_of_the_last_31_days() -> None:
    for path in ("series", "labels", "label/job/values", "query_exemplars"):
        passed = dict(bounded(path, [("match[]", "up"), ("start", "-60000000000")], NOW))
        assert float(passed["start"]) == NOW - MAX_RANGE_SECONDS
        assert (float(passed["end"]), passed["match[]"]) == (NOW, "up")


def test_what_is_not_ours_is_passed_on() -> None:
    assert bounded("rules", [("type", "alert"), ("rule_name[]", "a"), ("rule_name[]", "b")], NOW) == [
        ("type", "alert"),
        ("rule_name[]", "a"),
        ("rule_name[]", "b"),
    ]


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.floats(NOW - 90 * 86_400, NOW).map(repr),
    st.integers().map(str),
    st.sampled_from(["15s", "1h30m", "0", "1e400", "-0", "", " 5 ", "٣", "2026-11-25T00:00:00Z"]),
    st.text(max_size=8),
)


@given(numbers, numbers, numbers)
def test_what_is_passed_on_is_within_bounds_as_prometheus_reads_it(start: str, end: str, step: str) -> None:
    try:
        passed = dict(
            bounded("query_range", [("query", "up"), ("start", start), ("end", end), ("step", step)], NOW)
        )
    except OutOfBounds:
        return
    span = float(passed["end"]) - float(passed["start"])
    assert 0 <= span <= MAX_RANGE_SECONDS + 0.001
    assert float(passed["step"]) >= 0.001
    assert span / float(passed["step"]) <= MAX_POINTS * 1.6  # of a millisecond's step, half may be rounding
