"""The viewers of `bench.viewers`: raw sockets behind one epoll, in a process of their own.

They must not eat the machine, so a frame is read by its header only; every result is counted by its `stamp`, and its
delay is taken at every k-th viewer. Stalled ones take the handshake and read nothing more.
"""

import base64
import multiprocessing
import os
import selectors
import socket
import struct
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.viewer_servers import HOST
from runtime.files import allow_many_files

MARK = b'"stamp":'
STAMP_DIGITS = 24
SAMPLED = 50
ETHERNET = 1448
"""Bytes of a segment. Loopback's segments of 64 KB would let the kernel keep megabytes for a client that stalls."""
CONNECT_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """What the healthy viewers got in the window. `delays` in seconds, of the sampled ones, sorted."""

    results: int
    delays: "array[float]"
    silent: int
    """Healthy viewers that got nothing at all."""


@dataclass(frozen=True)
class Crowd:
    """How many viewers there are, of which so many stall, and the sub-protocol that they speak."""

    viewers: int
    stalled: int
    subprotocol: str | None


class Client:
    """One healthy viewer: splits its stream into frames and counts the results in them."""

    def __init__(self, peer: socket.socket, sampled: bool) -> None:
        self.peer = peer
        self.sampled = sampled
        self.results = 0
        self.delays = array("d")
        self._rest = b""

    def read(self, now: float, counting: bool) -> bool:
        """Take what is there; False at the end of the stream."""
        try:
            data = self.peer.recv(1 << 18)
        except BlockingIOError:
            return True
        if not data:
            return False
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= 2:
            size, skip = data[at + 1], 2
            if size == 126:
                if end - at < 4:
                    break
                size, skip = struct.unpack_from("!H", data, at + 2)[0], 4
            elif size == 127:
                if end - at < 10:
                    break
                size, skip = struct.unpack_from("!Q", data, at + 2)[0], 10
            if at + skip + size > end:
                break
            opcode, begin, at = data[at] & 15, at + skip, at + skip + size
            if opcode == 9:
                self.peer.send(b"\x8a" + bytes([0x80 | size]) + bytes(4) + data[begin:at])
            elif counting:
                self._count(data, begin, at, now)
        self._rest = data[at:]
        return True

    def _count(self, data: bytes, begin: int, end: int, now: float) -> None:
        self.results += data.count(MARK, begin, end)
        if self.sampled:
            while (found := data.find(MARK, begin, end)) >= 0:
                begin = found + len(MARK)
                number = data[begin : begin + STAMP_DIGITS]
                self.delays.append(now - float(number[: number.index(b"}")]))


def connected(port: int, subprotocol: str | None, stalls: bool) -> tuple[socket.socket, bytes]:
    """A viewer after its handshake, and what came with the answer."""
    peer = socket.socket()
    if stalls:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET)
    peer.settimeout(CONNECT_SECONDS)
    peer.connect((HOST, port))
    lines = [
        "GET /ws/results HTTP/1.1",
        f"Host: {HOST}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    peer.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (data := peer.recv(4096)):
            raise RuntimeError(f"the handshake was not answered: {answer!r}")
        answer += data
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head:
        raise RuntimeError(f"the handshake was refused: {head!r}")
    peer.setblocking(False)
    return peer, rest


def view(told: Connection, port: int, crowd: Crowd) -> None:
    """The process: connect, say so, be told the window (two monotonic times), read until its end, tell."""
    allow_many_files()
    poller = selectors.EpollSelector()
    clients: list[Client] = []
    every = max(1, crowd.viewers // SAMPLED)
    # The stalled ones are spread over the list: a loop that serves one after the other meets them on its way.
    stalls = {round((n + 0.5) * crowd.viewers / crowd.stalled) for n in range(crowd.stalled)}
    stalled = []
    for number in range(crowd.viewers):
        peer, rest = connected(port, crowd.subprotocol, number in stalls)
        if number in stalls:
            stalled.append(peer)
            continue
        client = Client(peer, number % every == 0 or (number % every == 1 and number - 1 in stalls))
        client._rest = rest
        clients.append(client)
        poller.register(peer, selectors.EVENT_READ, client)
    told.send("connected")
    began, ended = float("inf"), float("inf")
    poller.register(told, selectors.EVENT_READ, None)
    while (now := time.monotonic()) < ended:
        for key, _ in poller.select(min(0.1, ended - now) if ended < float("inf") else 0.1):
            if key.data is None:
                began, ended = told.recv()
                continue
            now = time.monotonic()
            if not key.data.read(now, began <= now < ended):
                poller.unregister(key.data.peer)
    delays = array("d", sorted(delay for client in clients for delay in client.delays))
    told.send(
        Received(
            sum(client.results for client in clients),
            delays,
            sum(client.results == 0 for client in clients),
        )
    )


@contextmanager
def crowd_at(port: int, crowd: Crowd) -> Iterator[Connection]:
    """Connected viewers. Send the window's two monotonic times; `Received` comes back after its end."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=view, args=(theirs, port, crowd), daemon=True)
    process.start()
    try:
        theirs.close()
        assert ours.recv() == "connected"
        yield ours
    finally:
        process.kill()
        process.join()
