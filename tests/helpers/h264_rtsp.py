"""An RTSP camera that sends H.264 with timestamps of its own making, over TCP or over UDP alone."""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.rtsp import RtspCamera
from tests.helpers.video_files import run

FPS = 25
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:1\r\n"
)
LARGEST = 1200  # bytes of a NAL unit in one packet


def h264(path: Path, *, seconds: float, gop: int) -> Path:
    """One slice a picture, a keyframe every `gop` pictures with all that decoding it needs."""
    x264 = f"keyint={gop}:min-keyint={gop}:scenecut=0:slices=1:sliced-threads=0:repeat-headers=1"
    picture = f"testsrc2=size=160x120:rate={FPS}:duration={seconds}"
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
    run("-f", "lavfi", "-i", picture, *coding, "-x264-params", x264, "-f", "h264", str(path))
    return path


class H264Camera(RtspCamera):
    """`clock` makes the RTP timestamp (1/90000 s) of the nth picture; playing begins with picture `first`."""

    sdp = SDP

    def __init__(
        self,
        stream: Path,
        *,
        clock: Callable[[int], int] = lambda n: n * 90_000 // FPS,
        first: int = 0,
        udp_only: bool = False,
    ) -> None:
        super().__init__(stream)
        self._pictures = _pictures(self._data)
        self._clock = clock
        self._first = first
        self._udp_only = udp_only
        self._udp: socket.socket | None = None

    def answer(self, method: str, sequence: str, request: str) -> str:
        if method == "SETUP" and self._udp_only:
            port = re.search(r"RTP/AVP[^\r\n]*client_port=(\d+)", request)
            if port is None:
                return f"RTSP/1.0 461 Unsupported Transport\r\n{sequence}\r\n\r\n"
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.bind(("127.0.0.1", 0))
            self._udp.connect(("127.0.0.1", int(port[1])))
            ports = f"client_port={port[1]}-{int(port[1]) + 1};server_port={self._udp.getsockname()[1]}-1"
            head = f"RTSP/1.0 200 OK\r\n{sequence}\r\nSession: 1\r\n"
            return f"{head}Transport: RTP/AVP;unicast;source=127.0.0.1;{ports}\r\n\r\n"
        return super().answer(method, sequence, request)

    async def play(self, writer: asyncio.StreamWriter) -> None:
        try:
            await self._pictures_to(writer)
        except OSError:
            pass
        finally:
            if self._udp is not None:
                self._udp.close()

    async def _pictures_to(self, writer: asyncio.StreamWriter) -> None:
        number = sequence = 0
        began = time.monotonic()
        while True:
            picture = self._pictures[(self._first + number) % len(self._pictures)]
            parts = [part for nal in picture for part in _payloads(nal)]
            for part in parts:
                mark = 0x80 if part is parts[-1] else 0
                stamp = self._clock(number) & 0xFFFFFFFF
                packet = struct.pack("!BBHII", 0x80, 96 | mark, sequence & 0xFFFF, stamp, 1) + part
                if self._udp is not None:
                    self._udp.send(packet)
                else:
                    writer.write(b"$\x00" + struct.pack("!H", len(packet)) + packet)
                sequence += 1
            await writer.drain()
            number += 1
            await asyncio.sleep(max(0.0, began + number / FPS - time.monotonic()))


def _pictures(stream: bytes) -> list[list[bytes]]:
    """The NAL units of each picture (ITU-T H.264, annex B), its parameter sets included."""
    pictures: list[list[bytes]] = []
    waiting: list[bytes] = []
    for nal in stream.split(b"\0\0\1")[1:]:
        waiting.append(nal.rstrip(b"\0"))
        if nal[0] & 31 in (1, 5):
            pictures.append(waiting)
            waiting = []
    return pictures


def _payloads(nal: bytes) -> list[bytes]:
    """One packet's worth each (RFC 6184, 5.6 and 5.8)."""
    if len(nal) <= LARGEST:
        return [nal]
    pieces = [nal[at : at + LARGEST] for at in range(1, len(nal), LARGEST)]
    flags = [0] * len(pieces)
    flags[0], flags[-1] = 0x80, 0x40
    return [
        bytes([nal[0] & 0x60 | 28, flag | nal[0] & 31]) + piece
        for flag, piece in zip(flags, pieces, strict=True)
    ]
