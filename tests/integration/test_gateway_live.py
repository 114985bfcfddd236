"""The gateway on a real broker, with real WebSocket clients: live results, pictures, states, history."""

import asyncio
import base64
import contextlib
import json
import sqlite3
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from structlog.testing import capture_logs

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Publisher, aio
from contract.result import DetectedObject, Result, encode_result
from contract.status import (
    CameraLabels,
    CameraStatus,
    NodeStatus,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    encode_status,
    parse_control,
    status_routing_key,
)
from contract.topology import (
    CONTROL_EXCHANGE,
    RESULT_QUEUE,
    RESULTS_EXCHANGE,
    STATUS_EXCHANGE,
    WATCH_EXCHANGE,
    EphemeralQueue,
)
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.vhosts import VirtualHosts

pytestmark = pytest.mark.integration
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def amqp_url(virtual_hosts: VirtualHosts) -> str:
    """A virtual host of this module: its tests read on where the one before has ended."""
    return virtual_hosts.take()


class Worker:
    """What a worker says, without computing anything."""

    def __init__(self, url: str) -> None:
        self.publisher = Publisher()
        self.announced: asyncio.Queue[WatchAnnouncement] = asyncio.Queue()
        self._control = Consumer(EphemeralQueue(bindings=((CONTROL_EXCHANGE, ""),)), self._heard, no_ack=True)
        self.connection = Connection(AsyncioLoop(), [url], "test", [self.publisher, self._control])

    def _heard(self, delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        if isinstance(control, WatchAnnouncement):
            self.announced.put_nowait(control)

    async def start(self) -> None:
        self.connection.start()
        async with asyncio.timeout(10):
            while not (self.publisher.usable and self._control.subscribed):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def result(self, camera: str, number: int, **changes: Any) -> Result:
        result = make_result(camera, number, **changes)
        await self._send(RESULTS_EXCHANGE, camera, encode_result(result), persistent=True)
        return result

    async def picture(self, camera: str, number: int) -> Result:
        result = make_result(camera, number)
        headers = {"result": encode_result(result).decode()}
        message = Message(
            WATCH_EXCHANGE,
            camera,
            JPEG,
            content_type="image/jpeg",
            headers=headers,
            persistent=False,
            mandatory=False,
        )
        await aio.publish(self.publisher, message)
        return result

    async def status(self, status: Status) -> None:
        await self._send(STATUS_EXCHANGE, status_routing_key(status), encode_status(status))

    async def raw(self, exchange: str, key: str, body: bytes, **more: Any) -> None:
        await aio.publish(self.publisher, Message(exchange, key, body, mandatory=False, **more))

    async def _send(self, exchange: str, key: str, body: bytes, *, persistent: bool = False) -> None:
        await aio.publish(
            self.publisher, Message(exchange, key, body, persistent=persistent, mandatory=False)
        )


def make_result(camera: str, number: int, **changes: Any) -> Result:
    now = time.time()
    fields: dict[str, Any] = {
        "timestamp": now,
        "original_timestamp": now - 0.05,
        "node_id": "node-1",
        "detections": [DetectedObject(x=1, y=2, w=30, h=40, confidence=0.9, label="face")],
        "camera_id": camera,
        "frame_id": f"{camera}:{number}",
        "width": 640,
        "height": 480,
        "model": "haar@1",
        "status": "ok",
        "processing_seconds": 0.01,
        "queue_seconds": 0.02,
    }
    return Result(**{**fields, **changes})


@pytest.fixture
async def gateway(amqp_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, amqp_url=amqp_url) as running:
        await until(lambda: running.missing() == [])
        yield running


@pytest.fixture
async def worker(amqp_url: str) -> AsyncIterator[Worker]:
    made = Worker(amqp_url)
    await made.start()
    yield made
    await aio.stop(made.connection)


async def until(condition: Any, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def viewer(
    gateway: Gateway, query: str = "", dashboard: bool = False
) -> AsyncIterator[websockets.ClientConnection]:
    protocols = [websockets.Subprotocol("framefleet.v1")] if dashboard else None
    url = f"ws://127.0.0.1:{gateway.port}/ws/results{query}"
    async with websockets.connect(url, additional_headers=HEADERS, subprotocols=protocols) as socket:
        yield socket


async def message(socket: websockets.ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def of_type(socket: websockets.ClientConnection, kind: str) -> Any:
    while True:
        received = await asyncio.wait_for(socket.recv(), 5)
        if isinstance(received, str) and (parsed := json.loads(received))["type"] == kind:
            return parsed


async def test_a_plain_client_gets_one_result_per_message(gateway: Gateway, worker: Worker) -> None:
    async with viewer(gateway) as socket:
        sent = [await worker.result("gate", number) for number in range(20)]
        received = [await message(socket) for _ in range(20)]
    assert [r["frame_id"] for r in received] == [r.frame_id for r in sent]
    assert received[0] == json.loads(encode_result(sent[0]))
    assert set(received[0]["detections"][0]) >= {"x", "y", "w", "h"}


async def test_the_snapshot_comes_first_and_filters_apply(gateway: Gateway, worker: Worker) -> None:
    await worker.result("a", 1)
    await worker.result("b", 1)
    await until(lambda: len(gateway.cameras.known()) == 2)
    async with viewer(gateway, "?cameras=b,c") as socket:
        assert (await message(socket))["frame_id"] == "b:1"
        await worker.result("a", 2)
        await worker.result("c", 2)
        assert (await message(socket))["frame_id"] == "c:2"
        await socket.send(json.dumps({"type": "subscribe", "cameras": ["a"]}))
        assert (await message(socket))["frame_id"] == "a:2"


async def test_results_by_group_node_and_detections(gateway: Gateway, worker: Worker) -> None:
    def labelled(group: str) -> CameraStatus:
        now = time.time()
        return CameraStatus(
            camera_id="gate",
            producer_id="p.1",
            state="live",
            reason=None,
            since=now,
            fps=1.0,
            sent=0,
            dropped={},
            time=now,
            labels=CameraLabels(group=group),
        )

    await worker.result("gate", 1)
    await worker.result("hall", 1, node_id="node-2", detections=[])
    await until(lambda: len(gateway.cameras.known()) == 2)
    async with (
        viewer(gateway, "?groups=north") as north,
        viewer(gateway, "?nodes=node-2&detections=1") as node,
    ):
        await worker.status(labelled("north"))
        assert (await message(north))["frame_id"] == "gate:1"  # the group became known
        await worker.result("hall", 2)
        await worker.result("gate", 2)
        assert (await message(north))["frame_id"] == "gate:2"
        await worker.status(labelled("south"))
        await north.send(json.dumps({"type": "subscribe", "groups": ["south"]}))
        assert (await message(north))["frame_id"] == "gate:2"
        await worker.result("hall", 3, node_id="node-2", detections=[])
        await worker.result("hall", 4, node_id="node-2")
        assert (await message(node))["frame_id"] == "hall:4"
        await node.send(json.dumps({"type": "subscribe", "nodes": None, "detections": False}))
        assert (await message(node))["frame_id"] == "gate:2"


async def test_expired_results_are_counted_and_not_shown(gateway: Gateway, worker: Worker) -> None:
    async with viewer(gateway) as socket:
        await worker.result("a", 1, status="expired", hop="worker", reason="stale", detections=[])
        await worker.result("a", 2)
        assert (await message(socket))["frame_id"] == "a:2"
    assert gateway.statistics.figures(time.time()).not_computed == 0.5


async def test_results_that_overtake_each_other_reach_a_program_and_move_no_view(
    gateway: Gateway, worker: Worker
) -> None:
    async with viewer(gateway) as program, viewer(gateway, "?latest=1") as view:
        now = time.time()
        # An older one, and one that comes twice.
        for number, age in (
            (2, 0.0),
            (1, 1.0),
            (2, 0.0),
            (3, -0.1),
        ):
            await worker.result("a", number, original_timestamp=now - age)
        assert [(await message(program))["frame_id"] for _ in range(3)] == ["a:2", "a:1", "a:3"]
        assert [(await message(view))["frame_id"] for _ in range(2)] == ["a:2", "a:3"]


async def test_frame_ids_that_repeat_are_told(gateway: Gateway, worker: Worker) -> None:
    """One client numbers every frame alike; two number theirs from 0 on."""

    def repeated(missing: str) -> float | None:
        labels = {"missing": missing}
        return gateway.metrics.registry.get_sample_value("gateway_frame_ids_repeated_total", labels)

    def told(camera: str) -> tuple[str, str | None]:
        view = gateway.cameras.view(camera, time.monotonic())
        return view.state, view.reason

    async with viewer(gateway) as socket:
        for _ in range(3):
            await worker.result("same", 1, frame_id="frame")
        await worker.result("first", 0, frame_id="0")
        await worker.result("second", 0, frame_id="0")
        assert [(await message(socket))["camera_id"] for _ in range(3)] == ["same", "first", "second"]
    await until(lambda: (repeated("live"), repeated("history")) == (2, 3))
    why = "only the first result of an id is shown and kept; give every frame an id of its own"
    assert told("same") == ("degraded", f"its frame_ids repeat ('frame'): {why}")
    assert told("first") == ("live", None)
    assert told("second") == ("degraded", f"its frame_ids repeat ('0', which first has too): {why}")


async def test_watched_cameras_are_announced_and_their_pictures_arrive(
    gateway: Gateway, worker: Worker
) -> None:
    await worker.result("a", 0)
    await until(lambda: gateway.cameras.knows("a"))
    async with viewer(gateway, "?frames=1&cameras=a") as socket:
        announcement = await asyncio.wait_for(worker.announced.get(), 5)
        assert announcement.cameras == ["a"]
        await worker.picture("b", 1)  # nobody watches it
        sent = await worker.picture("a", 1)
        received = await message(socket)
        assert received["frame_id"] == sent.frame_id
        assert base64.b64decode(received["frame"]) == JPEG
        again = await asyncio.wait_for(worker.announced.get(), 5)
        assert again.cameras == ["a"]
    await until(lambda: gateway.hub.watched == frozenset())
    async with asyncio.timeout(10):  # after a grace, the workers are told that nobody watches
        while (await worker.announced.get()).cameras:
            pass


async def test_a_frames_client_gets_plain_results_while_no_picture_comes(
    gateway: Gateway, worker: Worker
) -> None:
    async with viewer(gateway, "?frames=1&cameras=a") as socket:
        await until(lambda: gateway.hub.watched)
        await worker.result("a", 1)
        await asyncio.sleep(2.1)
        await worker.result("a", 2)
        received = await message(socket)
        assert received["frame_id"] == "a:2"
        assert "frame" not in received


async def test_the_dashboard_protocol(gateway: Gateway, worker: Worker) -> None:
    await worker.result("a", 1)
    await until(lambda: len(gateway.cameras.known()) == 1)
    async with viewer(gateway, dashboard=True) as socket:
        assert socket.subprotocol == "framefleet.v1"
        hello = await message(socket)
        assert hello["type"] == "hello"
        assert abs(hello["time"] - time.time()) < 5
        assert hello["staleness"] == 2.0
        assert (await message(socket))["type"] == "nodes"
        assert (await of_type(socket, "results"))["results"][0]["frame_id"] == "a:1"
        assert (await of_type(socket, "cameras"))["items"][0]["camera_id"] == "a"
        await socket.send(json.dumps({"type": "subscribe", "cameras": None, "pictures": ["a"]}))
        await until(lambda: gateway.hub.watched)
        await asyncio.wait_for(worker.announced.get(), 5)
        sent = await worker.picture("a", 2)
        while not isinstance(received := await asyncio.wait_for(socket.recv(), 5), bytes):
            pass
        (size,) = struct.unpack_from("!I", received)
        result = json.loads(received[4 : 4 + size])
        assert (result["frame_id"], result["content_type"]) == (sent.frame_id, "image/jpeg")
        assert received[4 + size :] == JPEG
        await socket.send(json.dumps({"type": "painted", "frame_id": sent.frame_id, "age": 0.12}))
        registry = gateway.metrics.registry
        await until(lambda: registry.get_sample_value("gateway_paint_age_seconds_count") == 1.0)
        for age in (0.1, 0.2, -1.0, 1e9):  # one in half a second is enough, and these are none
            await socket.send(json.dumps({"type": "painted", "frame_id": sent.frame_id, "age": age}))
        await socket.send(json.dumps({"type": "subscribe", "pictures": []}))
        await until(lambda: not gateway.hub.watched)
        assert registry.get_sample_value("gateway_paint_age_seconds_count") == 1.0


async def test_results_gather_into_batches(gateway: Gateway, worker: Worker) -> None:
    async with viewer(gateway, dashboard=True) as socket:
        await of_type(socket, "hello")
        await asyncio.gather(*(worker.result(f"c{n}", 1) for n in range(100)))
        count, messages = 0, 0
        while count < 100:
            count += len((await of_type(socket, "results"))["results"])
            messages += 1
    assert messages < 20


async def test_heartbeats_become_nodes_and_cameras(gateway: Gateway, worker: Worker) -> None:
    now = time.time()
    node = NodeStatus(
        node_id="n1",
        state="running",
        lane="live",
        model="haar@1",
        detector="haar",
        fallback=None,
        prefetch=1,
        fps=12.34,
        busy=0.5,
        processed=10,
        failed=0,
        since=now,
        time=now,
        version="0.1.0",
    )
    producer = ProducerStatus(
        producer_id="p.1",
        state="running",
        cameras=1,
        outstanding=0,
        window=4,
        since=now,
        time=now,
        version="0.1.0",
    )
    camera = CameraStatus(
        camera_id="gate",
        producer_id="p.1",
        state="connecting",
        reason="no answer",
        since=now,
        fps=0.0,
        sent=0,
        dropped={},
        time=now,
    )
    async with viewer(gateway, dashboard=True) as socket:
        for status in (node, producer, camera):
            await worker.status(status)
        while not (items := (await of_type(socket, "nodes"))["items"]):
            pass
        assert (items[0]["node_id"], items[0]["fps"]) == ("n1", 12.34)
        camera_items = (await of_type(socket, "cameras"))["items"]
        assert (camera_items[0]["state"], camera_items[0]["reason"]) == ("connecting", "no answer")
    async with aiohttp.ClientSession(gateway.address, headers=HEADERS) as http:
        async with http.get("/api/nodes") as answer:
            assert [i["node_id"] for i in (await answer.json())["items"]] == ["n1"]
        async with http.get("/api/metrics") as answer:
            metrics = await answer.json()
        assert metrics["workers"] == 1
        assert metrics["queueDepth"] == 0
        assert set(metrics["source"].values()) == {"gateway"}
        await asyncio.gather(*(worker.result(f"c{n}", 1) for n in range(5)))
        await until(lambda: len(gateway.cameras.known()) == 6)  # and the gate
        async with http.get("/api/cameras?limit=4") as answer:
            page = await answer.json()
        assert ([i["camera_id"] for i in page["items"]], page["total"], page["next"]) == (
            ["c0", "c1", "c2", "c3"],
            6,
            "c3",
        )
        async with http.get("/api/cameras?limit=4&cursor=c3") as answer:
            page = await answer.json()
        assert ([i["camera_id"] for i in page["items"]], page["next"]) == (["c4", "gate"], None)


async def test_what_cannot_be_read_is_counted_and_harms_nothing(gateway: Gateway, worker: Worker) -> None:
    async with viewer(gateway) as socket:
        for body in (b"", b"{", b"[]", b'{"camera_id":1}', b"\xff\xfe"):
            await worker.raw(RESULTS_EXCHANGE, "a", body)
            await worker.raw(STATUS_EXCHANGE, "node.x", body)
        await worker.raw(WATCH_EXCHANGE, "a", JPEG, content_type="image/jpeg")
        await worker.result("a", 1)
        assert (await message(socket))["frame_id"] == "a:1"
    registry = gateway.metrics.registry
    for source in ("results", "status", "result_queue"):
        await until(
            lambda s=source: registry.get_sample_value("gateway_invalid_messages_total", {"source": s}) == 5
        )


async def test_a_frame_in_result_queue_is_told(gateway: Gateway, worker: Worker) -> None:
    with capture_logs() as said:
        await worker.raw("", RESULT_QUEUE, b'{"frame": "", "timestamp": 1}', app_id="mistaken")
        await until(lambda: said)
        await worker.raw(STATUS_EXCHANGE, "node.x", b"{}", app_id="too")
        await until(lambda: len(said) == 2)
    assert [(line["exchange"], line["app_id"]) for line in said] == [("", "mistaken"), ("status", "too")]
    assert "frames go to frame_queue" in said[0]["event"]
    assert "missing required field" in said[0]["reason"]


async def test_impossible_numbers_and_texts_do_not_stop_the_history(
    gateway: Gateway, worker: Worker, tmp_path: Path
) -> None:
    good = encode_result(make_result("odd", 0))
    for number, (old, new) in enumerate(
        [
            (b":640", b":" + b"9" * 30),
            (b'"haar@1"', b'"\\ud800"'),
            (b'"queue_seconds":0.02', b'"queue_seconds":1e308'),
        ]
    ):
        body = good.replace(old, new).replace(b"odd:0", b"odd:%d" % (number + 10))
        assert body != good
        await worker.raw(RESULTS_EXCHANGE, "odd", body)
    await worker.result("odd", 1)
    async with viewer(gateway) as socket:
        while (await message(socket))["frame_id"] != "odd:1":
            pass
    await until(lambda: gateway.queues.depth.messages.get("result_queue") == 0 and rows(tmp_path, "odd") >= 1)
    assert gateway.missing() == []


async def test_bad_clients_are_told_why(gateway: Gateway) -> None:
    cases: list[tuple[str | bytes, int]] = [
        ("no json", 1007),
        ('{"type":"subscribe","cameras":"a"}', 1007),
        ('{"type":"subscribe","cameras":["a.b"]}', 1007),
        ('{"type":"painted","age":"old"}', 1007),
        ("[]", 1007),
        ("[" * 30_000, 1007),
        (b"binary", 1003),
        ('{"type":"news"}', 1007),
        ("x" * 70_000, 1009),
    ]
    for sent, code in cases:
        async with viewer(gateway) as socket:
            await socket.send(sent)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code, sent[:20]
    async with viewer(gateway) as socket:
        await socket.send('{"type":"subscribe"}')
        await socket.send('{"type":"painted","frame_id":"x","age":-5}')
        for _ in range(99):
            await socket.send('{"type":"subscribe"}')
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_bad_queries_are_refused_before_the_upgrade(gateway: Gateway) -> None:
    many = ",".join(f"c{n}" for n in range(1_001))
    for query, word in {
        "?frames=1": "needs the cameras by name",
        "?frames=2": "0 or 1",
        "?detections=yes": "0 or 1",
        "?cameras=a.b": "A-Z",
        f"?cameras={'x' * 65}": "A-Z",
        f"?cameras={many}": "1000 is the most",
        f"?groups={'x' * 101}": "at most 100 characters",
        "?camera=a": "use cameras, groups, nodes, detections, latest, frames",
    }.items():
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with viewer(gateway, query):
                pass
        assert refused.value.response.status_code == 400
        assert word in refused.value.response.body.decode()


async def test_the_number_of_clients_is_bounded(amqp_url: str, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, amqp_url=amqp_url, max_viewers=1) as gateway, viewer(gateway):
        await until(lambda: gateway.hub.viewers == 1)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with viewer(gateway):
                pass
        assert refused.value.response.status_code == 503


async def test_stopping_closes_clients_and_keeps_what_arrived(amqp_url: str, tmp_path: Path) -> None:
    sender = Worker(amqp_url)
    await sender.start()
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await until(lambda: gateway.missing() == [])
        async with viewer(gateway) as socket:
            for number in range(30):
                await sender.result("stop", number)
            await message(socket)
            began = time.monotonic()
            gateway.stop()
            async with asyncio.timeout(5):
                with contextlib.suppress(websockets.ConnectionClosed):
                    while True:
                        await socket.recv()
            assert socket.close_code in (1001, 1012)
    assert time.monotonic() - began < 5
    await aio.stop(sender.connection)
    assert rows(tmp_path, "stop") == 30


async def test_history_is_written_once(gateway: Gateway, worker: Worker, tmp_path: Path) -> None:
    for number in range(50):
        await worker.result("h", number)
        await worker.result("h", number)  # delivered twice
    await until(lambda: rows(tmp_path, "h") == 50)
    await until(lambda: gateway.queues.depth.messages.get("result_queue") == 0)


def rows(folder: Path, camera: str) -> int:
    path = folder / "data" / "history.sqlite3"
    if not path.exists():
        return 0
    database = sqlite3.connect(path, timeout=10)
    try:
        return int(
            database.execute("SELECT count(*) FROM results WHERE camera_id = ?", (camera,)).fetchone()[0]
        )
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()
