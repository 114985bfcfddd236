"""Clients that send what no client should: they are let go of, nothing of them stays, and nobody else notices."""

import asyncio
import gc
import logging
import os
import random
import struct
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import websockets
from structlog.testing import capture_logs

from bench.machine import resident
from gateway.live.update import Update
from gateway.service import Gateway
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.malformed import MALFORMED, bad_handshakes, frame, handshake

pytestmark = pytest.mark.integration
HARMLESS = {"cut short", "long form of a short length"}
"""Nothing wrong has arrived yet, or nothing that must be refused: the connection may stay."""


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, patience=1.0) as running:
        yield running


@pytest.fixture
def no_errors(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    said = caplog.get_records("call")  # `caplog.records` would be those of this teardown
    records = [r for r in said if not r.name.startswith("pika")]  # there is no broker here
    assert [r.getMessage() for r in records if r.levelno >= logging.ERROR] == []
    assert "Traceback" not in "".join(capfd.readouterr())


class Healthy:
    """A viewer beside them: which results it got, and how late."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.numbers: list[int] = []
        self.delays: list[float] = []
        self.sent = 0

    async def __aenter__(self) -> "Healthy":
        url = f"ws://127.0.0.1:{self.gateway.port}/ws/results"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._socket = await websockets.connect(url, additional_headers=headers)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._feed())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tasks[1].cancel()
        async with asyncio.timeout(5):
            while len(self.numbers) < self.sent:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        self._tasks[0].cancel()
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            number, moment = str(message)[1:-1].split(",")
            self.numbers.append(int(number))
            self.delays.append(time.monotonic() - float(moment))

    async def _feed(self) -> None:
        while True:
            self.sent += 1
            now = time.monotonic()
            body = b"[%d,%f]" % (self.sent, now)
            self.gateway.hub.publish(Update("a", f"a:{self.sent}", float(self.sent), now, body))
            await asyncio.sleep(0.01)


async def opened(port: int, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(request)
    return reader, writer


async def the_end(reader: asyncio.StreamReader, seconds: float) -> bytes | None:
    """All that came before the connection ended; None if it stayed open."""
    received = b""
    try:
        async with asyncio.timeout(seconds):
            while data := await reader.read(65_536):
                received += data
    except ConnectionError:
        pass
    except TimeoutError:
        return None
    return received


def close_code(stream: bytes) -> int | None:
    """Of a server's frames; None if there is no close."""
    while len(stream) >= 2:
        size, skip = stream[1], 2
        if size == 126:
            (size,), skip = struct.unpack_from("!H", stream, 2), 4
        if stream[0] & 15 == 8:
            return int.from_bytes(stream[skip : skip + 2]) if size >= 2 else 1005
        stream = stream[skip + size :]
    return None


async def attack(port: int, name: str, seed: int) -> tuple[bytes | None, int | None]:
    reader, writer = await opened(port, handshake(port, TOKEN))
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    try:
        writer.write(MALFORMED[name](random.Random(seed)))
        if name in HARMLESS or name in ("garbage", "changed"):
            writer.write_eof()
        received = await the_end(reader, 4)
        return received, None if received is None else close_code(received)
    finally:
        writer.close()


async def test_every_kind_of_malformed_frame_ends_the_connection_with_a_reason(
    gateway: Gateway, no_errors: None
) -> None:
    expected = {
        "unknown opcode": 1002,
        "reserved bits": 1002,
        "unmasked": 1002,
        "too large": 1009,
        "no UTF-8": 1007,
        "UTF-8 cut by fragments": 1007,
        "continuation of nothing": 1002,
        "a message in a message": 1002,
        "too large in fragments": 1009,
        "endless empty fragments": 1008,
        "long ping": 1002,
        "fragmented ping": 1002,
        "flood of pings": 1008,
        "flood of pongs": 1008,
        "flood of messages": 1008,
        "deep JSON": 1007,
        "wrong JSON": 1007,
        "binary": 1003,
    }
    async with Healthy(gateway) as healthy:
        outcomes = await asyncio.gather(*(attack(gateway.port, name, 1) for name in MALFORMED))
    codes = {name: code for name, (_, code) in zip(MALFORMED, outcomes, strict=True)}
    assert {name: codes[name] for name in expected} == expected
    assert [name for name, (received, _) in zip(MALFORMED, outcomes, strict=True) if received is None] == []
    assert healthy.numbers == list(range(1, healthy.sent + 1))


async def test_a_viewer_s_mistake_is_told_to_it_and_to_the_log_and_is_no_message_of_the_broker_s(
    gateway: Gateway,
) -> None:
    url = f"ws://127.0.0.1:{gateway.port}/ws/results"
    with capture_logs() as said:
        async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
            await socket.send('{"type":"subscribe","camera":["gate-3"]}')
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
    words = "unknown field 'camera': subscribe has cameras, groups, nodes, detections, pictures"
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1007, words)
    (line,) = [each for each in said if each["event"] == "client dropped"]
    assert {key: line[key] for key in ("reason", "why", "name", "address")} == {
        "reason": "malformed",
        "why": words,
        "name": "main",
        "address": "127.0.0.1",
    }
    counted = gateway.metrics.registry.get_sample_value
    assert counted("gateway_client_drops_total", {"reason": "malformed"}) == 1
    assert counted("gateway_invalid_messages_total", {"source": "client"}) is None


@pytest.mark.parametrize(("token", "query", "status"), [("wrong", "", 401), (TOKEN, "?camera=a", 400)])
async def test_a_refusal_is_no_error_of_ours(
    gateway: Gateway, no_errors: None, token: str, query: str, status: int
) -> None:
    url = f"ws://127.0.0.1:{gateway.port}/ws/results{query}"
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(url, additional_headers={"Authorization": f"Bearer {token}"})
    assert refused.value.response.status_code == status
    await gone(gateway, 0)


@pytest.mark.calm
async def test_hundreds_of_malformed_clients_leave_nothing_behind(gateway: Gateway, no_errors: None) -> None:
    names = list(MALFORMED)

    async def wave(first: int) -> None:
        await asyncio.gather(
            *(attack(gateway.port, names[n % len(names)], n) for n in range(first, first + 100))
        )

    async with Healthy(gateway) as healthy:
        await wave(0)  # after it everything that is made once is there
        await gone(gateway, 1)
        before, open_before = resident(os.getpid()), what_is_open()
        for number in range(1, 5):
            await wave(number * 100)
            await gone(gateway, 1)
        gc.collect()
        after = resident(os.getpid())
        # Not at once: what the gateway does by itself, now and then, is a task too.
        await aeventually("nothing is left open", lambda: what_is_open() == open_before, 5)
    assert after - before < 20  # MB, of 400 clients
    assert healthy.numbers == list(range(1, healthy.sent + 1))
    assert sorted(healthy.delays)[len(healthy.delays) // 2] < 0.1
    await gone(gateway, 0)


def what_is_open() -> tuple[int, int]:
    """Descriptors and tasks of this process."""
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())


async def gone(gateway: Gateway, left: int) -> None:
    """Wait until only so many viewers are known, to the hub and to the metrics."""
    registry = gateway.metrics.registry
    async with asyncio.timeout(5):
        while not (  # noqa: ASYNC110
            gateway.hub.viewers == left
            and registry.get_sample_value("gateway_clients") == left
            and len(gateway.server.server_state.connections) == left
        ):
            await asyncio.sleep(0.02)


async def test_handshakes_that_are_none_are_answered_or_ended(gateway: Gateway, no_errors: None) -> None:
    async def answer(request: bytes, *, hang_up: bool = True) -> bytes:
        reader, writer = await opened(gateway.port, request)
        if hang_up:
            writer.write_eof()
        try:
            return await the_end(reader, 4) or b""
        finally:
            writer.close()

    requests = bad_handshakes(gateway.port, TOKEN)
    async with Healthy(gateway) as healthy:
        answers = dict(
            zip(requests, await asyncio.gather(*(answer(each) for each in requests.values())), strict=True)
        )
        # It has a token, and so waits for its turn: whoever hangs up meanwhile is answered no more.
        answers["another path"] = await answer(requests["another path"], hang_up=False)
    statuses = {name: int(text.split()[1]) for name, text in answers.items() if text.startswith(b"HTTP/1.1")}
    assert [name for name, status in statuses.items() if status >= 500] == []
    refused = (
        "no key",
        "old version",
        "two keys",
        "many headers",
        "a long header",
        "a huge header",
        "not ASCII",
    )
    assert {name: statuses.get(name, 0) // 100 for name in refused} == dict.fromkeys(refused, 4)
    assert statuses["wrong token"] == 401
    assert statuses["another path"] == 403
    assert healthy.numbers == list(range(1, healthy.sent + 1))
    await gone(gateway, 0)


async def test_pings_that_nobody_reads_the_answers_of_take_no_memory(gateway: Gateway) -> None:
    reader, writer = await opened(gateway.port, handshake(gateway.port, TOKEN))
    await reader.readuntil(b"\r\n\r\n")
    before = resident(os.getpid())
    try:
        async with asyncio.timeout(10):
            while gateway.hub.viewers == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while gateway.hub.viewers:
                writer.write(frame(9, bytes(125)) * 100)
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    assert resident(os.getpid()) - before < 20
    writer.close()
    await gone(gateway, 0)
