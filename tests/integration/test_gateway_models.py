"""Switching models through the gateway on a real broker; the nodes here say what workers say and compute nothing."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from broker import Consumer, Delivery, Message
from contract.models import DesiredModels, ModelReport
from contract.status import NodeStatus, encode_status, parse_control, status_routing_key
from contract.topology import CONTROL_EXCHANGE, STATUS_EXCHANGE, EphemeralQueue
from gateway.desired.announcements import REPEAT_SECONDS
from gateway.service import Gateway
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway

pytestmark = pytest.mark.integration

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
MODELS = [
    ModelReport(name="haar", state="loaded"),
    ModelReport(name="yunet", state="available", digest="ebafce4e", licence="MIT"),
]
HEARTBEAT_SECONDS = 0.5
SOON_SECONDS = REPEAT_SECONDS / 2
"""Sooner than by the announcement that is repeated anyway."""


class Node:
    """Acts on what it hears on `control`, unless `error` is why it cannot; a heartbeat each half second."""

    def __init__(self, node_id: str, lane: str = "live") -> None:
        self.node_id = node_id
        self.lane = lane
        self.error: str | None = None
        self.heard: list[DesiredModels] = []
        self.control = Consumer(
            EphemeralQueue(bindings=((CONTROL_EXCHANGE, ""),)), self._controlled, no_ack=True
        )
        self._bus: Bus

    def _controlled(self, delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        if isinstance(control, DesiredModels):
            self.heard.append(control)

    @property
    def desired(self) -> DesiredModels:
        return max(self.heard, key=lambda desired: desired.revision, default=DesiredModels())

    def model(self) -> str:
        wish = self.desired.lanes.get(self.lane) or self.desired.cluster
        return f"{'haar' if self.error else wish or 'haar'}@0f7d4527"

    async def say(self, connection: Bus, state: Any = "running") -> None:
        status = NodeStatus(
            node_id=self.node_id,
            state=state,
            lane=self.lane,
            model=self.model(),
            detector="haar",
            fallback=None,
            prefetch=1,
            fps=1.0,
            busy=0.5,
            processed=1,
            failed=0,
            since=1.0,
            time=time.time(),
            version="0",
            desired=self.desired.revision,
            model_error=self.error,
            models=MODELS,
        )
        body = encode_status(status)
        await connection.publish(Message(STATUS_EXCHANGE, status_routing_key(status), body, mandatory=False))

    async def live(self, connection: Bus) -> None:
        while True:
            await self.say(connection)
            await asyncio.sleep(HEARTBEAT_SECONDS)


@asynccontextmanager
async def living(url: str, *nodes: Node) -> AsyncIterator[None]:
    """The nodes live until the block ends, and then say goodbye."""
    async with bus(url, *[node.control for node in nodes]) as connection:
        for node in nodes:
            await aeventually("a node's ear", lambda node=node: node.control.subscribed)  # type: ignore[misc]
        tasks = [asyncio.create_task(node.live(connection)) for node in nodes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            for node in nodes:
                await node.say(connection, "stopped")


@asynccontextmanager
async def connected_gateway(folder: Path, url: str, **settings: Any) -> AsyncIterator[Gateway]:
    async with running_gateway(folder, amqp_url=url, **settings) as gateway:
        await aeventually("a connected gateway", lambda: gateway.missing() == [] and gateway.publisher.usable)
        yield gateway


@pytest.fixture
async def gateway(rabbitmq: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with connected_gateway(tmp_path, rabbitmq) as running:
        yield running


async def ask(gateway: Gateway, method: str, path: str, expected: int = 200, **headers: str) -> Any:
    async with (
        aiohttp.ClientSession(headers={**HEADERS, **headers}) as http,
        http.request(method, f"{gateway.address}/api/models{path}") as answer,
    ):
        body = await answer.json()
        assert answer.status == expected, body
        return body


async def known(gateway: Gateway, *nodes: Node) -> None:
    """Wait until the gateway has heard of the nodes."""
    names = {node.node_id for node in nodes}
    await aeventually(
        "the nodes' heartbeats",
        lambda: names <= {status.node_id for status in gateway.nodes.statuses(time.monotonic())},
    )


async def settled(gateway: Gateway) -> Any:
    """What /available says once every node is settled."""
    await aeventually("settled", lambda: gateway.nodes.unsettled(time.monotonic()) == 0)
    view = await ask(gateway, "GET", "/available")
    assert view["settled"]
    return view


async def test_a_switch_is_announced_and_settles(rabbitmq: str, gateway: Gateway) -> None:
    first, second = Node("n1"), Node("n2", lane="batch")
    async with living(rabbitmq, first, second):
        await known(gateway, first, second)
        before = await ask(gateway, "GET", "/available")
        assert [model["name"] for model in before["models"]] == ["haar", "yunet"]
        assert (before["desired"]["revision"], before["settled"], before["running_nodes"]) == (0, True, 2)

        answer = await ask(gateway, "POST", "/switch?model=yunet")
        assert answer["desired"]["cluster"] == "yunet"
        assert [node["todo"] is None for node in answer["nodes"]] == [False, False]
        view = await settled(gateway)
        assert [node["model"] for node in view["nodes"]] == ["yunet@0f7d4527"] * 2

        await ask(gateway, "POST", "/switch?model=yunet,haar:vote&lane=batch")
        await ask(gateway, "POST", "/switch?model=haar&camera=gate-3")
        view = await settled(gateway)
        assert second.desired == first.desired
        assert first.desired.cluster == "yunet"
        assert (first.desired.lanes, first.desired.cameras) == (
            {"batch": "yunet,haar:vote"},
            {"gate-3": "haar"},
        )
        assert [node["wanted"] for node in view["nodes"]] == ["yunet", "yunet,haar:vote"]

        await ask(gateway, "DELETE", "/switch?lane=batch")
        await ask(gateway, "POST", "/switch?model=default&camera=gate-3")
        await ask(gateway, "POST", "/switch?model=default")
        await settled(gateway)
        assert first.desired == DesiredModels(revision=first.desired.revision)


async def test_a_node_that_joins_is_told_at_once(rabbitmq: str, gateway: Gateway) -> None:
    first, late = Node("n1"), Node("late")
    async with living(rabbitmq, first):
        await known(gateway, first)
        desired = (await ask(gateway, "POST", "/switch?model=yunet"))["desired"]
        await settled(gateway)
        async with living(rabbitmq, late):
            await aeventually("told", lambda: late.desired.revision == desired["revision"], SOON_SECONDS)
            await known(gateway, late)
            assert (await settled(gateway))["running_nodes"] == 2


async def test_a_restarted_gateway_goes_on_with_what_was_desired(rabbitmq: str, tmp_path: Path) -> None:
    first, late = Node("n1"), Node("late")
    async with living(rabbitmq, first):
        async with connected_gateway(tmp_path, rabbitmq) as gateway:
            await known(gateway, first)
            desired = (await ask(gateway, "POST", "/switch?model=yunet&lane=live"))["desired"]
        async with connected_gateway(tmp_path, rabbitmq) as gateway, living(rabbitmq, late):
            await known(gateway, first, late)
            assert (await settled(gateway))["desired"] == desired
            assert late.desired.lanes == {"live": "yunet"}


async def test_two_gateways_agree(rabbitmq: str, gateway: Gateway, tmp_path: Path) -> None:
    node = Node("n1")
    async with living(rabbitmq, node):
        await known(gateway, node)
        await ask(gateway, "POST", "/switch?model=yunet")
        async with connected_gateway(tmp_path / "other", rabbitmq) as other:
            await known(other, node)
            await aeventually("hears what was desired before it was", lambda: other.models.desired.cluster)
            there = await ask(other, "POST", "/switch?model=haar&lane=gpu")
            await aeventually(
                "the first hears",
                lambda: gateway.models.desired.revision == there["desired"]["revision"],
            )
            assert gateway.models.desired == other.models.desired == (await said(node, there))
        assert (gateway.models.desired.cluster, gateway.models.desired.lanes) == (
            "yunet",
            {"gpu": "haar"},
        )
    # The history is the first one's alone, and so is its operator's socket.
    kept = shutil.copytree(
        gateway.settings.data_dir, tmp_path / "again", ignore=shutil.ignore_patterns("*.sock")
    )
    async with connected_gateway(tmp_path, rabbitmq, data_dir=kept) as again:
        assert again.models.desired == gateway.models.desired


async def said(node: Node, answer: Any) -> DesiredModels:
    """What the node has heard, once it has heard the answer's revision."""
    await aeventually("heard", lambda: node.desired.revision == answer["desired"]["revision"])
    return node.desired


async def test_a_node_that_fails_says_why_and_is_counted(rabbitmq: str, gateway: Gateway) -> None:
    good, bad = Node("good"), Node("bad")
    bad.error = "model yunet: its file has the wrong SHA-256"
    async with living(rabbitmq, good, bad):
        await known(gateway, good, bad)
        await ask(gateway, "POST", "/switch?model=yunet")
        await aeventually("the good one", lambda: gateway.nodes.unsettled(time.monotonic()) == 1)
        await aeventually("the gauge", lambda: gauge(gateway) == 1)
        view = await ask(gateway, "GET", "/available")
        assert (view["settled"], view["settled_nodes"], view["running_nodes"]) == (False, 1, 2)
        failing = view["nodes"][0]
        assert (failing["node_id"], failing["model"], failing["model_error"]) == (
            "bad",
            "haar@0f7d4527",
            bad.error,
        )
        assert bad.error in failing["todo"]
        async with websockets.connect(
            gateway.address.replace("http", "ws") + "/ws/results",
            additional_headers=HEADERS,
            subprotocols=[websockets.Subprotocol("framefleet.v1")],
        ) as socket:
            told = {node["node_id"]: node for node in await nodes_event(socket)}
        assert (told["bad"]["model_error"], told["bad"]["settled"], told["good"]["settled"]) == (
            bad.error,
            False,
            True,
        )
        bad.error = None
        await settled(gateway)
        await aeventually("the gauge", lambda: gauge(gateway) == 0)


def gauge(gateway: Gateway) -> float | None:
    return gateway.metrics.registry.get_sample_value("cv_models_unsettled_nodes")


async def nodes_event(socket: websockets.ClientConnection) -> Any:
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 5))
        if message["type"] == "nodes":
            return message["items"]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("model=yunett", 404, "did you mean yunet?"),
        ("model=yunet,other", 404, "no worker knows the model other"),
        ("model=yunet,yunet", 422, "names a model twice"),
        ("model=yunet:most", 422, "is not a merge strategy"),
        ("model=../yunet", 422, "is not a model name"),
        ("model=", 422, "model:"),
        ("", 422, "model:"),
        ("model=yunet&lane=fast", 422, "lane:"),
        ("model=yunet&camera=a.b", 422, "camera:"),
        ("model=yunet&lane=live&camera=a", 422, "lane and camera at once"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_reason(
    rabbitmq: str, gateway: Gateway, query: str, status: int, words: str
) -> None:
    node = Node("n1")
    async with living(rabbitmq, node):
        await known(gateway, node)
        problem = await ask(gateway, "POST", f"/switch?{query}", status)
        assert problem["status"] == "error"
        assert words in problem["error"]
    assert gateway.models.desired == DesiredModels()


async def test_without_workers_nothing_can_be_chosen_but_cleared(gateway: Gateway) -> None:
    assert "no worker is there" in (await ask(gateway, "POST", "/switch?model=yunet", 503))["error"]
    view = await ask(gateway, "DELETE", "/switch")
    assert view["desired"]["revision"] > 0
    assert not view["settled"]


async def test_a_foreign_page_cannot_switch(rabbitmq: str, gateway: Gateway) -> None:
    node = Node("n1")
    async with living(rabbitmq, node):
        await known(gateway, node)
        await ask(gateway, "POST", "/switch?model=yunet", 403, Origin="https://elsewhere.example")
    assert gateway.models.desired == DesiredModels()
