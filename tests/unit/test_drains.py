"""Drains: as a value, as the gateway knows them, their price, and what the command says of them."""

import time
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from fastapi.routing import APIRoute

from cli.nodes.tables import drain_said, listing, price, undrain_said
from contract.api.nodes import (
    AbsentDrainView,
    DrainView,
    GatewayView,
    NodesView,
    NodeView,
    RemainderView,
    WorkerView,
)
from contract.drains import DesiredDrains, NodeDrain
from contract.status import (
    LOST_AFTER_SECONDS,
    NodeStatus,
    ProducerStatus,
    WatchAnnouncement,
    encode_status,
    parse_control,
)
from gateway.desired.file import load
from gateway.drains.keeper import DrainKeeper
from gateway.drains.remainder import NodePace, remainder
from gateway.drains.wish import DRAINS, check, drained, undrained
from gateway.errors import TooManyDrains
from gateway.myself import Myself
from gateway.nodes import Nodes
from gateway.nodes_api import nodes_router
from gateway.peers import Peers

WALL = 1_795_000_000.0
DRAIN = NodeDrain(since=WALL, by="main")
LATER = NodeDrain(since=WALL + 9, by="other")


def status(node_id: str = "n1", **changes: Any) -> NodeStatus:
    fields: dict[str, Any] = {
        "node_id": node_id,
        "state": "running",
        "lane": "live",
        "model": "haar@1",
        "detector": "haar",
        "fallback": None,
        "prefetch": 1,
        "fps": 10.0,
        "busy": 0.5,
        "processed": 1,
        "failed": 0,
        "since": WALL,
        "time": WALL,
        "version": "0",
        "drains": 0,
    }
    return NodeStatus(**{**fields, **changes})


def views(*statuses: NodeStatus, drains: dict[str, NodeDrain] | None = None) -> list[NodeView]:
    nodes = Nodes()
    nodes.drains = drains or {}
    for each in statuses:
        nodes.heard(each, 0.0, WALL)
    return nodes.views(0.0)


class TestDesired:
    def test_a_worker_stays_drained_since_it_was_first(self) -> None:
        desired = drained(drained(DesiredDrains(), "n1", DRAIN), "n1", LATER)
        assert desired.nodes == {"n1": DRAIN}
        assert undrained(drained(desired, "n2", LATER), "n1").nodes == {"n2": LATER}

    def test_they_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.drains.wish.MAX_DRAINS", 1)
        desired = drained(DesiredDrains(), "n1", DRAIN)
        with pytest.raises(TooManyDrains):
            drained(desired, "n2", DRAIN)

    @pytest.mark.parametrize(
        "desired",
        [
            DesiredDrains(nodes={"n1": DRAIN}),
            DesiredDrains(revision=1, nodes={"no name": DRAIN}),
            DesiredDrains(revision=1, nodes={str(number): DRAIN for number in range(1001)}),
        ],
        ids=["no revision", "no name", "too many"],
    )
    def test_what_no_gateway_says_is_refused(self, desired: DesiredDrains) -> None:
        check(DesiredDrains(revision=1, nodes={"n1": DRAIN}))
        with pytest.raises(ValueError):  # noqa: PT011
            check(desired)

    def test_they_travel_on_control(self) -> None:
        desired = DesiredDrains(revision=7, nodes={"n1": DRAIN})
        assert parse_control(encode_status(desired)) == desired

    async def test_a_drain_is_kept_and_said_until_every_worker_that_can_has_heard(
        self, tmp_path: Path
    ) -> None:
        said: list[DesiredDrains] = []
        nodes = Nodes()
        keeper = DrainKeeper(tmp_path, load(tmp_path, DRAINS), nodes, said.append)
        desired = await keeper.drain("n1", DRAIN)
        assert (load(tmp_path, DRAINS), said, dict(nodes.drains)) == (desired, [desired], {"n1": DRAIN})
        for number, word in enumerate(
            [status("older", drains=None), status("ends", state="draining"), status("lags")]
        ):
            nodes.heard(word, 0.0, WALL)
            keeper.reported(word, time.monotonic() + 10 * (number + 1))
        assert len(said) == 2, "only the one that lags is told"


class TestNodes:
    def test_states_and_what_is_desired(self) -> None:
        working, told, drains_now, out = views(
            status("a"),
            status("b"),
            status("c", state="draining"),
            status("d", state="draining", drained=True),
            drains={"b": DRAIN, "c": DRAIN, "d": DRAIN},
        )
        assert [view.state for view in (working, told, drains_now, out)] == [
            "running",
            "running",
            "draining",
            "drained",
        ]
        assert (working.drain, told.drain) == (None, DrainView(WALL, "main"))

    def test_a_drained_worker_is_no_lane_s(self) -> None:
        nodes = Nodes()
        nodes.heard(status("n1", state="draining", drained=True), 0.0, WALL)
        assert nodes.lanes(0.0) == set()

    def test_the_pace_is_that_of_half_a_minute_at_work(self) -> None:
        nodes = Nodes()
        for second in range(40):
            nodes.heard(status(fps=5.0 if second < 25 else 20.0), float(second), WALL)
        nodes.heard(status(state="draining", fps=0.0, busy=0.0), 41.0, WALL)
        assert nodes.pace("n1") == (20.0, 0.5)
        nodes.heard(status(since=WALL + 50, fps=1.0), 42.0, WALL)
        assert nodes.pace("n1") == (1.0, 0.5), "another process has another pace"
        assert nodes.pace("unknown") == (0.0, 0.0)

    @pytest.mark.parametrize(
        ("heard", "words"),
        [
            (["vm-1", "vm-2"], "heard are vm-1, vm-2"),
            ([], "none is"),
            (["vm"] * 21, "GET /api/nodes lists all"),
        ],
    )
    async def test_a_worker_that_nobody_hears_is_answered_with_those_that_are(
        self, heard: list[str], words: str, tmp_path: Path
    ) -> None:
        nodes = Nodes()
        for number, name in enumerate(heard):
            nodes.heard(status(name if len(heard) < 9 else f"{name}-{number}"), 0.0, WALL)
        keeper = DrainKeeper(tmp_path, load(tmp_path, DRAINS), nodes, lambda _said: None)
        router = nodes_router(nodes, Peers(), keeper, *[cast(Any, None)] * 3)
        drain = next(
            each for each in router.routes if isinstance(each, APIRoute) and each.path.endswith("/drain")
        )
        answer = await drain.endpoint(None, "worker-2")
        assert (answer.status_code, words in answer.body.decode()) == (404, True)


class TestRemainder:
    def test_the_others_of_its_lane_that_take_frames(self) -> None:
        all_of_them = views(
            status("a"),
            status("b"),
            status("c"),
            status("batch", lane="batch"),
            status("out", state="draining", drained=True),
            status("told"),
            drains={"told": DRAIN},
        )
        paces = {view.node_id: NodePace(10.0, 0.5) for view in all_of_them}
        first = next(view for view in all_of_them if view.node_id == "a")
        assert remainder(first, all_of_them, paces) == RemainderView(workers=2, capacity=40.0, load=30.0)

    def test_a_speed_that_nobody_knows_is_that_of_the_others_or_unknown(self) -> None:
        both = views(status("a"), status("idle"))
        paces = {"a": NodePace(10.0, 0.5), "idle": NodePace(0.0, 0.0)}
        assert remainder(both[0], both, paces).capacity == 20.0
        paces["a"] = NodePace(0.0, 0.0)
        assert remainder(both[0], both, paces).capacity is None
        assert remainder(both[0], both[:1], paces) == RemainderView(workers=0, capacity=0.0, load=0.0)


class TestPeers:
    def producer(self, confirmed: int, **changes: Any) -> ProducerStatus:
        fields: dict[str, Any] = {
            "producer_id": "p",
            "state": "running",
            "cameras": 3,
            "outstanding": 1,
            "window": 4,
            "since": WALL,
            "time": WALL,
            "version": "0",
            "confirmed": {"live": confirmed},
        }
        return ProducerStatus(**{**fields, **changes})

    def test_a_producer_s_rate_and_silence(self) -> None:
        peers = Peers()
        peers.heard_producer(self.producer(10), 0.0, WALL)
        assert [view.fps for view in peers.producers(0.0)] == [None]
        peers.heard_producer(self.producer(30), 2.0, WALL)
        assert [view.fps for view in peers.producers(2.0)] == [10.0]
        (silent,) = peers.producers(2.0 + LOST_AFTER_SECONDS + 1)
        assert (silent.state, silent.fps) == ("lost", None)
        peers.heard_producer(self.producer(30, state="stopped"), 4.0, WALL)
        assert peers.producers(4.0) == []

    def test_gateways_know_each_other_and_themselves(self) -> None:
        own = Myself("a-1", "a").view(list)
        peers = Peers()
        peers.heard_gateway(WatchAnnouncement(gateway_id="a-1", cameras=[]), 0.0, WALL)
        peers.heard_gateway(Myself("b-2", "b").announcement(["gate"]), 0.0, WALL)
        peers.heard_gateway(WatchAnnouncement(gateway_id="c", cameras=[]), 0.0, WALL)  # of an older version
        first, second, third = peers.gateways(0.0, own)
        assert (first, first.own) == (own, True)
        assert (second.host, second.version, second.state) == ("b", own.version, "running")
        assert (third.version, third.since) == (None, None)
        peers.tick(301.0)
        assert peers.gateways(301.0, own) == [own]


def worker(view: NodeView, **without: Any) -> WorkerView:
    return WorkerView(
        **{name: getattr(view, name) for name in NodeView.__dataclass_fields__},
        p95=0.0061,
        lacks=["YuNet is not here"],
        without=RemainderView(**{"workers": 2, "capacity": 31.2, "load": 24.04, **without}),
    )


def told(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


class TestCommand:
    def test_a_listing_tells_of_all_and_of_what_is_noteworthy(self) -> None:
        (view,) = views(
            status("n1", state="draining", drained=True, memory=231_000_000), drains={"n1": DRAIN}
        )
        own = GatewayView("g-1", True, "running", WALL, WALL, "0", "host", 142_000_000, [])
        answer = NodesView([worker(view)], 1, [], [own], [AbsentDrainView("gone", WALL, None)])
        text = listing(told(answer), WALL + 600)
        assert "n1      drained 10m ago by main  live  haar@1  10.0   50%  6.1 ms  231 MB" in text
        assert "n1: drained" not in text, "once is enough"
        assert "gone: drained 10m ago, and not there" in text
        assert "n1: YuNet is not here" in text
        assert "no worker is heard" in listing(told(NodesView([], None, [], [own], [])), WALL)

    def test_a_worker_that_is_not_heard_obeys_when_it_is_back(self) -> None:
        def answer(state: str) -> Any:
            return {"items": [{"node_id": "n1", "state": state, "last_seen": WALL}]}

        assert drain_said(answer("running"), "n1", WALL) == "n1 finishes what it has and takes no more."
        assert undrain_said(answer("drained"), "n1", WALL) == "n1 takes frames again."
        assert "n1 has not been heard for 3m. It will finish" in drain_said(answer("lost"), "n1", WALL + 180)
        assert "does not hear RabbitMQ" in drain_said(answer("unknown"), "n1", WALL)
        assert drain_said(answer("lost"), "gone", WALL).startswith("gone is not heard. It will finish")
        assert "It will take frames when it is back" in undrain_said(answer("lost"), "n1", WALL)

    @pytest.mark.parametrize(
        ("without", "words"),
        [
            (
                {},
                "2 workers remain in the lane live, good for about 31.2 frames a second; 24.0 are computed now.",
            ),
            ({"workers": 1, "capacity": 12.0}, "That is too little: frames will wait or expire."),
            ({"capacity": None}, "is not known yet"),
            ({"workers": 0, "capacity": 0.0}, "No other worker takes frames of the lane live: 24.0 frames"),
        ],
    )
    def test_the_price_in_numbers(self, without: dict[str, Any], words: str) -> None:
        assert words in price(told(worker(views(status())[0], **without)))
