"""Watched cameras, and the tally behind heartbeats."""

from contract.status import WatchAnnouncement
from worker.heartbeat import Tally
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
