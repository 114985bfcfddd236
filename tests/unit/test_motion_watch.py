"""Stretches of motion without a face, of results in the order in which they are stored."""

import pytest

from gateway.motion_watch import SETTLED_SECONDS, MotionWatch
from tests.helpers.results import result

GAP = 15.0


def moved(watch: MotionWatch, when: float, share: float = 0.05, camera_id: str = "a") -> None:
    watch.hear(result(when, 0, camera_id=camera_id, motion=share, frame_id=f"{camera_id}:{when}"), when)


@pytest.fixture
def watch() -> MotionWatch:
    return MotionWatch(GAP, 0.01, lambda camera_id: camera_id != "private")


def test_a_stretch_is_due_once_it_has_settled_with_its_newest_frame(watch: MotionWatch) -> None:
    for when in (100.0, 102.0, 104.0):
        moved(watch, when)
    assert watch.due(100.0 + SETTLED_SECONDS - 0.1) == []
    (stretch,) = watch.due(100.0 + SETTLED_SECONDS)
    assert (stretch.started, stretch.ended, stretch.frame_id) == (100.0, 104.0, "a:104.0")
    assert watch.due(106.0) == [stretch]  # nobody could ask yet
    stretch.asked = True
    moved(watch, 118.0)
    moved(watch, 132.0)
    assert watch.due(133.0) == []  # it goes on: it is the same one
    moved(watch, 148.0)
    assert [each.started for each in watch.due(153.0)] == [148.0]


def test_a_face_makes_it_an_event_of_its_own(watch: MotionWatch) -> None:
    moved(watch, 100.0)
    watch.hear(result(103.0), 103.0)
    moved(watch, 104.0)
    moved(watch, 103.0 + GAP)
    assert watch.due(120.0) == []
    moved(watch, 103.5 + GAP)
    assert [each.started for each in watch.due(125.0)] == [103.5 + GAP]


def test_what_is_not_motion(watch: MotionWatch) -> None:
    moved(watch, 100.0, share=0.009)
    moved(watch, 100.0, camera_id="private")
    watch.hear(result(100.0, 0), 100.0)
    watch.hear(result(100.0, 0, motion=0.5, status="expired"), 100.0)
    watch.hear(result(100.0, 0, motion=0.5, frame_id="described:a:1"), 100.0)
    assert watch.due(106.0) == []


def test_what_is_over_is_forgotten_and_a_longer_one_is_told(watch: MotionWatch) -> None:
    moved(watch, 100.0)
    (stretch,) = watch.due(106.0)
    assert watch.longer() == []  # it has no event
    stretch.asked, stretch.event, stretch.told = True, 100.0, 100.0
    assert watch.longer() == []
    moved(watch, 108.0)
    moved(watch, 107.0)  # late
    assert [each.ended for each in watch.longer()] == [108.0]
    stretch.told = 108.0
    assert watch.longer() == []
    assert watch.due(108.0 + 2 * GAP + 1) == []
    moved(watch, 109.0, camera_id="b")
    assert watch.longer() == []
