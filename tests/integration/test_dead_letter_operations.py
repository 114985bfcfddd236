"""The gateway's replays and purges on a real RabbitMQ: told before, never losing a letter, written down."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from broker import Message, Outcome
from broker.session import session
from contract.task import Task, TaskForm, encode_task
from tests.helpers.bus import bus
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import jpeg
from tests.helpers.proxy import proxy

pytestmark = pytest.mark.integration

DLQ, BATCH = "frame_queue.dlq", "frame_queue.batch"
PICTURE = jpeg(np.zeros((48, 64, 3), np.uint8))


def dead(number: int, *, reason: str = "crashed", camera: str = "gate-1", image: bytes = PICTURE) -> Message:
    """A dead letter as a worker writes it."""
    died = time.time() - 60
    task = encode_task(
        Task(image=image, timestamp=died, camera_id=camera, frame_id=f"f-{number}"),
        TaskForm.COMPACT if number % 2 else TaskForm.BASE64,
    )
    headers = task.headers | {
        "x-framefleet-reason": reason,
        "x-framefleet-error": f"error <b>{number}</b>",
        "x-framefleet-origin": "frame_queue",
        "x-framefleet-time": str(died),
        "x-framefleet-attempts": 2,
    }
    return Message("", DLQ, task.body, task.content_type, headers, message_id=f"f-{number}")


GARBAGE = Message("", DLQ, b"<script>alert(1)</script>", "text/html", {"x": b"\xff\x00"})


async def fill(url: str, *messages: Message) -> None:
    async with bus(url) as b:
        for message in messages:
            assert await b.publish(message) is Outcome.CONFIRMED


async def counted(url: str, queue: str) -> int:
    async with session([url], "count") as connection:
        return (await connection.count(queue))[0]


class Api:
    """Asks one gateway, as the operator."""

    def __init__(self, base: str, client: aiohttp.ClientSession) -> None:
        self._base, self._client = base, client

    async def get(self, path: str) -> Any:
        async with self._client.get(self._base + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def raw(self, method: str, path: str, **how: Any) -> tuple[int, Any, bytes]:
        async with self._client.request(method, self._base + path, **how) as answer:
            return answer.status, answer.headers, await answer.read()

    async def post(self, path: str, status: int = 200) -> Any:
        got, _, body = await self.raw("POST", path)
        assert got == status, body
        return json.loads(body)

    async def ended(self, operation_id: str, seconds: float = 30.0) -> Any:
        """The newest operation, once it is over."""
        over = await self.reached(lambda now: now["state"] not in ("proposed", "running"), seconds)
        assert over["operation_id"] == operation_id
        return over

    async def reached(self, check: Callable[[Any], Any], seconds: float = 30.0) -> Any:
        """The newest operation, once it is so far."""
        async with asyncio.timeout(seconds):
            while True:
                now = (await self.get("/operations"))["items"][0]
                if check(now):
                    return now
                await asyncio.sleep(0.03)


@asynccontextmanager
async def api(url: str, folder: Path) -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running_gateway(folder, amqp_url=url) as gateway,
        aiohttp.ClientSession(headers=headers) as client,
    ):
        yield Api(f"http://127.0.0.1:{gateway.port}/api/dlq", client)


async def test_a_group_is_replayed_told_before_and_written_down(rabbitmq: str, tmp_path: Path) -> None:
    letters = [dead(number) for number in range(12)]
    await fill(rabbitmq, *letters, dead(90, reason="not_json", camera="gate-2"), GARBAGE, GARBAGE)
    async with api(rabbitmq, tmp_path) as dlq:
        groups = await dlq.get("/groups")
        assert [(g["reason"], g["camera_id"], g["count"], g["final"]) for g in groups["items"]] == [
            ("crashed", "gate-1", 12, False),
            ("unknown", None, 2, False),
            ("not_json", "gate-2", 1, True),
        ]
        group = groups["items"][0]["group_id"]
        page = await dlq.get(f"?group={group}&limit=5")
        assert (page["matching"], len(page["items"])) == (12, 5)

        said = await dlq.post(f"/operations?kind=replay&group={group}&lane=live")
        assert "will expire there without being computed" in " ".join(said["notes"])
        said = await dlq.post(f"/operations?kind=replay&group={group}")
        assert (said["summary"], said["count"], said["queues"]) == (
            f"Replay 12 frames of gate-1 to {BATCH}",
            12,
            {BATCH: 12},
        )
        assert "No worker takes frames" in " ".join(said["notes"])
        assert await counted(rabbitmq, BATCH) == 0  # nothing is done before it is confirmed

        await fill(rabbitmq, dead(50))  # the group grows meanwhile: it stays out
        begun = await dlq.post(f"/operations/{said['operation_id']}")
        assert begun["state"] == "running"
        await dlq.post(f"/operations/{said['operation_id']}", 404)  # once only
        over = await dlq.ended(said["operation_id"])
        assert (over["state"], over["done"], over["gone"], over["by"]) == ("done", 12, 0, "main")
        assert (await counted(rabbitmq, BATCH), await counted(rabbitmq, DLQ)) == (12, 4)

        await fill(rabbitmq, dead(3))  # one died again
        await dlq.reached(lambda now: now["died_again"] == 1)

        garbage = groups["items"][1]["group_id"]
        purged = await dlq.post(f"/operations?kind=purge&group={garbage}")
        assert "for good" in purged["notes"][0]
        await dlq.post(f"/operations/{purged['operation_id']}")
        assert (await dlq.ended(purged["operation_id"]))["done"] == 2  # two alike are two
        assert await counted(rabbitmq, DLQ) == 3
        await dlq.post(f"/operations?kind=purge&group={garbage}", 404)
        await dlq.post("/operations?kind=purge", 422)  # everything, by mistake
    async with api(rabbitmq, tmp_path) as dlq:  # it outlives the gateway
        kept = await dlq.get("/operations")
        assert [(o["kind"], o["done"], o["by"]) for o in kept["items"]] == [
            ("purge", 2, "main"),
            ("replay", 12, "main"),
        ]


async def test_a_letters_bytes_never_become_a_page(rabbitmq: str, tmp_path: Path) -> None:
    polyglot = PICTURE + b"<script>alert(1)</script>"
    await fill(rabbitmq, dead(1), dead(3, image=polyglot), dead(5, image=PICTURE[:-40]), GARBAGE)
    async with api(rabbitmq, tmp_path) as dlq:
        ids = {item["frame_id"]: item["dead_letter_id"] for item in (await dlq.get(""))["items"]}
        for frame in ("f-1", "f-3"):
            status, headers, body = await dlq.raw("GET", f"/letters/{ids[frame]}/picture")
            assert (status, headers["Content-Type"], body) == (200, "image/jpeg", PICTURE)
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in headers["Content-Security-Policy"]
        detail = await dlq.get(f"/letters/{ids['f-5']}")
        assert "truncated" in detail["picture"]["damage"]
        assert {"name": "camera_id", "text": "gate-1"} in detail["headers"]
        status, headers, body = await dlq.raw("GET", f"/letters/{ids[None]}/picture")
        assert (status, headers["Content-Type"]) == (404, "application/json")
        status, headers, body = await dlq.raw("GET", f"/letters/{ids[None]}/body")
        assert (status, body) == (200, GARBAGE.body)
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment")
        assert {"name": "x", "text": "b'\\xff\\x00'"} in (await dlq.get(f"/letters/{ids[None]}"))["headers"]
        status, _, body = await dlq.raw("GET", "/letters/000000000000")
        assert (status, b"any more" in body) == (404, True)
    assert await counted(rabbitmq, DLQ) == 4


async def test_a_broker_that_is_lost_in_the_middle_loses_no_letter(rabbitmq: str, tmp_path: Path) -> None:
    count = 300
    await fill(rabbitmq, *(dead(number) for number in range(count)))
    async with proxy(rabbitmq) as line, api(line.url(rabbitmq), tmp_path) as dlq:
        said = await dlq.post("/operations?kind=replay&camera=gate-1")
        line.bits_per_second = 2e6
        await dlq.post(f"/operations/{said['operation_id']}")
        await dlq.reached(lambda now: now["done"] >= 20)
        line.cut()
        waiting = await dlq.reached(lambda now: now["trouble"])
        assert waiting["trouble"].startswith("waits and goes on by itself: ")
        assert (waiting["state"], 20 <= waiting["done"] < count) == ("running", True)
        line.bits_per_second = 0
        line.mend()
        over = await dlq.ended(said["operation_id"], 60)
        assert (over["state"], over["done"], over["trouble"]) == ("done", count, "")
    assert await counted(rabbitmq, DLQ) == 0
    assert await counted(rabbitmq, BATCH) >= count  # some twice: their frame_id tells
