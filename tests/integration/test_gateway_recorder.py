"""The recorder on a real broker: what fails between the delivery and the acknowledgement loses and doubles nothing."""

import asyncio
import io
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path

import aiohttp
import psycopg
import pytest
from PIL import Image

from broker import (
    AsyncioLoop,
    Connection,
    Consumer,
    Delivery,
    Message,
    Outcome,
    Publisher,
    QueueDepth,
    aio,
)
from cli.rabbitmq import RabbitMQNode
from contract.result import Result, encode_result
from contract.status import WatchAnnouncement, parse_control
from contract.topology import CONTROL_EXCHANGE, RESULT_QUEUE, RESULTS_EXCHANGE, WATCH_EXCHANGE, EphemeralQueue
from gateway.history.store import Stored
from gateway.history.writer import Writer
from gateway.starting import CannotStart
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.postgres import private_postgres
from tests.helpers.results import result

pytestmark = pytest.mark.integration


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


async def test_a_postgresql_that_restarts_is_waited_for(
    amqp_url: str, source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with private_postgres() as server:
        url = server.url()

        def rows() -> int:
            with psycopg.connect(url) as connection:
                return int(connection.execute("SELECT count(*) FROM results").fetchall()[0][0])

        async with running_gateway(tmp_path, amqp_url=amqp_url, database_url=url) as gateway:
            await aeventually("at work", lambda: not gateway.missing())
            await source.publish(range(100))
            await aeventually("written", lambda: rows() == 100)
            server.stop()
            await source.publish(range(100, 200))
            await aeventually("trouble", lambda: gateway.recorder.trouble)
            (lack,) = gateway.missing()
            assert lack.startswith("history: ")
            assert "password" not in lack
            errors = gateway.metrics.registry.get_sample_value
            await aeventually("it tries", lambda: (errors("gateway_recorder_errors_total") or 0) >= 3)
            assert (errors("gateway_history_waiting_seconds") or 0) > 0.5
            server.start()
            await aeventually("all of it written", lambda: rows() == 200)
            await aeventually("and said", lambda: not gateway.missing())
        said = capsys.readouterr().out
        assert said.count("history cannot be written") == 1
        assert said.count("history is written again") == 1


async def test_a_gateway_without_its_postgresql_starts_and_waits(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    with private_postgres() as server:
        server.stop()
        url = server.url()
        async with (
            running_gateway(tmp_path, amqp_url=amqp_url, database_url=url) as gateway,
            aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        ):
            await source.publish(range(200, 210))
            await aeventually("trouble", lambda: gateway.recorder.trouble)
            async with http.get("/api/events") as answer:
                assert answer.status == 503
            server.start()
            await aeventually(
                "written",
                lambda: gateway.metrics.registry.get_sample_value("gateway_recorded_results_total") == 10,
            )
            async with http.get("/api/events") as answer:
                assert answer.status == 200


async def test_a_second_gateway_on_the_file_is_refused(amqp_url: str, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, amqp_url=amqp_url):
        with pytest.raises(CannotStart, match=r"another gateway writes .*DATABASE_URL"):
            async with running_gateway(tmp_path, amqp_url=amqp_url):
                pass
    async with running_gateway(tmp_path, amqp_url=amqp_url):
        pass  # the first one is gone


async def test_an_event_gets_its_picture(amqp_url: str, tmp_path: Path) -> None:
    """The test is the worker: it sends results, and pictures of the cameras that are watched."""
    big = io.BytesIO()
    Image.new("RGB", (1280, 720), (10, 200, 30)).save(big, "JPEG")
    watched: list[list[str]] = []

    def heard(delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        if isinstance(control, WatchAnnouncement):
            watched.append(control.cameras)

    control = Consumer(EphemeralQueue(((CONTROL_EXCHANGE, ""),)), heard, no_ack=True)
    async with (
        running_gateway(tmp_path, amqp_url=amqp_url) as gateway,
        bus(amqp_url, control) as b,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("at work", lambda: not gateway.missing() and control.subscribed)
        await b.publish(
            Message(RESULTS_EXCHANGE, "gate", encode_result(result(time.time(), camera_id="gate")))
        )
        await aeventually("watched", lambda: watched and watched[-1] == ["gate"])
        seen = result(time.time(), 2, camera_id="gate")
        header = {"result": encode_result(seen).decode()}
        await b.publish(Message(RESULTS_EXCHANGE, "gate", encode_result(seen)))
        await b.publish(
            Message(WATCH_EXCHANGE, "gate", big.getvalue(), "image/jpeg", header, mandatory=False)
        )
        await aeventually("left alone again", lambda: watched[-1] == [])
        value = gateway.metrics.registry.get_sample_value
        await aeventually("stored", lambda: value("gateway_thumbnails_total", {"outcome": "stored"}) == 1)
        async with http.get("/api/events") as answer:
            (event,) = (await answer.json())["items"]
        async with http.get(event["thumbnail"]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as picture:
                assert (picture.format, picture.size) == ("JPEG", (320, 180))
        assert (event["frames"], event["faces"]) == (2, 2)
