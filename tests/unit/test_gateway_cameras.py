"""Whose word on a camera counts, and what is said of a camera that nobody serves: time is an argument."""

from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from contract.api.cameras import CameraView
from contract.result import Result
from contract.status import (
    CameraLabels,
    CameraReport,
    CamerasStatus,
    CameraStatus,
    ProducerEnd,
    ProducerStatus,
)
from gateway.cameras.camera import REPEATS_SECONDS, SKIPPING_SECONDS, clock
from gateway.cameras.cameras import (
    FORGET_AFTER_SECONDS,
    LATE_SECONDS,
    RETIRED_SECONDS,
    SUCCEEDED_SECONDS,
    Cameras,
)
from gateway.cameras.pace import ResultPace
from gateway.cameras.producers import HAND_OVER_SECONDS, MAX_PRODUCERS, Producers
from gateway.hearing import DEAF_AFTER_SECONDS, NO_BROKER, NOT_YET, SETTLES_SECONDS, Hearing
from gateway.live.hub import Hub
from gateway.live.states import States
from gateway.live.update import Subscription
from gateway.live.viewer import Viewer, ViewerKind
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes

WALL = 1_795_000_000.0


def report(camera_id: str = "a", state: Any = "live", **changes: Any) -> CameraReport:
    reason = None if state == "live" else f"it is {state}"
    return CameraReport(
        **{"camera_id": camera_id, "state": state, "since": WALL, "reason": reason, **changes}
    )


class Heard:
    """What a gateway hears, at `now`."""

    def __init__(self) -> None:
        self.lanes = ["live"]
        self.down: list[str] = []
        self.answered = float("inf")
        self.removed: list[str] = []
        self.hearing = Hearing(lambda: self.answered)
        self.cameras = Cameras(
            lambda now: self.lanes, lambda: self.down, self.hearing, removed=lambda name: name in self.removed
        )
        self.now = 0.0

    @property
    def wall(self) -> float:
        return WALL + self.now

    def beat(
        self,
        name: str,
        *reports: CameraReport,
        since: float = WALL,
        offer: str = "x",
        stopped: bool = False,
        end: ProducerEnd | None = None,
        removed: list[str] | None = None,
    ) -> None:
        """A producer's heartbeat: itself, and, while it runs, all that it serves."""
        status = ProducerStatus(
            producer_id=name,
            state="stopped" if stopped else "running",
            cameras=len(reports),
            outstanding=0,
            window=1,
            since=since,
            time=self.wall,
            version="0",
            offer=offer,
            end=end,
        )
        self.cameras.heard_producer(status, self.now, self.wall)
        if not stopped:
            served = CamerasStatus(
                producer_id=name,
                producer_since=since,
                time=self.wall,
                cameras=list(reports),
                removed=removed or [],
            )
            self.cameras.heard_cameras(served, self.now, self.wall)

    def result_of(self, camera_id: str) -> Result:
        return Result(
            timestamp=self.wall,
            original_timestamp=self.wall,
            node_id="n",
            detections=[],
            camera_id=camera_id,
            frame_id=f"{camera_id}:{self.now}",
            width=640,
            height=480,
            model="m",
            status="ok",
            processing_seconds=0.01,
            queue_seconds=0.0,
        )

    def result(self, camera_id: str = "a") -> None:
        self.cameras.result(self.result_of(camera_id), self.now, self.wall)

    def result_from(self, sender: str, camera_id: str) -> None:
        each = msgspec.structs.replace(self.result_of(camera_id), sender=sender)
        self.cameras.result(each, self.now, self.wall)

    def view(self, camera_id: str = "a") -> CameraView:
        return self.cameras.view(camera_id, self.now)

    def known(self) -> list[str]:
        return [view.camera_id for view in self.cameras.views(self.now)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


class TestHandingOver:
    def test_one_killed_is_never_shown_as_live_and_the_next_one_s_word_counts_at_once(
        self, heard: Heard
    ) -> None:
        """As producers do it: taken over after 10 s without a heartbeat."""
        heard.beat("p", report())
        states = []
        for second in range(2, 31, 2):
            heard.now = float(second)
            if second < 12:
                heard.beat("q", report("b"))
            else:
                heard.beat("q", report("b"), report("a", "connecting" if second < 14 else "live"))
            states.append((second, heard.view().state, heard.view().producer_id))
        assert states[:3] == [(2, "live", "p"), (4, "live", "p"), (6, "live", "p")]
        assert {state[1:] for state in states[3:5]} == {("stalled", "p")}
        assert states[5] == (12, "connecting", "q")
        assert {state[1:] for state in states[6:]} == {("live", "q")}

    def test_the_reason_meanwhile_names_who_was_lost(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.now = 8.0
        heard.beat("q")
        view = heard.view()
        assert (view.state, view.since) == ("stalled", WALL)
        assert view.reason == f"p is not heard since {clock(WALL)}: another producer takes over"

    @pytest.mark.parametrize("clean_stop", [False, True])
    def test_one_that_lets_go_or_stops_hands_over(self, heard: Heard, clean_stop: bool) -> None:
        heard.beat("p", report())
        heard.beat("q")
        heard.now = 2.0
        heard.beat("p", stopped=clean_stop)
        assert (heard.view().state, heard.view().reason) == (
            "connecting",
            f"handed over by p at {clock(WALL + 2)}",
        )
        heard.now = 3.0
        heard.beat("q", report())
        assert (heard.view().state, heard.view().producer_id) == ("live", "q")

    def test_the_old_one_s_reason_does_not_outlive_it(self, heard: Heard) -> None:
        heard.beat("p", report("a", "degraded"))
        heard.now = 2.0
        heard.beat("p")
        heard.beat("q", report())
        assert (heard.view().state, heard.view().reason) == ("live", None)

    def test_what_nobody_takes_over_is_offline(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.now = 2.0
        heard.beat("q")
        heard.beat("p")
        for heard.now in range(2, int(HAND_OVER_SECONDS) + 4):
            heard.beat("p")
            heard.beat("q")
        view = heard.view()
        assert (view.state, view.reason, view.since) == (
            "offline",
            "no producer serves it (last: p)",
            WALL + 2,
        )

    def test_nobody_takes_over_from_a_producer_that_shares_nothing(self, heard: Heard) -> None:
        heard.beat("p", report(), offer="")
        heard.now = 7.0
        heard.beat("q", offer="x")
        assert heard.view().state == "offline"
        assert heard.view().reason == f"producer not heard since {clock(WALL)}"

    def test_without_another_producer_nobody_takes_over(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.now = 7.0
        assert heard.view().state == "offline"

    def test_one_that_restarts_speaks_for_itself_at_once(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.now = 2.0
        heard.beat("p", report("a", "connecting"), since=WALL + 2)
        assert heard.view().state == "connecting"

    def test_a_change_is_told_between_two_heartbeats(self, heard: Heard) -> None:
        heard.beat("p", report(labels=CameraLabels(name="Gate")))
        heard.now = 1.0
        change = CameraStatus(
            camera_id="a",
            producer_id="p",
            state="offline",
            reason="no route to host",
            since=WALL + 1,
            fps=0.0,
            sent=0,
            dropped={},
            time=WALL + 1,
            labels=CameraLabels(name="Gate"),
        )
        heard.cameras.heard_camera(change, heard.now, heard.wall)
        view = heard.view()
        assert (view.state, view.reason, view.since, view.name) == (
            "offline",
            "no route to host",
            WALL + 1,
            "Gate",
        )

    def test_a_plain_client_that_sends_it_instead_makes_it_live(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("p", stopped=True)
        heard.now = 1.0
        heard.result()  # still under way when it stopped
        assert heard.view().state == "disabled"
        heard.now = 7.0
        heard.result()
        assert heard.view().state == "live"
        heard.now = 7.0 + 2 * 6.0 + 1  # two of its intervals
        assert heard.view().state == "disabled"


class TestUnserved:
    """What the alert on cameras without a producer asks: was it meant?"""

    def unserved(self, heard: Heard) -> int:
        list(heard.cameras.shown(heard.now))
        return heard.cameras.unserved

    def test_one_that_went_without_a_word_leaves_its_cameras_unserved(self, heard: Heard) -> None:
        heard.beat("p", report("a"), report("b"))
        heard.now = 60.0
        assert self.unserved(heard) == 2
        heard.beat("q", report("a"))
        assert self.unserved(heard) == 1

    def test_other_cameras_after_a_goodbye_are_meant(self, heard: Heard) -> None:
        """SOURCE exchanged for CAMERAS: the container is stopped, and another one begins with others."""
        heard.beat("p", report("demo-1"))
        heard.now = 2.0
        heard.beat("p", stopped=True)
        heard.beat("q", report("gate-3"), offer="y")
        heard.now = 60.0
        heard.beat("q", report("gate-3"), offer="y")
        assert heard.view("demo-1").state == "disabled"
        assert self.unserved(heard) == 0

    def test_one_that_is_taken_out_of_the_file_is_meant_and_one_let_go_otherwise_is_not(
        self, heard: Heard
    ) -> None:
        heard.beat("p", report("a"), report("b"), offer="x")
        heard.now = 2.0
        heard.beat("p", report("a"), offer="y", removed=["b"])
        heard.now = 60.0
        heard.beat("p", report("a"), offer="y")
        assert self.unserved(heard) == 0
        heard.now = 62.0
        heard.beat("p", offer="y")
        heard.now = 120.0
        heard.beat("p", offer="y")
        assert self.unserved(heard) == 1


class TestServedTwice:
    def twice(self, heard: Heard) -> int:
        list(heard.cameras.shown(heard.now))
        return heard.cameras.served_twice

    def test_the_one_that_has_it_live_counts_and_nothing_flaps(self, heard: Heard) -> None:
        heard.beat("p", report("a", "offline"))
        seen = set()
        for second in range(2, 20):
            heard.now = float(second)
            heard.beat("p", report("a", "offline", since=WALL + second))
            heard.beat("q", report())
            seen.add((heard.view().state, heard.view().producer_id))
            assert self.twice(heard) == 1
        assert seen == {("live", "q")}

    def test_of_two_that_have_it_live_the_first_stays(self, heard: Heard) -> None:
        heard.beat("p", report())
        seen = set()
        for second in range(2, 20):
            heard.now = float(second)
            heard.beat("q" if second % 2 else "p", report(since=WALL + second))
            seen.add(heard.view().producer_id)
        assert seen == {"p"}

    def test_when_it_fails_the_other_takes_the_word(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("q", report())
        assert heard.view().producer_id == "p"
        heard.beat("p", report("a", "stalled"))
        assert (heard.view().state, heard.view().producer_id) == ("live", "q")
        heard.beat("p", report())
        assert heard.view().producer_id == "q"

    def test_a_dead_one_does_not_count_and_one_that_lets_go_leaves_it_to_the_other(
        self, heard: Heard
    ) -> None:
        heard.beat("p", report())
        heard.beat("q", report())
        heard.now = 6.0
        heard.beat("q", report())
        heard.now = 7.0
        assert self.twice(heard) == 0
        assert heard.view().producer_id == "q"
        heard.beat("p", report())
        assert self.twice(heard) == 1
        heard.beat("q")
        assert self.twice(heard) == 0
        assert (heard.view().state, heard.view().producer_id) == ("live", "p")


class TestForgetting:
    def later(self, heard: Heard, seconds: float, *beats: Any) -> list[str]:
        heard.now += seconds
        for beat in beats:
            beat()
        heard.cameras.tidy(heard.now)
        return heard.known()

    def test_what_is_let_go_without_a_word_stays_to_be_seen(self, heard: Heard) -> None:
        heard.beat("p", report("a"), report("b"))
        heard.beat("p", report("b"))
        assert self.later(heard, SUCCEEDED_SECONDS + 1, lambda: heard.beat("p", report("b"))) == ["a", "b"]
        assert (heard.view().state, heard.view().reason) == ("offline", "no producer serves it (last: p)")

    def test_what_sharing_lost_is_not_forgotten(self, heard: Heard) -> None:
        """The file is the same: somebody ought to serve it, and nobody does."""
        heard.beat("p", report())
        heard.beat("p")
        heard.beat("q")
        assert self.later(heard, SUCCEEDED_SECONDS + 1, lambda: heard.beat("q")) == ["a"]
        assert heard.view().state == "offline"
        assert self.later(heard, FORGET_AFTER_SECONDS) == []

    @pytest.mark.parametrize("gave_up", [False, True])
    def test_a_producer_that_failed_leaves_its_cameras_to_be_seen(self, heard: Heard, gave_up: bool) -> None:
        heard.beat("p", report())
        if gave_up:
            heard.beat("p", stopped=True, end="failed")
        assert heard.view().state == ("offline" if gave_up else "live")
        assert self.later(heard, SUCCEEDED_SECONDS + 1, lambda: heard.beat("q", offer="")) == ["a"]
        gone = "gave up at" if gave_up else "not heard since"
        assert heard.view().state == "offline"
        assert f"producer {gone}" in str(heard.view().reason)

    @pytest.mark.parametrize(
        ("end", "told"),
        [("asked", "was stopped"), ("finished", "sent all of its frames"), (None, "was stopped")],
    )
    def test_one_that_was_stopped_takes_its_cameras_along(
        self, heard: Heard, end: ProducerEnd | None, told: str
    ) -> None:
        heard.beat("p", report())
        heard.now = 1.0
        heard.beat("p", stopped=True, end=end)
        assert (heard.view().state, heard.view().reason) == (
            "disabled",
            f"its producer {told} at {clock(WALL + 1)}",
        )
        assert self.later(heard, RETIRED_SECONDS) == ["a"]
        assert self.later(heard, 1.0) == []

    def test_unless_it_came_back_without_them(self, heard: Heard) -> None:
        heard.beat("p", report("a"), report("b"))

        def back() -> None:
            heard.beat("p", report("b"), since=WALL + 1, offer="b")

        heard.now = 3.0
        back()
        assert self.later(heard, SUCCEEDED_SECONDS + 1, back) == ["b"]

    def test_dashboards_are_told(self, heard: Heard) -> None:
        hub = Hub()
        states = States(hub, heard.cameras, Nodes(), GatewayMetrics(CollectorRegistry()))
        viewer = Viewer(ViewerKind.DASHBOARD, lambda: None)
        hub.join(viewer, Subscription(frozenset()), 0.0)
        heard.beat("p", report(), offer="")
        states.tick(heard.now)
        assert b"live" in viewer.take_cameras()[0]
        heard.beat("p", offer="", removed=["a"])
        states.tick(heard.now + 1)
        assert [msgspec.json.decode(item) for item in viewer.take_cameras()] == [
            {"camera_id": "a", "gone": True}
        ]
        late = Viewer(ViewerKind.DASHBOARD, lambda: None)
        states.greet(late)
        assert late.take_cameras() == []


class TestRemoved:
    """A camera that was taken out of the file goes at once, whatever was under way or is lost, and may come back."""

    def test_its_late_results_are_those_of_no_other_camera(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("p", offer="y", removed=["a"])
        assert heard.known() == []
        for heard.now in (0.2, LATE_SECONDS - 1):
            heard.result()
            heard.beat("p", offer="y", removed=["a"])
            assert heard.known() == []
            assert heard.cameras.announced("a")  # and it takes no plain client's place
        heard.now = LATE_SECONDS
        heard.result()  # this is a plain client's
        heard.beat("p", offer="y", removed=["a"])
        assert heard.view().state == "live"
        heard.now = LATE_SECONDS + 200
        heard.cameras.tidy(heard.now)
        assert not heard.cameras.announced("a")

    def test_a_gateway_that_was_away_learns_it_from_the_next_heartbeat(self, heard: Heard) -> None:
        heard.result()  # begun meanwhile: a late frame came before any heartbeat
        heard.beat("p", report("b"), removed=["a"])
        assert heard.known() == ["b"]

    def test_a_lost_heartbeat_is_made_up_for_by_the_next(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("p")
        assert heard.view().state == "offline"
        heard.beat("p", removed=["a"])
        assert heard.known() == []

    def test_one_that_comes_back_is_there_at_once(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("p", removed=["a"])
        heard.now = 1.0
        heard.beat("p", report("a", "connecting"))
        heard.result()
        assert (heard.view().state, heard.view().faces) == ("connecting", 0)
        heard.now = 100.0
        assert heard.view().state == "offline"  # its producer died then: that is a failure again

    def test_another_producer_that_serves_it_keeps_it(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("q", report())
        heard.beat("p", offer="y", removed=["a"])
        assert (heard.view().state, heard.view().producer_id) == ("live", "q")
        heard.result()
        assert heard.view().faces == 0

    def test_one_that_has_not_read_its_file_yet_may_take_it_over_and_nothing_is_red(
        self, heard: Heard
    ) -> None:
        heard.beat("q", report("b"))
        heard.beat("p", report())
        heard.now = 1.0
        heard.beat("p", offer="y", removed=["a"])
        assert heard.view().state == "connecting"
        heard.beat("q", report("b"), offer="y")
        heard.now = 3.0
        heard.beat("p", offer="y", removed=["a"])
        assert heard.known() == ["b"]

    def test_two_producers_of_other_cameras_do_not_wait_for_each_other(self, heard: Heard) -> None:
        heard.beat("p", report())
        heard.beat("p", offer="y", removed=["a"])
        for heard.now in range(0, int(HAND_OVER_SECONDS) + 1, 2):
            heard.beat("q", report("b"))
            heard.beat("p", offer="y", removed=["a"])
            heard.cameras.tidy(heard.now)
            assert "a" not in heard.known() or heard.view().state == "connecting"
        heard.now = HAND_OVER_SECONDS + 1
        heard.cameras.tidy(heard.now)
        assert heard.known() == ["b"]

    def test_what_a_crashed_one_served_goes_with_the_word_of_another(self, heard: Heard) -> None:
        heard.beat("q", report())
        heard.now = 20.0
        heard.beat("p", removed=["a"])
        assert heard.known() == []


class TestFrames:
    """Judged by the counts in the heartbeats, every two seconds."""

    def run(
        self, heard: Heard, seconds: int, *, sent: int = 0, skipped: int = 0, **counts: Any
    ) -> CameraView:
        for _ in range(0, seconds, 2):
            heard.now += 2.0
            self.sent = getattr(self, "sent", 0) + sent
            self.skipped = getattr(self, "skipped", 0) + skipped
            heard.beat("p", report(sent=self.sent, skipped=self.skipped, **counts))
        return heard.view()

    def test_frames_that_show_nothing_new_keep_the_last_picture_true(self, heard: Heard) -> None:
        assert not self.run(heard, 2).still
        heard.result()
        view = self.run(heard, 60, skipped=4)
        assert (view.state, view.still) == ("live", True)

    def test_a_refresh_every_ten_seconds_changes_nothing(self, heard: Heard) -> None:
        self.run(heard, 4, skipped=4)
        seen = set()
        for _ in range(6):
            self.run(heard, 10, skipped=4)
            seen.add(heard.view().state)
            view = self.run(heard, 2, sent=1, skipped=3)
            seen.add(heard.view().state)
            heard.now += 0.1
            heard.result()
            assert view.still
        assert seen == {"live"}

    def test_a_frame_without_a_result_ends_it_soon_and_the_state_follows(self, heard: Heard) -> None:
        assert self.run(heard, 20, skipped=4).still
        assert self.run(heard, 2, sent=1, skipped=3).still  # it may be answered yet
        view = self.run(heard, 4, skipped=4)
        assert (view.state, view.still) == ("live", False)
        view = self.run(heard, 8, skipped=4)
        assert view.state == "degraded"
        assert view.reason is not None
        assert "no results since" in view.reason
        heard.result()
        assert (heard.view().state, heard.view().still) == ("live", True)

    def test_so_it_is_when_the_one_before_it_was_answered_just_now(self, heard: Heard) -> None:
        self.run(heard, 4, skipped=4)
        heard.result()
        assert self.run(heard, 2, sent=2, skipped=2).still
        assert not self.run(heard, 4, skipped=4).still

    def test_a_result_that_is_faster_than_the_count_of_its_frame_answers_it(self, heard: Heard) -> None:
        self.run(heard, 4, skipped=4)
        heard.result()
        self.run(heard, 2, skipped=4)
        self.run(heard, 2, sent=1, skipped=3)
        assert self.run(heard, 8, skipped=4).still
        self.run(heard, 2, sent=1, skipped=3)
        assert not self.run(heard, 4, skipped=4).still

    def test_a_result_that_comes_after_the_count_is_no_credit(self, heard: Heard) -> None:
        self.run(heard, 4, skipped=4)
        self.run(heard, 2, sent=1, skipped=3)
        heard.result()
        assert self.run(heard, 2, skipped=4).still
        self.run(heard, 2, sent=1, skipped=3)
        assert not self.run(heard, 4, skipped=4).still

    def why(self, heard: Heard) -> str:
        view = heard.view()
        assert view.state == "degraded"
        return (view.reason or "").partition("UTC")[2]

    def test_the_reason_is_what_was_looked_at(self, heard: Heard) -> None:
        self.run(heard, 4)
        self.run(heard, 14, sent=1)
        assert self.why(heard) == (
            ", although workers run (lanes: live): is one for its lane, or are they refused? "
            "framefleet dlq list --camera a"
        )
        heard.lanes = []
        assert self.why(heard) == ": no worker runs"
        heard.cameras.expired(heard.result_of("a"))
        assert self.why(heard) == ": they are too old when a worker takes them"
        for count in range(1, 4):
            self.run(heard, 2, dropped={"stale": count, "replaced": 10 * count})
        assert self.why(heard) == ": they are too old when its producer can send them"
        self.run(heard, 2, sent=1, dropped={"stale": 3, "replaced": 30})
        assert self.why(heard) == ": they are too old when a worker takes them"
        heard.result()
        assert heard.view().state == "live"

    def test_a_queue_that_is_down_is_the_reason(self, heard: Heard) -> None:
        self.run(heard, 4)
        for count in range(1, 8):
            self.run(heard, 2, dropped={"queue_down": count})
        assert self.why(heard) == (": the queue is down, RabbitMQ cannot use it: framefleet queues repair")
        heard.down = ["frame_queue.gpu", "result_queue"]
        assert self.why(heard) == (
            ": result_queue is down, and workers hold what they have: framefleet queues repair"
        )

    def test_a_queue_that_is_full_is_not_the_worker_s_absence(self, heard: Heard) -> None:
        self.run(heard, 4)
        for count in range(1, 8):
            self.run(heard, 2, dropped={"queue_full": count})
        assert self.why(heard) == ": the queue is full"

    def test_frames_that_do_not_reach_the_queue_count_as_offered(self, heard: Heard) -> None:
        self.run(heard, 10)
        self.run(heard, 2, dropped={"replaced": 7})
        assert self.run(heard, 14, dropped={"replaced": 7}).state == "degraded"

    def test_after_the_last_skip_it_is_not_still_for_long(self, heard: Heard) -> None:
        assert self.run(heard, 4, skipped=1).still
        assert not self.run(heard, int(SKIPPING_SECONDS) + 2).still

    @pytest.mark.parametrize("state", ["degraded", "stalled", "offline", "connecting", "disabled"])
    def test_only_a_live_camera_can_be_still(self, heard: Heard, state: Any) -> None:
        assert self.run(heard, 4, skipped=4).still
        assert not self.run(heard, 2, skipped=4, state=state).still

    def test_whoever_comes_back_or_takes_over_vouches_anew(self, heard: Heard) -> None:
        """Nobody looked meanwhile."""
        assert self.run(heard, 4, skipped=4).still
        self.run(heard, 2, state="stalled")
        assert not self.run(heard, 2).still
        assert self.run(heard, 2, skipped=1).still
        heard.beat("p")
        heard.beat("q", report(skipped=self.skipped))
        assert not heard.view().still

    def test_a_camera_that_comes_back_starts_with_a_clean_slate(self, heard: Heard) -> None:
        self.run(heard, 4, sent=1)
        self.run(heard, 60, state="offline")
        assert self.run(heard, 2).state == "live"

    def test_counts_of_a_new_producer_say_nothing_of_results(self, heard: Heard) -> None:
        self.run(heard, 2)
        for heard.now in range(4, 40, 2):
            heard.beat("q", report(sent=500, skipped=500))
            heard.beat("p")
        assert (heard.view().state, heard.view().still) == ("live", False)


class TestPace:
    def pace(self, interval: float, count: int = 100) -> tuple[ResultPace, float]:
        pace = ResultPace()
        for number in range(count):
            pace.add(number * interval)
        return pace, (count - 1) * interval

    @pytest.mark.parametrize("interval", [0.1, 0.5, 2.0, 7.0, 20.0, 50.0])
    def test_the_rate_of_fast_and_slow_cameras(self, interval: float) -> None:
        pace, last = self.pace(interval)
        assert pace.fps(last) == pytest.approx(1 / interval, rel=0.01)
        assert not pace.silent(last + interval)
        assert pace.silent(last + max(10.0, 2 * interval) + 0.1)
        assert pace.fps(last + max(10.0, 2 * interval) + 0.1) is None

    def test_slower_than_a_minute_is_no_pace(self) -> None:
        pace, last = self.pace(61.0)
        assert pace.fps(last) is None

    def test_jitter_is_not_told_and_a_change_is(self) -> None:
        pace, now = ResultPace(), 0.0
        told = set()
        for number in range(200):
            now += 1.0 + 0.2 * (-1) ** number
            pace.add(now)
            if number > 20:
                told.add(pace.told(now))
        assert len(told) == 1
        for _ in range(200):
            now += 0.5
            pace.add(now)
        assert pace.told(now) == pytest.approx(2.0)
        assert pace.told(now + 11) is None


class TestTelling:
    def test_nothing_new_is_no_event_and_the_gauges_follow(self, heard: Heard) -> None:
        hub, registry = Hub(), CollectorRegistry()
        states = States(hub, heard.cameras, Nodes(), GatewayMetrics(registry))
        viewer = Viewer(ViewerKind.DASHBOARD, lambda: None)
        hub.join(viewer, Subscription(frozenset()), 0.0)

        def beat(second: int, broken: bool = False) -> int:
            heard.now = float(second)
            reports = [
                report(
                    f"c{n}", sent=second * n, fps=float(second % 3), labels=CameraLabels(name=f"Camera {n}")
                )
                for n in range(1, 100)
            ]
            heard.beat("p", report("c0", "offline" if broken else "live"), *reports)
            for n in range(1, 100):
                heard.result(f"c{n}")
            states.tick(heard.now)
            return len(viewer.take_cameras())

        assert beat(0) == 100
        assert [beat(second) for second in range(2, 40, 2)].count(0) >= 17  # once: the rate is known
        assert beat(40, broken=True) == 1

        def cameras(state: str) -> float | None:
            return registry.get_sample_value("gateway_cameras", {"state": state})

        assert [cameras("live"), cameras("offline"), cameras("stalled")] == [99, 1, 0]
        assert registry.get_sample_value("gateway_cameras_served_twice") == 0

    def test_labels_are_told_and_a_change_of_them(self, heard: Heard) -> None:
        heard.beat(
            "p", report(labels=CameraLabels(name="Gate", district="Harbour", location="South", group="g"))
        )
        view = heard.view()
        assert (view.name, view.district, view.location, view.group) == ("Gate", "Harbour", "South", "g")
        before = dict(heard.cameras.shown(0.0))
        heard.beat("p", report(labels=CameraLabels(name="Gate 2")))
        assert dict(heard.cameras.shown(0.0)) != before
        assert (heard.view().name, heard.view().district) == ("Gate 2", None)


class TestNoBroker:
    """The gateway hears nobody: the broker stands still, or is away."""

    def test_nobody_is_blamed_then_nor_just_after(self, heard: Heard) -> None:
        heard.answered = 0.0
        heard.beat("p", report("a"), report("b", "degraded"))
        heard.beat("q", report("c"), offer="")
        heard.beat("q", offer="", stopped=True)
        heard.result("plain")
        heard.now = DEAF_AFTER_SECONDS
        assert [heard.view(each).state for each in ("a", "b", "c", "plain")] == [
            *("live", "degraded"),
            *("disabled", "live"),
        ]
        for heard.now in (DEAF_AFTER_SECONDS + 0.1, 60.0):
            told = {(v.state, v.reason) for v in heard.cameras.views(heard.now)}
            assert told == {("unknown", NO_BROKER)}
        heard.now = heard.answered = 61.0
        assert [(heard.view(each).state, heard.view(each).reason) for each in ("a", "b")] == [
            ("unknown", NOT_YET)
        ] * 2
        assert heard.view("c").state == "disabled"  # it had said goodbye
        assert heard.view("plain").state == "quiet"
        heard.beat("p", report("a"))
        assert heard.view("a").state == "live"
        heard.now = heard.answered = 61.1 + SETTLES_SECONDS
        assert "producer not heard since" in str(heard.view("a").reason)

    def test_a_producer_heard_before_the_broker_answered_last_is_not_blamed(self, heard: Heard) -> None:
        heard.beat("p", report("a"))
        heard.answered = 2.0
        states = set()
        for tenth in range(30, 200):
            heard.now = tenth / 10
            states.add(heard.view("a").state)
        assert states == {"live", "unknown"}

    def test_what_producers_dropped_is_counted_once(self, heard: Heard) -> None:
        def told(dropped: dict[str, int], since: float = 1.0) -> int:
            reports = [report("a", dropped=dropped), report("b")]
            status = CamerasStatus(producer_id="p", producer_since=since, time=1.0, cameras=reports)
            return heard.cameras.heard_cameras(status, heard.now, heard.wall)

        assert told({"queue_full": 5}) == 0  # of before the gateway heard it
        assert told({"queue_full": 7, "stale": 1}) == 3
        assert told({"queue_full": 7, "stale": 1}) == 0
        assert told({"queue_full": 2}, since=2.0) == 0  # another process

    def test_a_producer_that_alone_is_silent_is_named(self, heard: Heard) -> None:
        heard.beat("p", report("a"), offer="")
        heard.now = heard.answered = 9.0
        assert heard.view("a").state == "offline"

    def test_frames_of_before_the_outage_are_not_held_against_anybody(self, heard: Heard) -> None:
        heard.answered = 0.0
        heard.beat("p", report("a"))
        heard.now = heard.answered = 2.0
        heard.beat("p", report("a", sent=1))
        heard.now = 30.0
        assert heard.view("a").reason == NO_BROKER
        heard.now = heard.answered = 31.0
        heard.beat("p", report("a", sent=1))
        heard.lanes = []
        assert heard.view("a").reason == NOT_YET

    def test_it_is_told_before_a_heartbeat_is_missed(self) -> None:
        hearing = Hearing(lambda: 0.0)
        assert hearing.missing(DEAF_AFTER_SECONDS) == []
        assert hearing.missing(DEAF_AFTER_SECONDS + 0.1) == ["RabbitMQ: the broker has stopped answering"]


class TestSenders:
    def send(self, heard: Heard, *camera_ids: str) -> None:
        for camera_id in camera_ids:
            result = msgspec.structs.replace(heard.result_of(camera_id), sender="school")
            heard.cameras.result(result, heard.now, heard.wall)

    def test_one_that_stops_or_repeats_its_ids_is_in_no_figure_that_alerts(self, heard: Heard) -> None:
        registry = CollectorRegistry()
        states = States(Hub(), heard.cameras, Nodes(), GatewayMetrics(registry))

        def counted(gauge: str) -> dict[str, float]:
            values = {
                s.labels["state"]: s.value for m in registry.collect() for s in m.samples if s.name == gauge
            }
            return {state: value for state, value in values.items() if value}

        names = [f"school-{number}" for number in range(12)]
        heard.beat("p", report("gate"))
        self.send(heard, *names)
        heard.cameras.repeated("school-0", "1", "school-0", heard.now, heard.wall)
        states.tick(heard.now)
        assert counted("gateway_cameras_unannounced") == {"live": 11, "degraded": 1}
        heard.now = 20.0
        heard.beat("p", report("gate"))
        states.tick(heard.now)
        assert counted("gateway_cameras_unannounced") == {"quiet": 11, "degraded": 1}
        assert counted("gateway_cameras") == {"live": 1}
        assert heard.view("school-1").reason == f"no results since {clock(WALL)}"

    def test_one_that_was_removed_leaves_the_page_within_seconds(self, heard: Heard) -> None:
        states = States(Hub(), heard.cameras, Nodes(), GatewayMetrics(CollectorRegistry()))
        heard.beat("p", report("gate"))
        self.send(heard, "school-1", "gate")
        heard.result("plain")
        states.tick(heard.now)
        heard.removed.append("school")
        heard.now += 2.0
        states.tick(heard.now)
        assert heard.known() == ["gate", "plain"]
        self.send(heard, "school-1")  # was under way
        heard.now += 2.0
        states.tick(heard.now)
        assert heard.known() == ["gate", "plain"]


class TestBounds:
    def test_served_cameras_are_never_pushed_out(self, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.cameras.cameras.MAX_CAMERAS", 3)
        heard.result("plain")
        heard.now = 1.0
        heard.beat("p", *(report(f"c{n}") for n in range(5)))
        assert heard.known() == ["c0", "c1", "c2"]
        heard.result("other")
        assert heard.known() == ["c0", "c1", "c2"]

    def test_producers_are_bounded(self) -> None:
        producers = Producers()
        for number in range(MAX_PRODUCERS + 10):
            producers.heard(f"p{number}", WALL, float(number), WALL)
        first = producers.heard("p0", None, 0.0, WALL)
        assert first.since == 0.0  # forgotten: nothing is known of when it started


class TestRepeatedIds:
    SAID = "only the first result of an id is shown and kept; give every frame an id of its own"

    def repeat(self, heard: Heard, frame_id: str = "frame", of: str = "a") -> bool:
        return heard.cameras.repeated("a", frame_id, of, heard.now, heard.wall)

    def test_the_reason_is_that_and_not_that_nothing_comes(self, heard: Heard) -> None:
        heard.result()
        heard.now = 1.0
        assert self.repeat(heard)
        for second in range(2, 40):
            heard.now = float(second)
            assert not self.repeat(heard, str(second)), "told once"
        view = heard.view()
        assert (view.state, view.since) == ("degraded", WALL + 1)
        assert view.reason == f"its frame_ids repeat ('frame'): {self.SAID}"
        heard.now += REPEATS_SECONDS + 1
        assert heard.view().state == "quiet"
        assert self.repeat(heard), "told anew"

    def test_it_says_which_camera_has_them_too(self, heard: Heard) -> None:
        heard.result()
        self.repeat(heard, "4\n" + "7" * 100, of="b")
        assert (
            heard.view().reason
            == f"its frame_ids repeat ('4\ufffd{'7' * 58}…', which b has too): {self.SAID}"
        )

    def test_what_its_producer_says_goes_first(self, heard: Heard) -> None:
        heard.beat("p", report())
        self.repeat(heard)
        assert heard.view().state == "degraded"
        heard.beat("p", report(state="disabled"))
        assert heard.view().state == "disabled"

    def test_a_camera_that_nobody_knows_has_none(self, heard: Heard) -> None:
        assert not self.repeat(heard)
        assert heard.known() == []


def test_a_silent_camera_of_a_sender_names_its_queue_that_is_down(heard: Heard) -> None:
    heard.result_from("school", "school-yard")
    heard.result_from("bakery", "bakery-oven")
    heard.down = ["frame_queue.from.school", "frame_queue.dlq.from.bakery"]
    heard.now += 60
    school, bakery = heard.view("school-yard"), heard.view("bakery-oven")
    assert (school.state, bakery.state) == ("quiet", "quiet")
    assert school.reason is not None
    assert school.reason.endswith(": frame_queue.from.school is down: framefleet queues repair")
    assert "down" not in str(bakery.reason), "nobody's frames wait for dead letters"
