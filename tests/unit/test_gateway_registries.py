"""Cameras, nodes, statistics and watched cameras: time is an argument, nothing waits."""

from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from contract.api.cameras import CameraView
from contract.result import DetectedObject, Result
from contract.status import CameraStatus, NodeStatus, ProducerStatus
from gateway.cameras.admission import GHOST_RESULTS, GHOST_SECONDS
from gateway.cameras.cameras import FORGET_AFTER_SECONDS, Cameras
from gateway.consumers import MAX_GATEWAYS, Gateways, foreign_consumers
from gateway.hearing import SETTLES_SECONDS, Hearing
from gateway.live.hub import Hub
from gateway.live.states import States
from gateway.live.update import Subscription
from gateway.live.viewer import Viewer, ViewerKind
from gateway.live.watch_list import ANNOUNCE_SECONDS, GRACE_SECONDS, WatchList
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from gateway.statistics import KEPT_SECONDS, Statistics

WALL = 1_795_000_000.0


def result(camera: str = "a", **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "timestamp": WALL + 0.1,
        "original_timestamp": WALL,
        "node_id": "n1",
        "detections": [DetectedObject(x=0, y=0, w=1, h=1, confidence=1.0, label="face")],
        "camera_id": camera,
        "frame_id": "f",
        "width": 640,
        "height": 480,
        "model": "m",
        "status": "ok",
        "processing_seconds": 0.01,
        "queue_seconds": 0.0,
    }
    return Result(**{**fields, **changes})


def camera_status(state: Any = "live", since: float = WALL, sent: int = 1) -> CameraStatus:
    return CameraStatus(
        camera_id="a",
        producer_id="p",
        state=state,
        reason=None if state == "live" else "why",
        since=since,
        fps=10.0,
        sent=sent,
        dropped={},
        time=WALL,
    )


def producer_status(state: Any = "running") -> ProducerStatus:
    return ProducerStatus(
        producer_id="p", state=state, cameras=1, outstanding=0, window=1, since=WALL, time=WALL, version="0"
    )


def node_status(
    node: str = "n1", state: Any = "running", failed: int = 0, since: float = WALL, lane: str = "live"
) -> NodeStatus:
    return NodeStatus(
        node_id=node,
        state=state,
        lane=lane,
        model="m",
        detector="haar",
        fallback=None,
        prefetch=1,
        fps=10.0,
        busy=0.5,
        processed=1,
        failed=failed,
        since=since,
        time=WALL,
        version="0",
    )


class TestCameras:
    def view(self, cameras: Cameras, after: float) -> CameraView:
        (view,) = cameras.views(after)
        return view

    def test_a_plain_client_s_camera_is_judged_by_its_results(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        cameras.result(result(), 0.0, WALL)
        view = self.view(cameras, 5.0)
        assert (view.state, view.faces, view.width, view.last_result) == ("live", 1, 640, WALL)
        assert view.latency == pytest.approx(0.1)
        view = self.view(cameras, 11.0)
        assert (view.state, view.since) == ("quiet", WALL)
        assert view.reason is not None
        assert view.fps is None

    def test_the_rate_is_that_of_the_last_seconds(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        for number in range(101):
            cameras.result(result(), number * 0.1, WALL)
        assert self.view(cameras, 10.0).fps == pytest.approx(10.0, rel=0.05)

    def test_a_producer_speaks_for_its_camera(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        cameras.heard_camera(camera_status("connecting"), 0.0, WALL)
        view = self.view(cameras, 1.0)
        assert (view.state, view.reason, view.since, view.producer_id) == ("connecting", "why", WALL, "p")

    def test_a_silent_producer_s_cameras_are_offline(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        cameras.heard_camera(camera_status(), 0.0, WALL)
        cameras.heard_producer(producer_status(), 3.0, WALL + 3)
        view = self.view(cameras, 8.0)
        assert view.state == "live"
        view = self.view(cameras, 9.1)
        assert (view.state, view.since) == ("offline", WALL + 3)
        assert view.reason is not None
        assert view.reason.startswith("producer not heard since ")

    def test_a_stopped_producer_s_cameras_are_disabled_at_once(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        cameras.heard_camera(camera_status(), 0.0, WALL)
        cameras.heard_producer(producer_status("stopped"), 1.0, WALL + 1)
        view = self.view(cameras, 1.0)
        assert (view.state, view.since) == ("disabled", WALL + 1)

    def test_a_live_camera_without_results_is_degraded(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        for now in range(0, 31, 2):
            cameras.heard_camera(camera_status(sent=now), float(now), WALL + now)
        assert self.view(cameras, 9.0).state == "live"
        view = self.view(cameras, 31.0)
        assert view.state == "degraded"
        assert "worker" in str(view.reason)
        cameras.result(result(), 31.0, WALL + 31)
        assert self.view(cameras, 31.0).state == "live"

    def test_cameras_are_forgotten_after_a_day(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        for _ in range(GHOST_RESULTS):
            cameras.result(result(), 0.0, WALL)
        cameras.tidy(FORGET_AFTER_SECONDS)
        assert len(cameras.views(0.0)) == 1
        cameras.tidy(FORGET_AFTER_SECONDS + 1)
        assert cameras.views(0.0) == []

    def test_a_handful_of_a_plain_client_s_frames_is_forgotten_after_ten_minutes(self) -> None:
        cameras = Cameras(lambda now: ["live"])
        cameras.result(result("ghost"), 0.0, WALL)
        cameras.result(result("school-1", sender="school"), 0.0, WALL)
        cameras.result(result("known"), 0.0, WALL)
        cameras.heard_camera(replace(camera_status(), camera_id="known"), 0.0, WALL)
        cameras.tidy(GHOST_SECONDS)
        assert len(cameras.views(0.0)) == 3
        cameras.tidy(GHOST_SECONDS + 1)
        assert [view.camera_id for view in cameras.views(0.0)] == ["known", "school-1"]

    def test_cameras_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.cameras.cameras.MAX_CAMERAS", 2)
        cameras = Cameras(lambda now: ["live"])
        for now, camera in enumerate(("a", "b", "a", "c")):
            cameras.result(result(camera), float(now), WALL)
        assert [view.camera_id for view in cameras.views(4.0)] == ["a", "c"]


class TestNodes:
    def test_running_lost_forgotten(self) -> None:
        nodes = Nodes()
        nodes.heard(node_status(), 0.0, WALL)
        assert [(v.state, v.fps, v.last_seen) for v in nodes.views(6.0)] == [("running", 10.0, WALL)]
        assert nodes.live(6.0) == 1
        assert [(v.state, v.fps, v.busy) for v in nodes.views(6.1)] == [("lost", 0.0, 0.0)]
        assert nodes.live(6.1) == 0
        nodes.tidy(300.0)
        assert nodes.views(300.0)
        nodes.tidy(301.0)
        assert not nodes.views(301.0)

    def test_without_a_broker_none_is_called_lost(self) -> None:
        answered = 0.0
        nodes = Nodes(Hearing(lambda: answered))
        nodes.heard(node_status(), 0.0, WALL)
        assert [v.state for v in nodes.views(4.0)] == ["running"]
        assert [v.state for v in nodes.views(9.0)] == ["unknown"]
        answered = 20.0
        assert [v.state for v in nodes.views(20.0)] == ["unknown"]
        answered = 20.1 + SETTLES_SECONDS
        assert [v.state for v in nodes.views(answered)] == ["lost"]

    def test_who_was_heard_before_the_broker_answered_last_is_overdue_by_the_brokers_word(self) -> None:
        """A broker that stands still two seconds after a heartbeat: the node would be overdue first."""
        answered = 2.0
        nodes = Nodes(Hearing(lambda: answered))
        nodes.heard(node_status(), 0.0, WALL)
        seen = [nodes.views(now / 10)[0].state for now in range(30, 90)]
        assert set(seen) == {"running", "unknown"}
        answered = 7.0
        alone = Nodes(Hearing(lambda: answered))
        alone.heard(node_status(), 0.0, WALL)
        assert [v.state for v in alone.views(8.0)] == ["lost"]

    def test_a_node_that_says_goodbye_is_gone(self) -> None:
        nodes = Nodes()
        nodes.heard(node_status(), 0.0, WALL)
        nodes.heard(node_status(state="draining"), 1.0, WALL)
        assert nodes.views(1.0)[0].state == "draining"
        nodes.heard(node_status(state="stopped"), 2.0, WALL)
        assert nodes.views(2.0) == []

    def test_failures_are_differences_and_a_restart_begins_anew(self) -> None:
        nodes = Nodes()
        assert nodes.heard(node_status(failed=5), 0.0, WALL) == 0
        assert nodes.heard(node_status(failed=8), 2.0, WALL) == 3
        assert nodes.heard(node_status(failed=2, since=WALL + 9), 4.0, WALL) == 0
        assert nodes.heard(node_status(failed=3, since=WALL + 9), 6.0, WALL) == 1


class TestStatistics:
    def test_figures_of_the_last_minute(self) -> None:
        statistics = Statistics(WALL)
        for second in range(120):
            for _ in range(10):
                latency = 0.1 if second < 60 else 0.2
                statistics.result(result(), WALL + second, latency)
        figures = statistics.figures(WALL + 119.5)
        assert figures.rate == pytest.approx(10.0, rel=0.05)
        assert figures.mean == pytest.approx(0.2, rel=0.01)
        assert figures.latency.p50 == pytest.approx(0.15)  # between the edges 0.1 and 0.2
        assert figures.latency.p99 == pytest.approx(0.2, rel=0.1)
        assert figures.node_p95["n1"] == pytest.approx(0.01, rel=0.1)
        assert (figures.not_computed, figures.errors, figures.depth) == (0.0, 0.0, None)

    def test_a_young_gateway_divides_by_its_age(self) -> None:
        statistics = Statistics(WALL)
        assert statistics.figures(WALL + 0.5).rate is None
        for second in range(10):
            statistics.result(result(), WALL + second, 0.1)
        assert statistics.figures(WALL + 10).rate == pytest.approx(1.0)

    @pytest.mark.parametrize("part", [0.0, 0.5, 0.99])  # of the second that has begun
    def test_ten_seconds_after_the_last_frame_the_rate_is_zero(self, part: float) -> None:
        """It is shown as now. What the last minute was like is in the other figures, and in the history."""
        statistics = Statistics(WALL)
        for second in range(60):
            for _ in range(10):
                statistics.result(result(), WALL + second, 0.1)
        assert statistics.figures(WALL + 60 + part).rate == pytest.approx(10.0)
        figures = statistics.figures(WALL + 69 + part)
        assert figures.rate == 0
        assert figures.mean is not None

    def test_nothing_known_is_none_and_no_latency_is_zero(self) -> None:
        statistics = Statistics(WALL)
        figures = statistics.figures(WALL + 10)
        assert (figures.rate, figures.mean, figures.latency.p95, figures.not_computed) == (
            0,
            None,
            None,
            None,
        )
        statistics.result(result(), WALL + 10, 0.0)
        assert statistics.figures(WALL + 11).mean == 0.0

    def test_what_was_not_computed(self) -> None:
        statistics = Statistics(WALL)
        for _ in range(7):
            statistics.result(result(), WALL, 0.1)
        for _ in range(2):
            statistics.result(result(status="expired"), WALL, 0.1)
        statistics.failed(1, WALL)
        statistics.depth(12, WALL + 1)
        figures = statistics.figures(WALL + 10)
        assert figures.not_computed == pytest.approx(0.3)
        assert (figures.errors, figures.depth) == (0.1, 12)
        assert statistics.figures(WALL + 12).depth is None
        statistics.dropped(10, WALL + 10)  # by producers
        assert statistics.figures(WALL + 10).not_computed == pytest.approx(0.65)

    def test_what_a_named_sender_lets_wait_is_its_own_affair(self) -> None:
        statistics = Statistics(WALL)
        statistics.result(result(), WALL, 0.1)
        statistics.result(result(), WALL, 9.0, of_sender=True)
        statistics.result(result(status="expired"), WALL, 9.0, of_sender=True)
        figures = statistics.figures(WALL + 12)
        assert (figures.rate, figures.mean, figures.not_computed) == (0.0, 0.1, 0.0)

    def test_percentiles_are_those_of_prometheus(self) -> None:
        """histogram_quantile(): linear between edges, and the last edge for what lies above it."""
        statistics = Statistics(WALL)
        for age in (0.15, 0.15, 0.15, 0.6):
            statistics.result(result(), WALL, age)
        latency = statistics.figures(WALL + 10).latency
        assert latency.p50 == pytest.approx(0.1 + 0.1 * 2 / 3)
        assert latency.p95 == pytest.approx(0.7)
        statistics.result(result(), WALL, 100.0)
        assert statistics.figures(WALL + 10).latency.p99 == 60

    def test_a_start_is_over_a_minute_after_the_first_result_or_was_none(self) -> None:
        statistics = Statistics(WALL)
        statistics.result(result(status="expired"), WALL + 5, 0.1)
        assert statistics.starting(WALL + 100)
        assert not statistics.starting(WALL + 180)  # nothing has come for three minutes: that is not a start
        statistics.result(result(), WALL + 10, 0.1)
        assert statistics.starting(WALL + 84)
        assert not statistics.starting(WALL + 85)
        assert not statistics.starting(WALL - 3600)  # the clock was set back: not a start for an hour

    def test_history_in_steps(self) -> None:
        statistics = Statistics(WALL)
        for second in range(30):
            statistics.result(result(), WALL + second, 0.1)
        series = statistics.series(60, 5, WALL + 30)
        assert {len(points) for points in series.values()} == {13}
        rates = [value for _, value in series["processingRate"]]
        assert rates[:7] == [None] * 7  # before it started, nothing is known
        assert rates[-6:] == [pytest.approx(1.0, abs=0.21)] * 6

    def test_a_point_of_the_history_is_the_minute_before_it(self) -> None:
        """As Prometheus' are: else the line jumps where one takes over from the other."""
        statistics = Statistics(WALL)
        for second in range(200):
            statistics.result(result(status="ok" if second < 100 else "expired"), WALL + second, 0.1)
        share = dict(statistics.series(120, 5, WALL + 200)["notComputed"])
        end = int(WALL + 200) // 5 * 5
        assert share[end - 60] == pytest.approx(40 / 60, abs=0.1)
        assert (share[end - 115], share[end]) == (0.0, 1.0)

    def test_memory_is_bounded_and_a_clock_set_back_starts_anew(self) -> None:
        statistics = Statistics(WALL)
        for second in range(KEPT_SECONDS + 100):
            statistics.result(result(), WALL + second, 0.1)
        assert len(statistics._seconds) == KEPT_SECONDS
        statistics.result(result(), WALL, 0.1)
        assert len(statistics._seconds) == 1


class TestWatching:
    def watched(self) -> tuple[WatchList, list[tuple[str, bool]], list[list[str]]]:
        bound: list[tuple[str, bool]] = []
        announced: list[list[str]] = []
        return WatchList(lambda c, on: bound.append((c, on)), announced.append), bound, announced

    def test_announced_at_once_and_then_every_three_seconds(self) -> None:
        watching, bound, announced = self.watched()
        watching.follow(frozenset("a"), 0.0)
        assert (bound, announced) == ([("a", True)], [["a"]])
        watching.follow(frozenset("a"), 1.0)
        assert len(announced) == 1
        watching.follow(frozenset("a"), ANNOUNCE_SECONDS)
        assert announced == [["a"], ["a"]]

    def test_a_grace_before_a_camera_is_let_go(self) -> None:
        watching, bound, announced = self.watched()
        watching.follow(frozenset("a"), 0.0)
        watching.follow(frozenset(), 1.0)
        watching.follow(frozenset(), GRACE_SECONDS)
        assert bound == [("a", True)]
        watching.follow(frozenset("a"), GRACE_SECONDS)
        watching.follow(frozenset(), 2 * GRACE_SECONDS + 0.1)
        assert bound == [("a", True), ("a", False)]
        assert announced[-1] == []
        count = len(announced)
        watching.follow(frozenset(), 100.0)
        watching.follow(frozenset(), 100.0 + ANNOUNCE_SECONDS / 2)
        # Nobody watches; that there is a gateway is to be heard all the same.
        assert announced[count:] == [[]]

    def test_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.live.watch_list.MAX_WATCHED", 2)
        watching, _, _ = self.watched()
        watching.follow(frozenset("abc"), 0.0)
        assert len(watching.cameras) == 2


class TestConsumers:
    def foreign(self, gateways: int = 1, **consumers: int) -> dict[str, int]:
        nodes = [node_status("n1"), node_status("n2"), node_status("n3", lane="batch")]
        counts = {queue.replace("__", "."): count for queue, count in consumers.items()}
        return foreign_consumers(counts, gateways=gateways, nodes=nodes)

    def test_each_queue_has_its_own_consumers(self) -> None:
        as_it_should_be = self.foreign(
            2, result_queue=2, frame_queue=2, frame_queue__batch=1, frame_queue__gpu=0, frame_queue__dlq=0
        )
        assert set(as_it_should_be.values()) == {0}
        others = self.foreign(
            2, result_queue=3, frame_queue=4, frame_queue__batch=1, frame_queue__gpu=1, frame_queue__dlq=1
        )
        assert list(others.values()) == [1, 2, 0, 1, 1]
        assert self.foreign(frame_queue__batch__retry__1s=1) == {"frame_queue.batch.retry.1s": 1}

    def test_one_of_ours_that_is_not_connected_just_now_hides_nobody_else_in_another_queue(self) -> None:
        assert self.foreign(2, result_queue=0, frame_queue=3) == {"result_queue": 0, "frame_queue": 1}

    def test_gateways_are_counted_by_what_they_announce(self) -> None:
        gateways = Gateways("a")
        assert gateways.live(0.0) == 1
        gateways.heard("a", 0.0)
        gateways.heard("b", 0.0)
        assert gateways.live(10.0) == 2
        assert gateways.live(10.1) == 1, "it was not heard for its time to live"

    def test_whoever_announces_a_thousand_names_costs_no_memory(self) -> None:
        gateways = Gateways("a")
        for number in range(2 * MAX_GATEWAYS):
            gateways.heard(str(number), 0.0)
        assert gateways.live(0.0) == MAX_GATEWAYS + 1


def test_states_are_told_when_they_change_and_not_with_every_result() -> None:
    hub, cameras, nodes = Hub(), Cameras(lambda now: ["live"]), Nodes()
    states = States(hub, cameras, nodes, GatewayMetrics(CollectorRegistry()))
    viewer = Viewer(ViewerKind.DASHBOARD, lambda: None)
    hub.join(viewer, Subscription(frozenset()), 0.0)
    cameras.result(result(), 0.0, WALL)
    nodes.heard(node_status(), 0.0, WALL)
    states.tick(0.0)
    assert len(viewer.take_cameras()) == 1
    assert viewer.take_nodes() is not None
    cameras.result(result(frame_id="g", detections=[]), 0.5, WALL + 0.5)
    nodes.heard(node_status(), 0.5, WALL + 0.5)
    states.tick(0.5)
    assert viewer.pending == 0
    states.tick(20.0)
    assert b"quiet" in viewer.take_cameras()[0]
    assert b"lost" in (viewer.take_nodes() or b"")
    late = Viewer(ViewerKind.DASHBOARD, lambda: None)
    states.greet(late)
    assert len(late.take_cameras()) == 1
    assert late.take_nodes() is not None
