"""A client that does not read: it goes, its socket too, and nobody else notices."""

import asyncio
import base64
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import websockets

from gateway.live.update import Update
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

PATIENCE = 1.0


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, patience=PATIENCE) as running:
        yield running


async def stalled_client(port: int) -> socket.socket:
    """A raw client that takes the handshake and then reads nothing, with a small window."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /ws/results HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    await loop.sock_sendall(client, request.encode())
    answer = await loop.sock_recv(client, 1000)
    assert b"101" in answer
    return client


async def read_to_the_end(client: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(client, 1 << 20):
        pass


def sockets_to(port: int, client: socket.socket) -> list[str]:
    """States of the server's side of that connection in the kernel (/proc/net/tcp), whoever owns it."""
    mine = f"0100007F:{client.getsockname()[1]:04X}"
    theirs = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line.split()[3] for line in lines if line.split()[1] == theirs and line.split()[2] == mine]


def publish(gateway: Gateway, number: int, size: int = 20_000) -> float:
    now = time.monotonic()
    body = b'{"n":%d,"t":%f,"pad":"%s"}' % (number, now, b"x" * size)
    gateway.hub.publish(Update("a", f"a:{number}", float(number), now, body))
    return now


async def test_a_stalled_client_is_dropped_and_its_socket_dies_while_others_see_everything(
    gateway: Gateway,
) -> None:
    stalled = await stalled_client(gateway.port)
    delays: list[float] = []
    numbers: list[int] = []

    async def healthy() -> None:
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        async with websockets.connect(
            url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, compression=None
        ) as client:
            async for message in client:
                assert isinstance(message, str)
                _, number, _, moment = message[:60].replace(",", ":").split(":")[:4]
                numbers.append(int(number))
                delays.append(time.monotonic() - float(moment))

    reader = asyncio.create_task(healthy())
    async with asyncio.timeout(5):
        while gateway.hub.viewers < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    began = time.monotonic()
    number = 0
    async with asyncio.timeout(15):
        while gateway.hub.viewers > 1 or sockets_to(gateway.port, stalled):
            number += 1
            publish(gateway, number)
            await asyncio.sleep(0.01)
    lasted = time.monotonic() - began
    await asyncio.sleep(0.1)
    reader.cancel()
    registry = gateway.metrics.registry
    assert registry.get_sample_value("gateway_client_drops_total", {"reason": "laggard"}) == 1.0
    assert lasted < PATIENCE + 5
    assert numbers == list(range(1, number + 1))  # the healthy one missed nothing ...
    assert sorted(delays)[int(len(delays) * 0.99)] < 0.25  # ... and waited for nobody
    with pytest.raises(ConnectionResetError):  # what lay in its buffer was thrown away, not kept for a reader
        await read_to_the_end(stalled)
    stalled.close()


async def test_a_slow_client_that_reads_is_kept(gateway: Gateway) -> None:
    slow = await stalled_client(gateway.port)
    loop = asyncio.get_running_loop()
    end = time.monotonic() + 3 * PATIENCE
    number = 0
    while time.monotonic() < end:
        number += 1
        publish(gateway, number, 50_000)
        await loop.sock_recv(slow, 16_384)
        await asyncio.sleep(0.02)
    assert gateway.hub.viewers == 1
    slow.close()


async def test_a_stalled_client_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, patience=60.0) as gateway:
        stalled = await stalled_client(gateway.port)
        async with asyncio.timeout(5):
            while gateway.hub.viewers < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for number in range(30):
            publish(gateway, number, 100_000)
            await asyncio.sleep(0.005)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    assert sockets_to(gateway.port, stalled) == []
    stalled.close()


async def test_memory_of_a_stalled_client_is_bounded(gateway: Gateway) -> None:
    stalled = await stalled_client(gateway.port)
    async with asyncio.timeout(5):
        while gateway.hub.viewers < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    (connection,) = (c for c in gateway.server.server_state.connections if hasattr(c, "writable"))
    for number in range(60):
        publish(gateway, number, 100_000)
        await asyncio.sleep(0.005)
    # The transport holds one batch at most beyond its own limit; everything else was newest-wins in the hub.
    assert connection.transport.get_write_buffer_size() < 20 * 100_000
    stalled.close()
