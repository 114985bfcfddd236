"""One token that takes all that it can, beside one that wants what is its own: on a real broker, with real sockets."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from aiohttp import web

from broker import Message, aio
from contract.dead_letters import REASON, TIME
from contract.result import encode_result
from contract.status import CameraReport, CamerasStatus
from contract.topology import DEAD_LETTER_QUEUE
from gateway.dead_letters import reader
from gateway.history import queries
from gateway.live import live_view
from gateway.live.results import parse_received
from gateway.prometheus import proxy as prometheus_proxy
from gateway.service import Gateway
from gateway.tokens import add_token
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import other_prometheus
from tests.helpers.results import result
from tests.integration.test_gateway_live import Worker

pytestmark = pytest.mark.integration
KNOWN = [f"c{n}" for n in range(1_100)]


@pytest.fixture
async def worker(rabbitmq: str) -> AsyncIterator[Worker]:
    made = Worker(rabbitmq)
    await made.start()
    yield made
    await aio.stop(made.connection)


def viewer_token(gateway: Gateway, name: str, role: Any = "viewer") -> str:
    wall = time.time()
    token = add_token(gateway.settings.tokens, name, role, wall, wall + 1_000)
    gateway.authenticator.refresh(wall)
    return token


@asynccontextmanager
async def connected(
    gateway: Gateway, token: str, *, dashboard: bool = True
) -> AsyncIterator[websockets.ClientConnection]:
    async with websockets.connect(
        f"ws://127.0.0.1:{gateway.port}/ws/results",
        additional_headers={"Authorization": f"Bearer {token}"},
        subprotocols=[websockets.Subprotocol("framefleet.v1")] if dashboard else None,
        max_size=None,
    ) as socket:
        yield socket


def client(gateway: Gateway, token: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        gateway.address,
        headers={"Authorization": f"Bearer {token}"},
        connector=aiohttp.TCPConnector(limit=0),
    )


async def watch(socket: websockets.ClientConnection, pictures: Iterable[str]) -> None:
    await socket.send(json.dumps({"type": "subscribe", "cameras": [], "pictures": list(pictures)}))


async def told(socket: websockets.ClientConnection, kind: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            received = await socket.recv()
            if isinstance(received, str) and (message := json.loads(received))["type"] == kind:
                return message


async def picture(socket: websockets.ClientConnection) -> bytes:
    async with asyncio.timeout(10):
        while not isinstance(received := await socket.recv(), bytes):
            pass
    return received


def serve_cameras(gateway: Gateway, cameras: Iterable[str]) -> None:
    """A producer names its cameras."""
    wall = time.time()
    reports = [CameraReport(camera_id=camera_id, state="live", since=wall) for camera_id in cameras]
    status = CamerasStatus(producer_id="p", producer_since=wall, cameras=reports, time=wall)
    gateway.cameras.heard_cameras(status, time.monotonic(), wall)


def refused(gateway: Gateway, reason: str) -> float:
    return gateway.metrics.registry.get_sample_value("gateway_refused_total", {"reason": reason}) or 0.0


async def test_one_viewer_takes_nobody_s_pictures(
    rabbitmq: str, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "PICTURES_AT_ONCE", 1e6)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(tmp_path, amqp_url=rabbitmq))
        await aeventually("all is there", lambda: not gateway.missing())
        serve_cameras(gateway, KNOWN)
        token = viewer_token(gateway, "greedy")
        greedy = [await stack.enter_async_context(connected(gateway, token)) for _ in range(9)]
        for number, socket in enumerate(greedy[:4]):
            await watch(socket, [f"invented-{number}-{n}" for n in range(256)])
        for number, socket in enumerate(greedy[4:]):
            await watch(socket, (KNOWN * 2)[number * 256 : (number + 1) * 256])
        await aeventually("it wants it all", lambda: len(gateway.hub.watched) > 2_000)

        other = await stack.enter_async_context(connected(gateway, TOKEN))
        wanted = [*KNOWN[-30:], *KNOWN[:30]]
        await watch(other, wanted)
        announced: list[str] = []

        async def heard() -> None:
            while not set(wanted) <= set(announced):
                announced[:] = (await worker.announced.get()).cameras

        await asyncio.wait_for(heard(), 15)
        assert len(announced) <= 1_000
        assert not [camera_id for camera_id in announced if camera_id.startswith("invented")]

        async def pictures() -> None:  # as a worker sends them, before the broker has bound the queue too
            for number in count(1):
                await worker.picture(KNOWN[-1], number)
                await asyncio.sleep(0.1)

        sending = asyncio.create_task(pictures())
        assert KNOWN[-1].encode() in await picture(other)
        sending.cancel()
        assert len((await told(greedy[0], "withheld"))["unknown"]) == 256
        telling = [asyncio.create_task(told(socket, "withheld")) for socket in greedy[4:]]
        done, others = await asyncio.wait(telling, return_when=asyncio.FIRST_COMPLETED)
        assert done.pop().result()["crowded"]
        for task in others:
            task.cancel()
        assert refused(gateway, "pictures") > 1_024


async def test_a_camera_is_watched_as_soon_as_it_is_known(rabbitmq: str, tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        connected(gateway, TOKEN) as socket,
    ):
        await aeventually("all is there", lambda: not gateway.missing())
        await watch(socket, ["gate"])
        assert await told(socket, "withheld") == {"type": "withheld", "unknown": ["gate"], "crowded": []}
        serve_cameras(gateway, ["gate"])
        assert await told(socket, "withheld") == {"type": "withheld", "unknown": [], "crowded": []}


@pytest.mark.calm
async def test_probes_are_answered_whatever_viewers_do(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        now = time.time()
        for camera_id in KNOWN:
            body = encode_result(result(now, 1, camera_id=camera_id, frame_id=f"{camera_id}:1"))
            gateway.results.take(parse_received(body))
        token = viewer_token(gateway, "greedy")
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.helpers.greedy", url, token, "60", str(len(KNOWN))),
            stdin=asyncio.subprocess.PIPE,
        )
        try:
            await aeventually("all sockets", lambda: gateway.hub.viewers == 60, seconds=60)
            # In seconds of this thread, which is the gateway's: others may be busy too.
            waited: list[float] = []
            async with aiohttp.ClientSession(gateway.address) as http:
                for _ in range(100):
                    began = time.thread_time()
                    async with http.get("/livez") as answer:
                        assert answer.status == 200
                    waited.append(time.thread_time() - began)
                    await asyncio.sleep(0.02)
        finally:
            process.kill()
            await process.wait()
        waited.sort()
        print(
            f"\n/livez beside 60 greedy sockets: p50 {waited[len(waited) // 2] * 1000:.0f} ms, "
            f"p95 {waited[len(waited) * 95 // 100] * 1000:.0f} ms, most {waited[-1] * 1000:.0f} ms"
        )
        assert waited[len(waited) * 95 // 100] < 0.05


async def test_sockets_are_shared_by_tokens(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(tmp_path, max_viewers=4))
        token = viewer_token(gateway, "greedy")
        greedy = [
            await stack.enter_async_context(connected(gateway, token, dashboard=False)) for _ in range(4)
        ]
        with pytest.raises(websockets.InvalidStatus) as full:
            async with connected(gateway, token):
                pass
        assert full.value.response.status_code == 503
        await stack.enter_async_context(connected(gateway, TOKEN))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(greedy[3].recv(), 5)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, "most of them" in closed.value.rcvd.reason) == (1013, True)
        await aeventually("four again", lambda: gateway.hub.viewers == 4)
        assert refused(gateway, "sockets") == 2


async def test_a_token_has_its_limit_of_sockets(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, max_viewers_per_token=1) as gateway,
        connected(gateway, TOKEN),
        connected(gateway, viewer_token(gateway, "other")),
    ):
        with pytest.raises(websockets.InvalidStatus) as limited:
            async with connected(gateway, TOKEN):
                pass
        assert limited.value.response.status_code == 429
        assert b"GATEWAY_MAX_VIEWERS_PER_TOKEN" in limited.value.response.body


async def test_scrolling_too_far_waits_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each camera more is a binding at the broker."""
    monkeypatch.setattr(live_view, "PICTURES_AT_ONCE", 500.0)
    monkeypatch.setattr(live_view, "PICTURES_PER_SECOND", 10.0)
    async with running_gateway(tmp_path) as gateway, connected(gateway, TOKEN) as socket:
        for number in range(8):
            await watch(socket, [f"c{number}-{n}" for n in range(256)])
        await aeventually("it waits", lambda: refused(gateway, "subscriptions") > 0)
        assert "c7-0" not in gateway.hub.watched
        async with connected(gateway, viewer_token(gateway, "other")) as other:
            await watch(other, ["mine"])
            await aeventually("another does not", lambda: "mine" in gateway.hub.watched, seconds=2)
        await aeventually("the last one holds", lambda: "c7-0" in gateway.hub.watched)


async def test_a_token_s_slow_queries_keep_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_proxy, "AT_ONCE", 2)
    go = asyncio.Event()

    async def held(request: web.Request) -> web.StreamResponse:
        if request.query.get("query") == "slow":
            await go.wait()
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(other_prometheus(held))
        gateway = await stack.enter_async_context(running_gateway(tmp_path, prometheus_url=url))
        greedy = await stack.enter_async_context(client(gateway, viewer_token(gateway, "greedy")))
        other = await stack.enter_async_context(client(gateway, TOKEN))

        async def ask(http: aiohttp.ClientSession, query: str) -> int:
            async with http.get("/api/prometheus/api/v1/query", params={"query": query}) as answer:
                return answer.status

        slow = [asyncio.create_task(ask(greedy, "slow")) for _ in range(150)]
        await aeventually("it waits for itself", lambda: refused(gateway, "queries") > 0)
        async with asyncio.timeout(3):
            assert [await ask(other, "quick") for _ in range(5)] == [200] * 5
        go.set()
        await asyncio.gather(*slow)


async def test_a_token_s_slow_questions_to_the_history_keep_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    def slow(connection: Any, *_: object) -> Any:
        return connection.exec_driver_sql(endless).all()

    monkeypatch.setattr(queries, "events", slow)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(tmp_path))
        await aeventually("the history", lambda: gateway.history.database.opened)
        greedy = await stack.enter_async_context(client(gateway, viewer_token(gateway, "greedy")))
        other = await stack.enter_async_context(client(gateway, TOKEN))

        async def ask(http: aiohttp.ClientSession, path: str) -> int:
            async with http.get(path) as answer:
                await answer.read()
                return answer.status

        asking = [asyncio.create_task(ask(greedy, "/api/events")) for _ in range(40)]
        await aeventually("it waits for itself", lambda: refused(gateway, "queries") >= 8)
        began = time.monotonic()
        assert [await ask(other, "/api/activity") for _ in range(5)] == [200] * 5
        assert time.monotonic() - began < 1.5  # less than one of the greedy one's questions takes
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_an_export_leaves_room_for_another_token_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path) as gateway:
        readers = gateway.history.readers
        ends = [readers.begin_export(("token greedy",)) for _ in range(4)]
        async with client(gateway, viewer_token(gateway, "other")) as http:
            await aeventually("the history", lambda: gateway.history.database.opened)
            async with http.get("/api/events/export") as answer:
                assert answer.status == 200
                await answer.read()
        for end in ends:
            end()


async def test_what_dashboards_report_is_held_to_what_is_known(
    rabbitmq: str, worker: Worker, tmp_path: Path
) -> None:
    """Ages of pictures that were never shown count for nothing; others lie between arrival and report."""
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        connected(gateway, viewer_token(gateway, "liar")) as liar,
    ):
        await aeventually("all is there", lambda: not gateway.missing())
        serve_cameras(gateway, ["gate"])
        await watch(liar, ["gate"])
        async with asyncio.timeout(10):
            while (await worker.announced.get()).cameras != ["gate"]:
                pass
        value = gateway.metrics.registry.get_sample_value

        frame_id = (await worker.picture("gate", 1)).frame_id
        await picture(liar)
        await liar.send(json.dumps({"type": "painted", "frame_id": "never", "age": 1000.0}))
        await liar.send(json.dumps({"type": "painted", "frame_id": frame_id, "age": 1000.0}))
        await aeventually("it counts", lambda: value("gateway_paint_age_seconds_count") == 1)
        assert 0 < (value("gateway_paint_age_seconds_sum") or 0) < 30


async def test_dead_letters_are_the_operator_s_and_looked_at_once(
    rabbitmq: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(reader, "REST", 0.0)
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        client(gateway, viewer_token(gateway, "anna")) as viewer,
        client(gateway, viewer_token(gateway, "olga", "operator")) as operator,
        bus(rabbitmq) as b,
    ):
        await aeventually("all is there", lambda: not gateway.missing())

        async def publish(frame_id: str) -> None:
            headers = {REASON: "not_json", TIME: str(time.time())}
            await b.publish(Message("", DEAD_LETTER_QUEUE, b"x", "text/plain", headers, message_id=frame_id))

        async def listed() -> Any:
            async with operator.get("/api/dlq") as answer:
                assert answer.status == 200
                return await answer.json()

        async with viewer.get("/api/dlq") as answer:
            assert answer.status == 403
        await publish("f1")
        await publish("f2")
        first = await listed()
        while first["total"] < 2:
            first = await listed()
        again = await listed()
        assert again["time"] == first["time"]  # nothing was read again
        await publish("f3")
        third = await listed()
        while third["total"] < 3:
            third = await listed()
        assert (third["complete"], len(third["items"])) == (True, 3)

        async with viewer.get("/api/frames/f1") as answer:
            assert answer.status == 404
        async with operator.get("/api/frames/f1") as answer:
            assert (answer.status, (await answer.json())["outcome"]) == (200, "dead_letter")

        monkeypatch.setattr(reader, "REST", 1e9)
        await publish("f4")
        fourth = await listed()
        while fourth["total"] < 4:
            fourth = await listed()
        fifth = await listed()
        await publish("f5")
        while fifth["total"] < 5:
            fifth = await listed()
        assert (fifth["complete"], len(fifth["items"]), fifth["time"]) == (False, 4, fourth["time"])
