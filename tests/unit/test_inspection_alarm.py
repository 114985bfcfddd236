"""States that do not flap, and what is usual."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.inspection.alarm import Alarm, Baseline
from producer.inspection.frozen import LONGEST_PATIENCE, PATIENCE, Frozen


def test_an_alarm_rises_and_falls_only_after_its_time() -> None:
    alarm = Alarm(10.0, 5.0)
    assert [alarm.look(True, t) for t in (0, 5, 9.9, 10)] == [False, False, False, True]
    assert [alarm.look(False, t) for t in (11, 13, 15.9, 16)] == [True, True, True, False]


def test_one_look_that_differs_begins_the_time_anew() -> None:
    alarm = Alarm(10.0, 5.0)
    looks = [(True, 0), (True, 9), (False, 9.5), (True, 10), (True, 19.9), (True, 20)]
    assert [alarm.look(suspect, now) for suspect, now in looks] == [False] * 5 + [True]


def test_two_looks_are_not_enough_however_far_apart() -> None:
    alarm = Alarm(10.0, 5.0)
    assert [alarm.look(True, t) for t in (0, 100, 200)] == [False, False, True]


def test_time_away_does_not_count() -> None:
    alarm = Alarm(10.0, 5.0)
    for t in (0, 1, 2):
        alarm.look(True, t)
    alarm.restart()
    assert [alarm.look(True, t) for t in (100, 105, 109, 110)] == [False, False, False, True]


@given(st.lists(st.booleans(), max_size=200))
def test_it_changes_only_after_as_many_looks_that_agree(looks: list[bool]) -> None:
    alarm, was = Alarm(3.0, 2.0, looks=3), False
    for now, suspect in enumerate(looks):
        on = alarm.look(suspect, now)
        if on != was:
            assert all(look == on for look in looks[max(0, now - 2) : now + 1])
        was = on


def test_a_baseline_is_none_until_it_has_learned() -> None:
    baseline = Baseline(100.0, enough=3)
    seen = []
    for now, value in enumerate((2.0, 8.0, 4.0)):
        baseline.learn(value, now)
        seen.append(baseline.value)
    assert seen[:2] == [None, None]
    assert seen[2] == pytest.approx(4.0)  # the geometric mean


@pytest.mark.parametrize("interval", [1.0, 10.0, 50.0])
def test_a_baseline_forgets_by_time_not_by_looks(interval: float) -> None:
    baseline = Baseline(1000.0)
    looks = round(1000 / interval)
    for n in range(10 * looks):
        baseline.learn(1.0, n * interval)
    for n in range(10 * looks, 11 * looks):
        baseline.learn(2.0, n * interval)
    assert baseline.value == pytest.approx(2 ** (1 - 1 / 2.718), rel=0.01)


def test_a_baseline_takes_zero() -> None:
    baseline = Baseline(10.0, enough=1)
    baseline.learn(0.0, 0.0)
    assert baseline.value == pytest.approx(0.0, abs=1e-6)


def run(frozen: Frozen, spans: list[float], start: float = 0.0, step: float = 1.0) -> list[bool]:
    """A camera that shows each picture for so many seconds, looked at once a second; whether it is frozen each time."""
    seen, now = [], start
    for span in spans:
        for n in range(round(span / step)):
            seen.append(frozen.look(n > 0, now))
            now += step
    return seen


def test_a_camera_that_shows_the_same_picture_for_a_minute_is_frozen() -> None:
    seen = run(Frozen(), [1.0] * 100 + [200.0])
    assert not any(seen[: 100 + round(PATIENCE)])
    assert all(seen[102 + round(PATIENCE) :])


def test_it_is_alive_again_when_it_changes_and_goes_on_changing() -> None:
    seen = run(Frozen(), [200.0] + [1.0] * 10)
    assert seen[199:] == [True, True] + [False] * 9


def test_one_new_picture_after_a_reconnect_is_no_recovery() -> None:
    frozen = Frozen()
    assert run(frozen, [200.0, 200.0])[-1]
    frozen.restart()
    assert frozen.look(True, 1000.0), "it was away, and is not better for it"
    assert frozen.same_for(1001.0) == pytest.approx(1.0)


def test_a_still_scene_with_a_key_frame_now_and_then_is_alive() -> None:
    assert not any(run(Frozen(), [20.0] * 30))


def test_a_camera_that_renews_its_picture_every_five_minutes_is_understood() -> None:
    seen = run(Frozen(), [300.0] * 10)
    assert any(seen[:900])
    assert not any(seen[1000:])


def test_and_still_noticed_when_it_freezes() -> None:
    frozen = Frozen()
    run(frozen, [300.0] * 10)
    assert frozen.patience == LONGEST_PATIENCE
    assert run(frozen, [2000.0], start=3000.0)[round(LONGEST_PATIENCE) + 2]
