"""An OpenAI-compatible endpoint of the tests: real HTTP, all that goes wrong at real ones, and books of its own."""

import asyncio
import base64
import hashlib
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from cli.ports import LOOPBACK, free_port
from tests.helpers.vision_kinds import Answers

BOX = [250, 250, 750, 750]
GIVEN_FOR_PICTURE, GOT_FOR_PICTURE = 300, 40
DOLLAR = 1_000_000_000

OK = "ok"
FAULTS = (
    "throttled",  # 429
    "throttled_after",  # 429 with Retry-After
    "broken",  # 500
    "truncated",  # 200, and the answer is cut off; charged
    "no_json",  # 200, and the model chats; charged
    "bad_form",  # 200, and JSON of another form; charged
    "drip",  # 200, a byte at a time, for longer than anybody waits; charged
    "reset",  # the connection is torn down, without an answer
    "wrong_usage",  # 200, all well, but for the usage that it tells; charged
)
SEEN_WELL = (OK, "wrong_usage")


@dataclass(frozen=True)
class Call:
    """One request as it arrived: `at` is monotonic; `cost` is what it is charged for, in billionths of a dollar."""

    at: float
    fault: str
    model: str
    pictures: tuple[str, ...]
    cost: int
    raw: dict[str, Any] = field(repr=False, default_factory=dict)


class VisionServer:
    """Runs in a thread of its own. `shares` are probabilities of faults; what is left goes well.

    `price` is dollars per million tokens, in and out. `limit` is its calls a minute: beyond, 429, counted in
    `exceeded`.
    """

    def __init__(
        self,
        shares: Mapping[str, float] | None = None,
        *,
        latency: float = 0.02,
        price: tuple[float, float] = (0.0, 0.0),
        limit: int | None = None,
        seed: int = 1,
        key: str | None = None,
        port: int | None = None,
    ) -> None:
        self.shares = dict(shares or {})
        self.latency = latency
        self.limit = limit
        self.calls: list[Call] = []
        self.exceeded = 0
        self.most_at_once = 0
        self.status: int | None = None
        """Answer everything with this, if it is set."""
        self.kind: Answers | None = None
        """Answer everything as this kind of server does, if it is set."""
        self.port = port or free_port()
        self._now = 0
        self._key = key
        self._price = price
        self._random = random.Random(seed)
        self._lately: deque[float] = deque()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="vision", daemon=True)

    @property
    def url(self) -> str:
        """For WORKER_REMOTE_URL."""
        return f"http://{LOOPBACK}:{self.port}/v1"

    @property
    def charged(self) -> int:
        """What all calls are charged for, in billionths of a dollar."""
        return sum(call.cost for call in self.calls)

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(call.fault for call in self.calls)

    def well_seen(self) -> Counter[str]:
        """How often each picture was answered for well, by the digest of what was sent."""
        return Counter(each for call in self.calls if call.fault in SEEN_WELL for each in call.pictures)

    def most_in_a_minute(self, minute: float = 60.0) -> int:
        """The most calls that arrived within any stretch of that length."""
        most, lately = 0, deque[float]()
        for call in sorted(self.calls, key=lambda call: call.at):
            lately.append(call.at)
            while lately[0] <= call.at - minute:
                lately.popleft()
            most = max(most, len(lately))
        return most

    def start(self) -> "VisionServer":
        self._thread.start()
        assert self._started.wait(10)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._completion)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, self.port).start()
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._answer(request, at)
        finally:
            self._now -= 1

    async def _answer(self, request: web.Request, at: float) -> web.StreamResponse:
        body = await request.json()
        parts = body["messages"][0]["content"]
        pictures = tuple(
            hashlib.sha256(base64.b64decode(part["image_url"]["url"].partition(",")[2])).hexdigest()
            for part in parts
            if part["type"] == "image_url"
        )
        fault = self._fault(at)
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            fault = "denied"
        usage = {
            "prompt_tokens": GIVEN_FOR_PICTURE * len(pictures),
            "completion_tokens": GOT_FOR_PICTURE * len(pictures),
        }
        charged = fault in (OK, "truncated", "no_json", "bad_form", "drip", "wrong_usage")
        # Billionths.
        cost = (usage["prompt_tokens"] * self._price[0] + usage["completion_tokens"] * self._price[1]) * 1_000
        bare = {**body, "messages": [part for part in parts if part["type"] == "text"]}
        self.calls.append(Call(at, fault, body["model"], pictures, round(cost) if charged else 0, bare))
        await asyncio.sleep(self.latency)
        return await self._respond(request, fault, body, pictures, usage)

    def _fault(self, at: float) -> str:
        if self.status is not None:
            return f"status_{self.status}"
        while self._lately and self._lately[0] <= at - 60:
            self._lately.popleft()
        if self.limit is not None and len(self._lately) >= self.limit:
            self.exceeded += 1
            return "throttled"
        self._lately.append(at)
        drawn = self._random.random()
        for fault, share in self.shares.items():
            drawn -= share
            if drawn < 0:
                return fault
        return OK

    async def _respond(
        self,
        request: web.Request,
        fault: str,
        body: dict[str, Any],
        pictures: tuple[str, ...],
        usage: dict[str, int],
    ) -> web.StreamResponse:
        if fault.startswith("status_"):
            return web.json_response({"error": {"message": "as told"}}, status=int(fault[7:]))
        if self.kind is not None:
            status, told = self.kind(body, answer_text(pictures))
            return web.json_response(told, status=status)
        match fault:
            case "denied":
                return web.json_response(
                    {"error": {"message": "Incorrect API key provided: sk-1"}}, status=401
                )
            case "throttled":
                return web.json_response({"error": {"message": "slow down"}}, status=429)
            case "throttled_after":
                headers = {"Retry-After": "1"}
                return web.json_response({"error": {"message": "slow down"}}, status=429, headers=headers)
            case "broken":
                return web.Response(status=500, text="<html>oops</html>")
            case "reset":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        text = answer_text(pictures)
        if fault == "no_json":
            text = "I see a lovely face in this picture!"
        elif fault == "bad_form":
            text = json.dumps({"faces": 3})
        used: Any = usage
        if fault == "wrong_usage":
            used = {"prompt_tokens": -5, "completion_tokens": 10**12}
        content = {
            "id": "1",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            ],
            "usage": used,
        }
        answer = json.dumps(content).encode()
        if fault not in ("truncated", "drip"):
            return web.Response(body=answer, content_type="application/json")
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Content-Length": str(len(answer))}
        )
        await response.prepare(request)
        if fault == "truncated":
            await response.write(answer[: len(answer) // 2])
            assert request.transport is not None
            request.transport.close()
            return response
        with suppress(ConnectionError):  # nobody waits any more
            for position in range(len(answer)):
                await response.write(answer[position : position + 1])
                await asyncio.sleep(0.5)
        return response


def answer_text(pictures: Sequence[str]) -> str:
    """What a model says of pictures with these digests: a face in each."""
    face = {"label": "face", "confidence": 0.9, "box": BOX}
    seen = [{"description": f"picture {each[:12]}", "objects": [face]} for each in pictures]
    return json.dumps({"pictures": seen})


@contextmanager
def vision_server(shares: Mapping[str, float] | None = None, **how: Any) -> Iterator[VisionServer]:
    """A running one, until the end of the block."""
    server = VisionServer(shares, **how).start()
    try:
        yield server
    finally:
        server.stop()
