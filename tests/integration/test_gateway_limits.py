"""Slow and greedy clients, on real sockets: whoever holds connections keeps nobody else out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import pytest
import websockets

from gateway.service import Gateway
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway

BEARER = {"Authorization": f"Bearer {TOKEN}"}
HEAD = "GET /livez HTTP/1.1\r\nHost: x\r\n"
SLOW_SECONDS = 0.4


class Raw:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def answer(self) -> int:
        """The status of one answer, its body read."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split(" ")[1])

    async def closed(self, seconds: float = 5.0) -> bool:
        """Whether the gateway ends it; what it still says is thrown away."""
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(65_536):
                    pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True


class Clients:
    """Opens connections and closes them all."""

    def __init__(self, gateway: Gateway, stack: AsyncExitStack) -> None:
        self._port = gateway.port
        self._stack = stack

    async def connect(self) -> Raw:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._stack.push_async_callback(self._end, writer)
        return Raw(reader, writer)

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def start(stack: AsyncExitStack, folder: Path, **settings: float) -> tuple[Gateway, Clients]:
    """A gateway that counts this machine's connections as it would anybody's."""
    gateway = await stack.enter_async_context(running_gateway(folder, **settings))
    gateway.crowd.spared = lambda address: False
    return gateway, Clients(gateway, stack)


def refused(gateway: Gateway, reason: str) -> float:
    return gateway.metrics.registry.get_sample_value("gateway_refused_total", {"reason": reason}) or 0.0


# --- requests that do not end ----------------------------------------------------------------------------


async def test_a_request_that_does_not_end_is_cut_off(tmp_path: Path, stack: AsyncExitStack) -> None:
    gateway, clients = await start(stack, tmp_path, request_seconds=SLOW_SECONDS)
    beginnings = {
        "nothing at all": "",
        "half a line": "GET /li",
        "headers without an end": HEAD,
        "a body that does not come": "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        'Content-Length: 100\r\n\r\n{"token"',
        "chunks without an end": "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        "a body that nobody reads": "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    }
    opened = {name: await clients.connect() for name in beginnings}
    for name, text in beginnings.items():
        await opened[name].say(text)
    for name, connection in opened.items():
        assert await connection.closed(), name
    assert refused(gateway, "slow") == len(beginnings)
    await aeventually("all are gone", lambda: len(gateway.crowd) == 0)


async def test_a_byte_now_and_then_does_not_stretch_it(tmp_path: Path, stack: AsyncExitStack) -> None:
    _, clients = await start(stack, tmp_path, request_seconds=SLOW_SECONDS)
    connection = await clients.connect()
    ending = asyncio.create_task(connection.closed())
    began = asyncio.get_running_loop().time()
    for letter in HEAD * 40:
        if ending.done():
            break
        connection.writer.write(letter.encode())
        await asyncio.wait([ending], timeout=0.05)
    assert await ending
    assert asyncio.get_running_loop().time() - began < 10 * SLOW_SECONDS


async def test_a_second_request_has_its_own_time_and_must_end_too(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    gateway, clients = await start(stack, tmp_path, request_seconds=SLOW_SECONDS)
    connection = await clients.connect()
    for _ in range(3):  # longer, together, than one may take
        await asyncio.sleep(SLOW_SECONDS / 2)
        await connection.say(f"{HEAD}\r\n")
        assert await connection.answer() == 200
    await connection.say(HEAD)
    assert await connection.closed(5 * SLOW_SECONDS)  # sooner than an idle one, which may stay for 5 seconds
    assert refused(gateway, "slow") == 1


async def test_an_answer_that_nobody_reads_is_given_up(tmp_path: Path, stack: AsyncExitStack) -> None:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "assets" / "large.js").write_bytes(b"x" * 20_000_000)
    gateway, clients = await start(stack, tmp_path, request_seconds=SLOW_SECONDS)
    connection = await clients.connect()
    await connection.say("GET /assets/large.js HTTP/1.1\r\nHost: x\r\n\r\n")
    await aeventually("it is cut off", lambda: refused(gateway, "unread") == 1)
    await aeventually("it is gone", lambda: len(gateway.crowd) == 0)


# --- too much --------------------------------------------------------------------------------------------

JSON = "Host: x\r\nContent-Type: application/json\r\n"
AUTHORIZED = f"{JSON}Authorization: Bearer {TOKEN}\r\n"


async def test_large_bodies_are_refused_before_they_come(tmp_path: Path, stack: AsyncExitStack) -> None:
    gateway, clients = await start(stack, tmp_path)
    for path, headers, size in (
        ("/api/login", JSON, 4 * 1024 + 1),
        ("/api/links", AUTHORIZED, 64 * 1024 + 1),
        ("/api/prometheus/api/v1/query", AUTHORIZED, 10**15),
    ):
        connection = await clients.connect()
        await connection.say(f"POST {path} HTTP/1.1\r\n{headers}Content-Length: {size}\r\n\r\n")
        assert await connection.answer() == 413, path
    assert refused(gateway, "too_large") == 3


async def test_what_grows_too_large_without_saying_so_is_cut_off(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    gateway, clients = await start(stack, tmp_path)
    chunk = "1000\r\n" + "x" * 4096 + "\r\n"
    for path, headers, chunks in (("/api/login", JSON, 2), ("/api/links", AUTHORIZED, 17)):
        connection = await clients.connect()
        await connection.say(
            f"POST {path} HTTP/1.1\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{chunk * chunks}"
        )
        assert await connection.answer() == 413, path
    assert refused(gateway, "too_large") == 2


async def test_large_heads_and_no_http_at_all(tmp_path: Path, stack: AsyncExitStack) -> None:
    gateway, clients = await start(stack, tmp_path)
    for text in (
        f"{HEAD}X-Large: {'x' * 100_000}\r\n\r\n",
        f"{HEAD}X-Large: {'x' * 100_000}",
        "\x16\x03\x01\r\n\r\n",
    ):
        connection = await clients.connect()
        await connection.say(text)
        head = await asyncio.wait_for(connection.reader.read(200), 5)
        assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431")), text[:40]
    assert refused(gateway, "malformed") + refused(gateway, "too_large") == 3


# --- shares ----------------------------------------------------------------------------------------------


async def test_an_address_has_its_share_of_connections(tmp_path: Path, stack: AsyncExitStack) -> None:
    gateway, clients = await start(stack, tmp_path, max_connections_per_address=3)
    held = [await clients.connect() for _ in range(3)]
    await aeventually("all three are there", lambda: len(gateway.crowd) == 3)
    one_more = await clients.connect()
    await one_more.say(f"{HEAD}\r\n")
    answer = await asyncio.wait_for(one_more.reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "too many connections from this address"
    assert refused(gateway, "share") == 1
    held[0].writer.transport.abort()
    await aeventually("its place is free", lambda: len(gateway.crowd) == 2)
    again = await clients.connect()
    await again.say(f"{HEAD}\r\n")
    assert await again.answer() == 200


async def test_a_websocket_keeps_the_place_of_its_connection_until_it_ends(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    gateway, clients = await start(stack, tmp_path, max_connections_per_address=4)
    url = f"ws://127.0.0.1:{gateway.port}/ws/results"
    for ending in ("closed", "aborted", "refused"):
        sockets = []
        for _ in range(4):
            if ending == "refused":
                with pytest.raises(websockets.InvalidStatus):
                    await websockets.connect(url)
            else:
                sockets.append(await websockets.connect(url, additional_headers=BEARER))
        if sockets:
            assert len(gateway.crowd) == 4
            one_more = await clients.connect()
            await one_more.say(f"{HEAD}\r\n")
            assert (await asyncio.wait_for(one_more.reader.read(), 5)).startswith(b"HTTP/1.1 429")
        for socket in sockets:
            if ending == "closed":
                await socket.close()
            else:
                socket.transport.abort()
        await aeventually(f"all are gone once {ending}", lambda: len(gateway.crowd) == 0)


async def test_idle_connections_make_room_so_that_probes_are_answered(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    gateway, clients = await start(stack, tmp_path, max_connections=16, max_connections_per_address=0)
    flood = [await clients.connect() for _ in range(50)]
    for connection in flood[::2]:
        connection.writer.write(HEAD.encode())  # half of them have begun a request that they will not end
    probe = await clients.connect()
    await probe.say(f"{HEAD}\r\n")
    assert await probe.answer() == 200
    assert len(gateway.crowd) == 16
    assert await flood[0].closed()


async def test_when_all_are_in_use_the_next_one_is_told(tmp_path: Path, stack: AsyncExitStack) -> None:
    gateway, clients = await start(stack, tmp_path, max_connections=16, max_connections_per_address=0)
    url = f"ws://127.0.0.1:{gateway.port}/ws/results"
    for _ in range(16):
        socket = await websockets.connect(url, additional_headers=BEARER)
        stack.push_async_callback(socket.close)
    one_more = await clients.connect()
    await one_more.say(f"{HEAD}\r\n")
    assert (await asyncio.wait_for(one_more.reader.read(), 5)).startswith(b"HTTP/1.1 503")
    assert refused(gateway, "connections") == 1


async def test_this_machine_s_own_programs_are_not_limited_by_address(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, max_connections_per_address=1, max_viewers_per_address=1) as gateway:
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        async with (
            websockets.connect(url, additional_headers=BEARER),
            websockets.connect(url, additional_headers=BEARER),
            aiohttp.ClientSession(gateway.address) as http,
            http.get("/livez") as answer,
        ):
            assert answer.status == 200
