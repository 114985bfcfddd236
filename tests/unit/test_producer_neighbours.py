"""By how much a producer's window grows beside those of others."""

import pytest

from contract.status import LaneLoad
from producer.lane.neighbours import FORGOTTEN_AFTER, GROWTH, Neighbours


def load(window: int, weight: float) -> LaneLoad:
    return LaneLoad(window=window, weight=weight)


def test_alone_it_grows_in_proportion_to_itself() -> None:
    assert Neighbours().gain("live", load(30, 100), 0) == pytest.approx(GROWTH * 30)
    assert Neighbours().gain("live", load(4, 0), 0) == pytest.approx(GROWTH * 4)


def test_beside_others_it_grows_by_its_cameras_share_of_all_windows() -> None:
    neighbours = Neighbours()
    neighbours.heard("b", {"live": load(90, 10), "batch": load(1000, 1000)}, 0)
    assert neighbours.gain("live", load(10, 30), 1) == pytest.approx(GROWTH * 100 * 30 / 40)


def test_who_falls_silent_or_says_goodbye_no_longer_counts() -> None:
    neighbours = Neighbours()
    neighbours.heard("b", {"live": load(90, 10)}, 0)
    neighbours.heard("c", {"live": load(90, 10)}, 5)
    neighbours.left("c")
    assert neighbours.gain("live", load(10, 10), FORGOTTEN_AFTER) == pytest.approx(GROWTH * 100 / 2)
    assert neighbours.gain("live", load(10, 10), FORGOTTEN_AFTER + 1) == pytest.approx(GROWTH * 10)
