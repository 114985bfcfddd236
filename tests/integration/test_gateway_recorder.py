"""History across crashes: whatever dies between the commit and the acknowledgement, every result is there once."""

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from broker import AsyncioLoop, Connection, Message, Outcome, Publisher, QueueDepth, aio
from cli.rabbitmq import RabbitMQNode
from contract.result import Result, encode_result
from contract.topology import RESULT_QUEUE, RESULTS_EXCHANGE
from gateway.history.store import Stored
from gateway.history.writer import Writer
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def amqp_url(shared_rabbitmq: RabbitMQNode) -> Iterator[str]:
    """A virtual host of this module: one per test would cost more than the tests."""
    shared_rabbitmq.ctl("add_vhost", "recorder-tests")
    shared_rabbitmq.ctl("set_permissions", "-p", "recorder-tests", "framefleet", ".*", ".*", ".*")
    yield f"{shared_rabbitmq.amqp_url}recorder-tests"
    shared_rabbitmq.ctl("delete_vhost", "recorder-tests")


class Source:
    """Publishes numbered results with confirms."""

    def __init__(self, url: str) -> None:
        self.publisher = Publisher(window=10_000)
        self.depth = QueueDepth([RESULT_QUEUE], every=0.2)
        self.connection = Connection(AsyncioLoop(), [url], "test", [self.publisher, self.depth])

    async def publish(self, numbers: Iterable[int]) -> None:
        outcomes = await asyncio.gather(*(self._one(number) for number in numbers))
        assert set(outcomes) == {Outcome.CONFIRMED}

    async def _one(self, number: int) -> Outcome:
        now = time.time()
        result = Result(
            timestamp=now,
            original_timestamp=now - 0.1,
            node_id="n",
            detections=[],
            camera_id="a",
            frame_id=f"a:{number}",
            width=1,
            height=1,
            model="m",
            status="ok",
            processing_seconds=0.01,
            queue_seconds=0.01,
        )
        return await aio.publish(self.publisher, Message(RESULTS_EXCHANGE, "a", encode_result(result)))


@pytest.fixture
async def source(amqp_url: str) -> AsyncIterator[Source]:
    made = Source(amqp_url)
    made.connection.start()
    async with asyncio.timeout(10):
        while not made.publisher.usable:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    yield made
    await aio.stop(made.connection)


def count(path: Path) -> int:
    """Rows of the history; 0 while there is none."""
    if not path.exists():
        return 0
    database = sqlite3.connect(path, timeout=10)
    try:
        return int(database.execute("SELECT count(*) FROM results").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()


async def settled(source: Source, path: Path, rows: int) -> None:
    async with asyncio.timeout(30):
        while source.depth.messages.get(RESULT_QUEUE) != 0 or count(path) < rows:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_failure_after_the_commit_writes_nothing_twice(
    amqp_url: str, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Writer.store
    failures = iter([sqlite3.OperationalError("the machine stopped here"), OSError("and here")])

    def store_then_fail(self: Writer, batch: Sequence[Result], wall: float) -> Stored:
        stored = honest(self, batch, wall)
        for failure in failures:
            raise failure
        return stored

    monkeypatch.setattr(Writer, "store", store_then_fail)
    path = tmp_path / "data" / "history.sqlite3"
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(700))
        await settled(source, path, 700)
        await aeventually("written in the end", lambda: gateway.recorder.trouble == "")
        assert gateway.metrics.registry.get_sample_value("gateway_recorder_errors_total") == 2.0
    assert count(path) == 700


async def test_a_disk_that_refuses_leaves_the_results_in_the_queue(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(10))
        async with asyncio.timeout(10):
            while not gateway.recorder.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert any(lack.startswith("history:") for lack in gateway.missing())
        (tmp_path / "data").unlink()  # somebody mends it
        await settled(source, tmp_path / "data" / "history.sqlite3", 10)
        assert gateway.missing() == []


async def start_gateway(amqp_url: str, folder: Path) -> asyncio.subprocess.Process:
    environment = {
        "PATH": os.environ["PATH"],
        "AMQP_URL": amqp_url,
        "GATEWAY_PORT": "0",
        "GATEWAY_METRICS_PORT": "0",
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_DATA_DIR": str(folder),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_kill_9_under_load_loses_and_doubles_nothing(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    path = tmp_path / "history.sqlite3"
    total = 0
    for _ in range(3):
        process = await start_gateway(amqp_url, tmp_path)
        try:
            before = count(path)
            async with asyncio.timeout(30):
                while count(path) < before + 200:
                    await source.publish(range(total, total + 100))
                    total += 100
        finally:
            process.kill()
            await process.communicate()
    process = await start_gateway(amqp_url, tmp_path)
    await settled(source, path, total)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert time.monotonic() - began < 5
    assert count(path) == total
    assert output.decode().count(TOKEN) == 1  # the ready link, and no log line
