"""A thousand HTTP cameras in one process: HTTP/1.1 over keep-alive, every answer made beforehand.

One asyncio.Protocol and no HTTP library, because the cameras must cost next to nothing beside what they load. They
understand what snapshot clients send: GET without a body (RFC 9112), and If-None-Match (RFC 9110, 13.1.2).

`/NAME.jpg` is a camera, at whatever address of 127.0.0.0/8 it is asked; `/metrics` has the counts in Prometheus'
text form, `/readyz` says that it runs.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

RECEIVE = bytearray(65536)
"""Where every connection's bytes arrive: read at once, on one event loop, so one buffer is enough for all."""
LARGEST_HEAD = 16384
BACKLOG = 4096


@dataclass(frozen=True)
class Behaviour:
    """How cameras behave; shares are of 1, times in seconds."""

    rate: float = 25.0
    """Pictures a second that a camera takes: who asks sooner gets the same one again."""
    static: float = 0.0
    """Share of the cameras that give the same bytes for ever."""
    latency: float = 0.0
    """Time until the answer begins."""
    errors: float = 0.0
    """Share of the requests that are answered 503."""
    stalls: float = 0.0
    """Share of the requests that get half of the picture, and no more until the client goes away."""
    etags: bool = False
    """Whether a picture has an ETag and an unchanged one is answered 304."""
    seed: int = 1
    """Makes the same requests fail in every run in which they come in the same order."""


class Answer(NamedTuple):
    """What is sent, and what it counts as."""

    data: bytes
    kind: str
    stalls: bool = False


class Camera:
    """Where one camera is in the round of pictures. Times are monotonic seconds."""

    __slots__ = ("_changed", "_interval", "index")

    def __init__(self, index: int, interval: float) -> None:
        self.index = index
        self._interval = interval
        self._changed = float("-inf")

    def look(self, now: float) -> int:
        """The number of its picture now."""
        if now - self._changed >= self._interval:
            self._changed = now
            self.index += 1
        return self.index


class Rig:
    """What cameras answer, and how often they did. Pure: it is given heads of requests and the time."""

    def __init__(self, names: Sequence[str], pictures: Sequence[bytes], behaviour: Behaviour) -> None:
        tags = [f'"{n:x}"'.encode() if behaviour.etags else b"" for n in range(len(pictures))]
        self._pictures = [
            Answer(_ok(picture, "image/jpeg", tag), "picture")
            for picture, tag in zip(pictures, tags, strict=True)
        ]
        self._tags = [b"\r\nif-none-match: " + tag for tag in tags]
        self._unmodified = [Answer(_head(b"304 Not Modified", tag), "unmodified") for tag in tags]
        self._cameras = {
            f"/{name}.jpg".encode(): Camera(
                n, float("inf") if _static(n, behaviour.static) else 1 / behaviour.rate
            )
            for n, name in enumerate(names)
        }
        self._behaviour = behaviour
        self._chance = random.Random(behaviour.seed)
        self.counts: Counter[str] = Counter()
        self.begun = time.process_time()

    @property
    def latency(self) -> float:
        """Seconds to wait before an answer is sent."""
        return self._behaviour.latency

    def answer(self, head: bytes, now: float) -> Answer:
        """To the request with this head (without the empty line), at `now` (monotonic seconds)."""
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0]
        camera = self._cameras.get(path)
        if method != b"GET":
            answer = Answer(_empty(b"405 Method Not Allowed"), "refused")
        elif camera is None:
            answer = self._other(path)
        else:
            answer = self._picture(camera, head, now)
        self.counts[answer.kind] += 1
        return answer

    def _picture(self, camera: Camera, head: bytes, now: float) -> Answer:
        behaviour = self._behaviour
        n = camera.look(now) % len(self._pictures)
        answer = self._pictures[n]
        if behaviour.errors or behaviour.stalls:
            luck = self._chance.random()
            if luck < behaviour.errors:
                return Answer(_empty(b"503 Service Unavailable"), "error")
            if luck < behaviour.errors + behaviour.stalls:
                return Answer(answer.data[: len(answer.data) // 2], "stall", stalls=True)
        if behaviour.etags and self._tags[n] in head.lower():
            return self._unmodified[n]
        return answer

    def _other(self, path: bytes) -> Answer:
        if path == b"/metrics":
            return Answer(_ok(self.metrics().encode(), "text/plain; version=0.0.4"), "asked")
        if path == b"/readyz":
            return Answer(_ok(b"ready\n", "text/plain"), "asked")
        return Answer(_empty(b"404 Not Found"), "unknown")

    def metrics(self) -> str:
        """The counts so far, and the CPU time of this process since the rig was made, in Prometheus' text form."""
        lines = [f'rig_answers_total{{kind="{kind}"}} {count}' for kind, count in sorted(self.counts.items())]
        return "\n".join([*lines, f"rig_cpu_seconds_total {time.process_time() - self.begun:.6f}", ""])


class Connection(asyncio.BufferedProtocol):
    """One client's connection."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._stalled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # All of 127.0.0.0/8 can only be listened on together with every other address.
        if not transport.get_extra_info("sockname")[0].startswith("127."):
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        del sizehint
        return RECEIVE

    def buffer_updated(self, nbytes: int) -> None:
        data = self._rest + RECEIVE[:nbytes]
        while (end := data.find(b"\r\n\r\n")) >= 0:
            self._answer(data[:end])
            data = data[end + 4 :]
        self._rest = data
        if len(data) > LARGEST_HEAD:
            self._transport.abort()

    def _answer(self, head: bytes) -> None:
        if self._stalled:
            return
        answer = self._rig.answer(head, self._loop.time())
        self._stalled = answer.stalls
        if self._rig.latency:
            self._loop.call_later(self._rig.latency, self._transport.write, answer.data)
        else:
            self._transport.write(answer.data)


async def listen(rig: Rig, port: int) -> asyncio.Server:
    """Serve the rig on all of 127.0.0.0/8. Raises OSError if the port is taken."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(rig), "0.0.0.0", port, backlog=BACKLOG)  # noqa: S104


def _static(n: int, share: float) -> bool:
    """Whether camera `n` of many is one of the share, which is spread evenly over them."""
    return int((n + 1) * share) > int(n * share)


def _ok(body: bytes, content_type: str, tag: bytes = b"") -> bytes:
    return _head(b"200 OK", tag, f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n") + body


def _empty(status: bytes) -> bytes:
    return _head(status, b"", "Content-Length: 0\r\n")


def _head(status: bytes, tag: bytes, fields: str = "") -> bytes:
    etag = b"ETag: " + tag + b"\r\n" if tag else b""
    return b"HTTP/1.1 " + status + b"\r\n" + fields.encode() + etag + b"\r\n"
