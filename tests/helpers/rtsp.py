"""A small RTSP camera for tests: RTP over the RTSP connection itself (TCP), carrying an MPEG transport stream."""

import asyncio
import contextlib
import ssl
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CHUNK = 7 * 188  # transport packets per RTP packet
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=test",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "m=video 0 RTP/AVP 33",
        "a=control:1",
        "",
    ]
)


class RtspCamera:
    """Serves `stream` (a .ts file) over and over, `bytes_per_second`; misbehaves as it is told."""

    sdp = SDP

    def __init__(self, stream: Path, bytes_per_second: int = 400_000) -> None:
        self._data = stream.read_bytes()
        self._rate = bytes_per_second
        self._writers: set[asyncio.StreamWriter] = set()
        self.status = "200 OK"  # of DESCRIBE
        self.challenges: list[str] = []  # what its 401 offers
        self.requests: list[str] = []
        self.sending = asyncio.Event()  # cleared: the connection stays, nothing is sent
        self.sending.set()
        self.plays = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        playing: asyncio.Task[None] | None = None
        try:
            while request := (await reader.readuntil(b"\r\n\r\n")).lstrip(b"\x00$").decode("latin-1"):
                self.requests.append(request)
                method = request.split(" ", 1)[0]
                sequence = next(line for line in request.split("\r\n") if line.lower().startswith("cseq"))
                writer.write(self.answer(method, sequence, request).encode())
                if method == "PLAY":
                    self.plays += 1
                    playing = asyncio.create_task(self.play(writer))
                if method == "TEARDOWN":
                    break
        except (asyncio.IncompleteReadError, ConnectionError, StopIteration):
            pass
        finally:
            if playing is not None:
                playing.cancel()
            self._writers.discard(writer)
            writer.close()

    def answer(self, method: str, sequence: str, request: str) -> str:
        """To one request."""
        head = f"RTSP/1.0 200 OK\r\n{sequence}\r\n"
        if method == "OPTIONS":
            return head + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
        if method == "DESCRIBE":
            if self.status != "200 OK":
                offers = "".join(f"WWW-Authenticate: {offer}\r\n" for offer in self.challenges)
                return f"RTSP/1.0 {self.status}\r\n{sequence}\r\n{offers}\r\n"
            return (
                head + f"Content-Type: application/sdp\r\nContent-Length: {len(self.sdp)}\r\n\r\n{self.sdp}"
            )
        if method == "SETUP":
            return head + "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n"
        return head + "Session: 1\r\n\r\n"

    async def play(self, writer: asyncio.StreamWriter) -> None:
        sequence = 0
        with contextlib.suppress(ConnectionError):
            while True:
                for at in range(0, len(self._data), CHUNK):
                    await self.sending.wait()
                    stamp = int(time.monotonic() * 90_000) & 0xFFFFFFFF
                    packet = (
                        struct.pack("!BBHII", 0x80, 33, sequence & 0xFFFF, stamp, 1)
                        + self._data[at : at + CHUNK]
                    )
                    writer.write(b"$\x00" + struct.pack("!H", len(packet)) + packet)
                    await writer.drain()
                    sequence += 1
                    await asyncio.sleep(CHUNK / self._rate)


@asynccontextmanager
async def rtsp_camera(stream: Path) -> AsyncIterator[RtspCamera]:
    """A camera that listens; gone at the end."""
    camera = RtspCamera(stream)
    async with listening(camera):
        yield camera


@asynccontextmanager
async def listening(camera: RtspCamera, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """The camera at a port of its own until the block ends."""
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0, ssl=tls)
    camera.port = server.sockets[0].getsockname()[1]
    yield
    server.close()
    camera.hang_up()
    await server.wait_closed()
