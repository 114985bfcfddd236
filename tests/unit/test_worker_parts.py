"""Watched cameras, frames that are kept, and the tally behind heartbeats."""

import pytest

from contract.status import WatchAnnouncement
from tests.helpers.results import result
from worker import newest_frames, recent_frames
from worker.heartbeat import Tally
from worker.newest_frames import KEEP_SECONDS as NEWEST_SECONDS
from worker.newest_frames import NewestFrames
from worker.processor import Computed
from worker.recent_frames import KEEP_SECONDS, RecentFrames
from worker.watched_cameras import WatchedCameras


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_camera_is_watched_while_any_gateway_says_so() -> None:
    clock = Clock()
    watched = WatchedCameras(clock)
    watched.hear(WatchAnnouncement(gateway_id="a", cameras=["one"], ttl=10))
    watched.hear(WatchAnnouncement(gateway_id="b", cameras=["two"], ttl=10))
    assert "one" in watched
    assert "two" in watched
    watched.hear(WatchAnnouncement(gateway_id="a", cameras=[], ttl=10))
    assert "one" not in watched
    clock.now += 10.1
    assert "two" not in watched


def computed(frame_id: str, faces: int = 1, size: int = 10, camera_id: str = "gate-3") -> Computed:
    return Computed(result(0.0, faces, frame_id=frame_id, camera_id=camera_id), bytes(size))


def test_a_frame_with_a_face_is_kept_for_a_while_and_handed_out_once() -> None:
    clock = Clock()
    kept = RecentFrames(clock)
    for each in (computed("one"), computed("empty", 0), computed("two")):
        kept.keep(each)
    assert kept.take("empty") is None
    assert (found := kept.take("one")) is not None
    assert found.result.frame_id == "one"
    assert kept.take("one") is None
    clock.now += KEEP_SECONDS + 0.1
    kept.tidy()
    assert kept.take("two") is None


def test_frames_that_show_motion_alone_are_kept_where_somebody_wants_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recent_frames, "MAX_MOTION_BYTES", 25)
    kept = RecentFrames(Clock())
    moving = [Computed(result(0.0, 0, frame_id=f"m{n}", motion=0.1), bytes(10)) for n in range(4)]
    kept.keep(moving[0])
    assert kept.take("m0") is None
    kept.keep(computed("face"), motion=True)
    kept.keep(computed("still", 0), motion=True)
    for each in moving[1:]:
        kept.keep(each, motion=True)
    wanted = ("face", "still", "m1", "m2", "m3")
    assert [each for each in wanted if kept.take(each) is not None] == ["face", "m2", "m3"]


def test_whether_frames_of_motion_are_wanted_is_forgotten_with_the_gateway_that_said_so() -> None:
    clock = Clock()
    watched = WatchedCameras(clock)
    assert not watched.motion
    watched.hear(WatchAnnouncement(gateway_id="a", cameras=[], ttl=10, motion=True))
    watched.hear(WatchAnnouncement(gateway_id="b", cameras=[], ttl=10))
    assert watched.motion
    clock.now += 10.1
    assert not watched.motion


def test_kept_frames_make_room_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_frames, "MAX_BYTES", 25)
    kept = RecentFrames(Clock())
    for each in ("one", "two", "two", "three"):  # computed again: counted once
        kept.keep(computed(each))
    assert [kept.take(each) is not None for each in ("one", "two", "three")] == [False, True, True]
    kept.keep(computed("small"))
    kept.keep(computed("huge", size=99))
    assert [kept.take(each) is not None for each in ("small", "huge")] == [False, True]
    kept.keep(computed("small"))
    assert kept.take("small") is not None  # nothing is counted that is gone


def test_the_newest_frame_of_a_slow_camera_is_kept_with_or_without_a_face() -> None:
    clock = Clock()
    newest = NewestFrames(clock)
    newest.keep(computed("one", 0))
    clock.now += 10
    newest.keep(computed("two", 0))
    assert newest.find("one") is None
    assert newest.find("two") is newest.find("two") is not None
    clock.now += NEWEST_SECONDS + 0.1
    newest.tidy()
    assert newest.find("two") is None


def test_no_frame_of_a_fast_camera_is_kept() -> None:
    clock = Clock()
    newest = NewestFrames(clock)
    for each in ("one", "two", "three"):
        newest.keep(computed(each))
        clock.now += 0.2
    assert [newest.find(each) for each in ("one", "two", "three")] == [None, None, None]
    clock.now += 5
    newest.keep(computed("four"))
    assert newest.find("four") is not None, "it has become slow"


def test_newest_frames_make_room_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest_frames, "MAX_BYTES", 25)
    monkeypatch.setattr(newest_frames, "MAX_CAMERAS", 3)
    newest = NewestFrames(Clock())
    for each in ("a", "b", "c"):
        newest.keep(computed(each, camera_id=each))
    assert [newest.find(each) is not None for each in ("a", "b", "c")] == [False, True, True]
    newest.keep(computed("huge", camera_id="huge", size=99))
    assert [newest.find(each) for each in ("b", "c", "huge")] == [None, None, None]
    for each in ("a", "b", "c", "d"):
        newest.keep(computed(each, camera_id=each, size=1))
    assert [newest.find(each) is not None for each in ("a", "b", "c", "d")] == [False, True, True, True]
    newest.keep(computed("same", camera_id="e", size=20))
    newest.keep(computed("same", camera_id="f", size=20))
    assert newest.find("same") is not None, "an id of two cameras is counted once"


def test_the_tally_reports_rates_since_the_last_report() -> None:
    clock = Clock()
    tally = Tally(clock)
    for _ in range(10):
        tally.settled(True)
    tally.settled(False)
    tally.busy(1.0)
    clock.now += 2
    assert tally.rates() == (5.0, 0.5)
    clock.now += 2
    assert tally.rates() == (0.0, 0.0)
    tally.settled(True)
    clock.now += 0.1
    assert tally.rates() == (0.0, 0.0), "too short to tell: the last rates hold"
    clock.now += 0.9
    assert tally.rates() == (1.0, 0.0)
    assert (tally.processed, tally.failed) == (11, 1)
