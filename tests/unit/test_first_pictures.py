"""Who begins to watch a slow camera: which frames are asked for, and what becomes of them."""

from contract.result import encode_result
from gateway.cameras.pace import ResultPace
from gateway.live.first_pictures import ASKED_AT_ONCE, FirstPictures
from gateway.live.hub import Hub
from gateway.live.pictures import ReceivedPicture
from gateway.live.results import parse_received
from gateway.live.update import Subscription
from gateway.live.viewer import Viewer, ViewerKind
from tests.helpers.results import result

WALL = 1_000.0


class Stage:
    """A hub with a dashboard, and cameras of which `fast` need no first picture."""

    def __init__(self, *cameras: str) -> None:
        self.hub = Hub()
        self.fast: set[str] = set()
        self.first = FirstPictures(self.hub, lambda camera_id, now: camera_id not in self.fast)
        self.viewer = Viewer(ViewerKind.DASHBOARD, lambda: None)
        self.hub.join(self.viewer, Subscription(pictures=frozenset(cameras)), 0.0)
        for camera_id in cameras:
            self.result(camera_id, 1)

    def frame(self, camera_id: str, number: int) -> ReceivedPicture:
        made = result(WALL - 10 + number, camera_id=camera_id, frame_id=f"{camera_id}:{number}")
        return ReceivedPicture(parse_received(encode_result(made)), b"jpeg", "image/jpeg")

    def result(self, camera_id: str, number: int) -> None:
        self.hub.publish(self.frame(camera_id, number).received.update(0.0, WALL))


def test_the_newest_frame_is_asked_for_once_when_a_watch_begins() -> None:
    stage = Stage("a", "b")
    assert stage.first.wanted(frozenset({"a"}), 0.0) == ["a:1"]
    assert stage.first.wanted(frozenset({"a"}), 1.0) == []
    assert stage.first.wanted(frozenset({"a", "b"}), 2.0) == ["b:1"]


def test_it_is_asked_for_again_when_the_watch_begins_again_or_another_result_has_come() -> None:
    stage = Stage("a")
    stage.first.wanted(frozenset({"a"}), 0.0)
    stage.result("a", 2)
    assert stage.first.wanted(frozenset({"a"}), 1.0) == ["a:2"]
    stage.first.picture(stage.frame("a", 2), 1.1, WALL)
    assert stage.first.wanted(frozenset({"a"}), 2.0) == []
    stage.hub.subscribe(stage.viewer, Subscription(), 3.0)
    stage.hub.subscribe(stage.viewer, Subscription(pictures=frozenset({"a"})), 3.0)  # as a reload
    assert stage.first.wanted(frozenset({"a"}), 3.0) == ["a:2"]
    stage.first.picture(stage.frame("a", 2), 3.1, WALL)
    assert stage.viewer.take_picture() is not None


def test_what_comes_is_shown_with_its_own_time_and_nothing_else_is() -> None:
    stage = Stage("a")
    stage.first.picture(stage.frame("a", 1), 0.0, WALL)
    assert stage.viewer.take_picture() is None, "nobody has asked"
    stage.first.wanted(frozenset({"a"}), 0.0)
    stage.first.picture(stage.frame("a", 1), 0.1, WALL)
    assert (shown := stage.viewer.take_picture()) is not None
    assert (shown.frame_id, shown.captured, shown.picture) == ("a:1", WALL - 9, b"jpeg")


def test_neither_fast_cameras_nor_those_with_a_picture_are_asked() -> None:
    stage = Stage("fast", "pictured")
    stage.fast.add("fast")
    pictured = stage.frame("pictured", 1)
    stage.hub.publish_picture(pictured.received.update(0.0, WALL, b"jpeg", "image/jpeg"))
    assert stage.first.wanted(frozenset({"fast", "pictured", "never-heard-of"}), 0.0) == []


def test_a_thousand_at_once_are_asked_for_in_portions() -> None:
    names = [f"c-{number:04}" for number in range(ASKED_AT_ONCE + 3)]
    stage = Stage(*names)
    wall = frozenset(names)
    asked = stage.first.wanted(wall, 0.0)
    assert len(asked) == ASKED_AT_ONCE
    assert sorted([*asked, *stage.first.wanted(wall, 1.0)]) == [f"{name}:1" for name in names]
    assert stage.first.wanted(wall, 2.0) == []


def test_a_camera_is_slow_by_its_pace_or_by_the_age_of_its_last_result() -> None:
    pace = ResultPace()
    assert pace.slow(0.0), "nothing is known"
    pace.add(0.0)
    assert not pace.slow(0.5), "it may be fast"
    assert pace.slow(1.1)
    pace.add(10.0)
    assert pace.slow(10.1)
    for tenth in range(100):
        pace.add(20 + tenth / 10)
    assert not pace.slow(30.0)
