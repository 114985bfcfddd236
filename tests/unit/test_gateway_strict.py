"""Parameters that no route knows, and those that are given twice."""

import pytest

from gateway.http.strict import unexpected

KNOWN = {"limit": False, "cursor": False, "state": True}


@pytest.mark.parametrize(
    ("names", "faults"),
    [
        ([], []),
        (["limit", "cursor", "state", "state"], []),
        (["stat"], ["unknown parameter stat: did you mean state?"]),
        (["stat", "stat"], ["unknown parameter stat: did you mean state?"]),
        (["wall"], ["unknown parameter wall: there are limit, cursor, state"]),
        (["Limit"], ["unknown parameter Limit: did you mean limit?"]),
        (["limit", "limit"], ["limit is given more than once"] * 1),
        (["", "\0"], ["unknown parameter : there are limit, cursor, state"]),
    ],
)
def test_unexpected(names: list[str], faults: list[str]) -> None:
    assert unexpected(names, KNOWN)[: len(faults) or None] == faults


def test_a_long_name_is_cut_and_many_faults_too() -> None:
    faults = unexpected([f"{n}{'x' * 1000}" for n in range(50)], KNOWN)
    assert len(faults) == 10
    assert max(map(len, faults)) < 150


def test_a_route_without_parameters_says_so() -> None:
    assert unexpected(["x"], {}) == ["unknown parameter x: there are none"]
