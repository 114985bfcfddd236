"""From samples and their results to who was there when; which windows hold a time."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.video.timeline import Faces, HeldResult, Presence, presences, shown
from batch.video.windows import Windows


@dataclass
class Seen:
    index: int
    time: float
    reuse_of: int | None = None


def test_neighbours_with_one_result_are_one_stretch() -> None:
    samples = [Seen(0, 0.0), Seen(1, 0.1, 0), Seen(2, 0.2, 0), Seen(3, 0.3), Seen(4, 0.4, 0), Seen(5, 0.5, 0)]
    assert list(shown(samples)) == [
        HeldResult(0, 0.0, 0.2),
        HeldResult(3, 0.3, 0.3),
        HeldResult(0, 0.4, 0.5),
    ]
    assert list(shown([])) == []


def test_sightings_within_the_gap_are_one_presence() -> None:
    held = [
        HeldResult(0, 0.0, 2.0),
        HeldResult(1, 2.1, 2.9),
        HeldResult(2, 3.0, 4.0),
        HeldResult(3, 5.1, 6.0),
    ]
    found = {0: Faces(1, 0.9), 1: Faces(0, 0.0), 2: Faces(2, 0.7), 3: Faces(1, 0.8)}
    assert list(presences(held, found.get)) == [
        Presence(0.0, 4.0, 2, 0.9, 2),
        Presence(5.1, 6.0, 1, 0.8, 3),
    ]
    assert list(presences(held, found.get, gap=2.0)) == [Presence(0.0, 6.0, 2, 0.9, 2)]


def test_a_sample_that_failed_shows_nobody() -> None:
    held = [HeldResult(0, 0.0, 1.0), HeldResult(1, 1.1, 9.0)]
    assert list(presences(held, {0: Faces(1, 0.9)}.get)) == [Presence(0.0, 1.0, 1, 0.9, 0)]


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), max_size=50), st.floats(0, 3))
def test_presences_are_in_order_apart_and_hold_all_that_was_seen(
    steps: list[tuple[float, int]], gap: float
) -> None:
    time, samples, found = 0.0, [], {}
    for index, (step, faces) in enumerate(steps):
        time += step
        samples.append(Seen(index, time))
        found[index] = Faces(faces, 0.5)
    there = list(presences(shown(samples), found.get, gap))
    assert all(later.started - earlier.ended > gap for earlier, later in itertools.pairwise(there))
    for sample in samples:
        inside = any(one.started <= sample.time <= one.ended for one in there)
        assert inside or not found[sample.index].count


@given(st.floats(0.5, 60), st.floats(0, 0.5), st.lists(st.floats(0, 30), min_size=1, max_size=50))
def test_every_time_is_in_a_window_and_what_is_short_lies_in_one(
    length: float, share: float, steps: list[float]
) -> None:
    windows, time = Windows(length, length * share), 0.0
    members: dict[int, list[float]] = {}
    for step in steps:
        time += step
        numbers = windows.at(time)
        assert 1 <= len(numbers) <= 3
        for number in numbers:
            members.setdefault(number, []).append(time)
    assert all(times[-1] - times[0] <= length for times in members.values())


def test_an_action_as_long_as_the_overlap_is_never_cut() -> None:
    windows = Windows(15.0, 3.0)
    held = [set(windows.at(n / 10)) for n in range(1000)]
    assert all(held[n] & held[n + 29] for n in range(900))


def test_a_cut_begins_a_window_that_shares_nothing() -> None:
    windows = Windows(10.0, 5.0)
    assert windows.at(6.0) == (0, 1)
    windows.cut(7.0)
    assert windows.at(7.0) == (2,)
    assert windows.at(12.5) == (2, 3)


def test_a_jump_of_years_costs_nothing() -> None:
    assert Windows(15.0, 3.0).at(3e9) == pytest.approx((249_999_999, 250_000_000))
