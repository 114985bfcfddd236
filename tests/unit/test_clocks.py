"""Ages across machines whose clocks differ: fresh stays fresh, stale stays stale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clocks import Clocks

NOW = 1_795_216_000.0
HOUR = 3600.0


def heartbeats(clocks: Clocks, offset: float, now: float = NOW) -> None:
    """A producer whose clock is `offset` seconds ahead; its heartbeats take 5, 30 and 8 ms."""
    for n, way in enumerate((0.005, 0.03, 0.008)):
        sent = now - 6 + 2 * n
        clocks.hear("p", sent + offset, sent + way)


@pytest.mark.parametrize("offset", [0.0, HOUR, -HOUR, 5.0, -5.0, 0.5])
@pytest.mark.parametrize("age", [0.0, 0.2, 1.9, 30.0, 3000.0])
def test_the_age_of_a_heartbeating_senders_frame_is_true_whatever_its_clock(
    offset: float, age: float
) -> None:
    clocks = Clocks()
    heartbeats(clocks, offset)
    found = clocks.age(NOW - age + offset, NOW, sender="p", camera_id="c")
    assert found.seconds == pytest.approx(age, abs=0.11)
    assert found.skewed == (abs(offset) > 0.1)


def test_the_first_frame_of_a_backlog_is_not_taken_for_a_fresh_one() -> None:
    """Why heartbeats: the smallest delay seen from a sender whose frames all waited says nothing."""
    clocks = Clocks()
    heartbeats(clocks, HOUR)
    assert clocks.age(NOW - 30 + HOUR, NOW, sender="p", camera_id="c").seconds == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
def test_without_heartbeats_an_impossible_delay_is_relative_to_the_smallest_seen(offset: float) -> None:
    clocks = Clocks()
    ages = [
        clocks.age(NOW + n - delay + offset, NOW + n, sender=None, camera_id="c")
        for n, delay in enumerate((0.05, 0.07, 5.0, 0.05))
    ]
    assert [round(age.seconds, 2) for age in ages] == [0.0, 0.02, 4.95, 0.0]
    assert all(age.skewed for age in ages)


def test_without_heartbeats_a_plausible_delay_is_believed() -> None:
    clocks = Clocks()
    assert clocks.age(NOW - 30, NOW, sender=None, camera_id="c").seconds == 30
    assert not clocks.age(NOW - 30, NOW, sender=None, camera_id="c").skewed


def test_what_waited_before_anybody_took_frames_is_as_old_as_it_says_and_teaches_nothing() -> None:
    """All workers were away: a frame of a new camera that waited 75 s is not a fresh one of a wrong clock."""
    clocks = Clocks()
    waited = clocks.age(NOW - 75, NOW, sender=None, camera_id="c", backlog=True)
    assert (waited.seconds, waited.skewed) == (75, False)
    # Its clock is five minutes behind: told as soon as the backlog has come, not from the smallest of what waited.
    clocks.age(NOW - 290, NOW, sender=None, camera_id="c", backlog=True)
    assert clocks.age(NOW - 300, NOW, sender=None, camera_id="c").seconds == 0


def test_in_a_backlog_the_future_and_who_heartbeats_are_as_ever() -> None:
    clocks = Clocks()
    heartbeats(clocks, -HOUR)
    assert clocks.age(NOW - 75 - HOUR, NOW, sender="p", camera_id="c", backlog=True).seconds == pytest.approx(
        75, abs=0.01
    )
    ahead = clocks.age(NOW + HOUR, NOW, sender=None, camera_id="c", backlog=True)
    assert (ahead.seconds, ahead.skewed) == (0, True)


def test_cameras_do_not_share_their_smallest_delay() -> None:
    clocks = Clocks()
    clocks.age(NOW + HOUR, NOW, sender=None, camera_id="ahead")
    assert clocks.age(NOW - HOUR, NOW, sender=None, camera_id="behind").seconds == 0


@given(st.floats(-1e6, 1e10), st.floats(0, 1e10), st.sampled_from(["p", None]))
def test_an_age_is_never_negative(timestamp: float, now: float, sender: str | None) -> None:
    clocks = Clocks()
    clocks.hear("p", 12345.0, now)
    assert clocks.age(timestamp, now, sender=sender, camera_id="c").seconds >= 0
