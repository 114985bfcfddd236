"""The gateway fuzzed from its own OpenAPI document, with a real RabbitMQ and a real Prometheus behind it.

A few dozen examples an operation here; `FRAMEFLEET_FUZZ_EXAMPLES=2000` makes it thousands (and takes hours).
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from broker import Message
from contract.models import ModelReport
from contract.result import DetectedObject, Result
from contract.status import CameraLabels, CameraReport, CamerasStatus, NodeStatus
from contract.task import Task, TaskForm, encode_task
from gateway.prometheus.client import MAX_CONNECTIONS
from gateway.service import Gateway
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import real_prometheus

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(0 if "FRAMEFLEET_FUZZ_EXAMPLES" in os.environ else 300),
]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("FRAMEFLEET_FUZZ_EXAMPLES", "12"))
SEED = os.environ.get("FRAMEFLEET_FUZZ_SEED", "6")
STATE_ENDING = ("/api/logout",)
GUESSING = ("/api/login",)  # locks out whoever guesses: apart from the others, and last
ADMITTED = "--generation-with-security-parameters=false"
"""Nobody's token beside the session: the gateway would answer to that, always with 401."""
MAX_GROWTH_BYTES = 48 * 1024 * 1024
ODD = ["", 'Tor "Süd"', "é\u0301\U0001f4f7", "<b>&amp;", "0", "null"]


@pytest.fixture
async def gateway(rabbitmq: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway that knows something of everything."""
    with real_prometheus(tmp_path, scraped=False) as prometheus:
        async with running_gateway(tmp_path, amqp_url=rabbitmq, prometheus_url=prometheus) as running:
            await aeventually("the gateway is connected", lambda: not running.missing())
            fill(running, time.time())
            async with bus(rabbitmq) as publishing:
                for number in range(5):
                    await publishing.publish(dead_letter(number))
            yield running


def fill(gateway: Gateway, wall: float) -> None:
    """Cameras with odd names, nodes with models, results."""
    now = time.monotonic()
    reports = [
        CameraReport(
            camera_id=f"cam-{number}",
            state="live" if number % 3 else "offline",
            since=wall,
            reason=None if number % 3 else ODD[1],
            labels=CameraLabels(name=ODD[number % 6], district=ODD[number % 5] or None, group="g"),
        )
        for number in range(30)
    ]
    gateway.cameras.heard_cameras(
        CamerasStatus(producer_id="p", producer_since=wall, time=wall, cameras=reports), now, wall
    )
    for node_id in ("n1", "n2"):
        gateway.nodes.heard(node(node_id, wall), now + 3600, wall)  # lives as long as the test
    for report in reports:
        result = a_result(report.camera_id, wall)
        gateway.cameras.result(result, now, wall)
        gateway.statistics.result(result, wall, 0.1)


def node(node_id: str, wall: float) -> NodeStatus:
    return NodeStatus(
        node_id=node_id,
        state="running",
        lane="live",
        model="haar",
        detector="haar",
        fallback=None,
        prefetch=1,
        fps=1.0,
        busy=0.5,
        processed=1,
        failed=0,
        since=wall,
        time=wall,
        version="0",
        models=[ModelReport(name="haar", state="loaded"), ModelReport(name="yunet", state="missing")],
    )


def a_result(camera_id: str, wall: float) -> Result:
    return Result(
        timestamp=wall,
        original_timestamp=wall - 0.1,
        node_id="n1",
        detections=[DetectedObject(x=0, y=0, w=1, h=1, confidence=1.0, label="face")],
        camera_id=camera_id,
        frame_id=f"{camera_id}:1:1",
        width=640,
        height=480,
        model="haar",
        status="ok",
        processing_seconds=0.01,
        queue_seconds=0.0,
    )


def dead_letter(number: int) -> Message:
    task = encode_task(
        Task(image=b"\xff\xd8", timestamp=time.time(), camera_id="cam-1", frame_id=f"f-{number}"),
        TaskForm.COMPACT,
    )
    headers = task.headers | {"x-framefleet-reason": "not_an_image", "x-framefleet-error": "no image"}
    return Message("", "frame_queue.dlq", task.body, task.content_type, headers, message_id=f"f-{number}")


async def signed_in(gateway: Gateway) -> str:
    """A session: unlike a token it is never locked out by somebody's guesses."""
    async with (
        aiohttp.ClientSession(gateway.address) as http,
        http.post("/api/login", json={"token": TOKEN}) as answer,
    ):
        assert answer.status == 200
        return answer.headers["Set-Cookie"].partition(";")[0]


async def fuzz(gateway: Gateway, cookie: str, *options: str, examples: int = EXAMPLES) -> None:
    """Run schemathesis in a process of its own; fails with what it found."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        "--config-file",
        ROOT / "tests/helpers/schemathesis.toml",
        "run",
        f"http://127.0.0.1:{gateway.port}/api/openapi.json",
        f"--header=Cookie: {cookie}",
        f"--seed={SEED}",
        f"--max-examples={examples}",
        "--continue-on-failure",
        "--no-color",
        "--warnings=off",
        *options,
        cwd=ROOT,
        env={**os.environ, "FRAMEFLEET_FUZZ_SECRETS": TOKEN, "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    print(text)
    assert process.returncode == 0, f"schemathesis: {text[-20_000:]}"
    assert " 0 generated" not in text


def held() -> tuple[int, int, int]:
    """Tasks, file descriptors and resident bytes of this process, which has the gateway in it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")


async def test_nothing_that_is_sent_breaks_it_or_stays_with_it(gateway: Gateway) -> None:
    cookie = await signed_in(gateway)
    others = [f"--exclude-path={path}" for path in (*STATE_ENDING, *GUESSING)]
    own = f"--header=Origin: {gateway.address}"  # without it a session changes nothing
    await fuzz(gateway, cookie, "--phases=examples,coverage", ADMITTED, own, *others)
    before = held()
    # Whether strangers get in is known by now, and asking it again counts as guessing.
    await fuzz(gateway, cookie, "--phases=fuzzing", "--exclude-checks=ignored_auth", ADMITTED, own, *others)
    # Tokens of any form at one place: the same piece reads them for all.
    strangers = [f"--include-path={path}" for path in (*GUESSING, "/api/session")]
    await fuzz(gateway, cookie, "--phases=coverage,fuzzing", *strangers)
    # What belongs to a request must be gone with it; the pool of connections to Prometheus stays.
    await aeventually("its tasks are gone", lambda: held()[0] <= before[0] + 2)
    await aeventually("its sockets are gone", lambda: held()[1] <= before[1] + MAX_CONNECTIONS)
    assert held()[2] - before[2] < MAX_GROWTH_BYTES
    assert gateway.hub.viewers == 0
    async with (
        aiohttp.ClientSession(gateway.address, headers={"Cookie": cookie}) as http,
        http.get("/api/cameras?limit=1") as answer,
    ):
        assert (await answer.json())["total"] == 30  # and it works as before


async def test_nor_does_it_break_when_everything_behind_it_is_away(tmp_path: Path) -> None:
    """Documented refusals, no 500. Without a broker each look at dead letters waits for five seconds: not those.

    A few examples an operation, all of which are let in: who is turned away at the door, or for what is malformed,
    never meets what is away.
    """
    async with running_gateway(tmp_path, prometheus_url="http://127.0.0.1:1") as gateway:
        await fuzz(
            gateway,
            await signed_in(gateway),
            "--phases=fuzzing",
            "--exclude-checks=ignored_auth",
            ADMITTED,
            f"--header=Origin: {gateway.address}",
            "--exclude-path-regex=^/api/dlq",
            *(f"--exclude-path={path}" for path in (*STATE_ENDING, *GUESSING)),
            examples=max(3, EXAMPLES // 4),
        )
