"""The recorder on a real broker: what fails between the delivery and the acknowledgement loses and doubles nothing."""

import asyncio
import contextlib
import io
import json
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
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
from contract.result import Result, encode_result
from contract.status import WatchAnnouncement, kept_routing_key, parse_control
from contract.topology import CONTROL_EXCHANGE, RESULT_QUEUE, RESULTS_EXCHANGE, WATCH_EXCHANGE, EphemeralQueue
from gateway.errors import CannotStart
from gateway.history.store import Stored
from gateway.history.writer import HistoryWriter
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.postgres import private_postgres
from tests.helpers.results import result
from tests.helpers.vhosts import VirtualHosts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def amqp_url(virtual_hosts: VirtualHosts) -> str:
    """A virtual host of this module: its tests read on where the one before has ended."""
    return virtual_hosts.take()


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
    honest = HistoryWriter.store
    failures = iter([sqlite3.OperationalError("the machine stopped here"), OSError("and here")])

    def store_then_fail(
        self: HistoryWriter, batch: Sequence[Result], wall: float, unlisted: Collection[str]
    ) -> Stored:
        stored = honest(self, batch, wall, unlisted)
        for failure in failures:
            raise failure
        return stored

    monkeypatch.setattr(HistoryWriter, "store", store_then_fail)
    path = tmp_path / "data" / "history.sqlite3"
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(700))
        await settled(source, path, 700)
        await aeventually("written in the end", lambda: gateway.history.recorder.trouble == "")
        assert gateway.metrics.registry.get_sample_value("gateway_recorder_errors_total") == 2.0
    assert count(path) == 700


async def test_a_disk_that_refuses_leaves_the_results_in_the_queue(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(10))
        async with asyncio.timeout(10):
            while not gateway.history.recorder.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert any(lack.startswith("history:") for lack in gateway.missing())
        (tmp_path / "data").unlink()  # somebody mends it
        await settled(source, tmp_path / "data" / "history.sqlite3", 10)
        assert gateway.missing() == []


def checkpointed(path: Path) -> None:
    """Everything is in the file itself, and nothing beside it."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def overwrite(path: Path, begin: int, size: int) -> None:
    """As `dd conv=notrunc` does."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * size)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "its header is overwritten": lambda path: overwrite(path, 0, 100),
    "its middle is overwritten": lambda path: overwrite(path, 8_192, 200_000),
    "its end is cut off": lambda path: os.truncate(path, path.stat().st_size // 2),
    "all of it is cut off": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_said_with_its_remedy_and_nothing_is_lost(
    amqp_url: str, source: Source, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "data" / "history.sqlite3"
    async with (
        running_gateway(tmp_path, amqp_url=amqp_url) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        value = gateway.metrics.registry.get_sample_value
        await aeventually("at work", lambda: not gateway.missing())
        await source.publish(range(2_000))
        await settled(source, path, 2_000)
        checkpointed(path)
        DAMAGES[damage](path)
        async with http.ws_connect("/ws/results") as live, asyncio.timeout(10):
            await source.publish(range(2_000, 2_010))
            while json.loads(await live.receive_str())["frame_id"] != "a:2009":
                pass  # live all goes on
        await aeventually("said", lambda: value("gateway_history_fault", {"kind": "damaged"}) == 1)
        (lack,) = gateway.missing()
        assert re.fullmatch(
            r"history: history\.sqlite3 in GATEWAY_DATA_DIR is damaged \([a-z ]+\) and does not mend by itself: "
            r"move it, history\.sqlite3-wal and history\.sqlite3-shm to another folder, and a new history begins by "
            r"itself; docs/history\.md says how to save what is in the old one",
            lack,
        )
        async with http.get("/api/events") as answer:
            assert answer.status == 503
            assert "is damaged" in await answer.text()
        assert value("gateway_recorded_results_total") == 2_000  # nothing of the ten was acknowledged
        for name in ("history.sqlite3", "history.sqlite3-wal", "history.sqlite3-shm"):
            with contextlib.suppress(FileNotFoundError):
                (tmp_path / "data" / name).rename(tmp_path / name)
        await settled(source, path, 10)
        await aeventually("and well", lambda: not gateway.missing())
        assert value("gateway_history_fault", {"kind": "damaged"}) == 0


async def test_damage_that_only_a_reader_meets_is_said_as_well(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "history.sqlite3"
    async with (
        running_gateway(tmp_path, amqp_url=amqp_url) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("at work", lambda: not gateway.missing())
        await source.publish(range(10))
        await settled(source, path, 10)
        checkpointed(path)
        with contextlib.closing(sqlite3.connect(path)) as database:
            roots = database.execute(
                "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'events'"
            ).fetchall()
            (size,) = database.execute("PRAGMA page_size").fetchone()
        for (root,) in roots:
            overwrite(path, (root - 1) * size, size)
        async with http.get("/api/events") as answer:
            assert answer.status == 503
        assert [lack for lack in gateway.missing() if "is damaged" in lack]


async def test_a_file_that_is_taken_away_takes_no_result_along(
    amqp_url: str, source: Source, tmp_path: Path
) -> None:
    """SQLite would go on in the deleted file, and what was acknowledged would be gone with the process."""
    path = tmp_path / "data" / "history.sqlite3"
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(10))
        await settled(source, path, 10)
        path.unlink()
        await source.publish(range(10, 20))
        await settled(source, path, 10)
        await aeventually("well", lambda: not gateway.missing())
    assert count(path) == 10


def beset_by_a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def beset_by_text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("these are no tables\n" * 1_000)


def beset_by_another_program(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE results (title TEXT)")
        database.commit()


@pytest.mark.parametrize(
    ("beset", "kind", "sentence"),
    [
        (beset_by_a_folder, "unwritable", "is a folder: move it away"),
        (beset_by_text, "damaged", "is damaged (file is not a database)"),
        (beset_by_another_program, "foreign", "has not the tables of a history"),
    ],
)
async def test_what_lies_in_the_place_of_the_file_at_the_start_is_said(
    amqp_url: str,
    source: Source,
    tmp_path: Path,
    beset: Callable[[Path], None],
    kind: str,
    sentence: str,
) -> None:
    path = tmp_path / "data" / "history.sqlite3"
    beset(path)
    async with running_gateway(tmp_path, amqp_url=amqp_url) as gateway:
        await source.publish(range(10))
        value = gateway.metrics.registry.get_sample_value
        await aeventually("said", lambda: value("gateway_history_fault", {"kind": kind}) == 1)
        assert any(f"history: history.sqlite3 in GATEWAY_DATA_DIR {sentence}" in e for e in gateway.missing())
        path.rename(tmp_path / "aside")
        await settled(source, path, 10)
        await aeventually("well", lambda: not gateway.missing())


async def test_a_file_that_another_program_locks_is_waited_for_and_read_meanwhile(
    amqp_url: str, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.history.database.BUSY_SECONDS", 0.5)
    path = tmp_path / "data" / "history.sqlite3"
    async with (
        running_gateway(tmp_path, amqp_url=amqp_url) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await source.publish(range(10))
        await settled(source, path, 10)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await source.publish(range(10, 20))
            await aeventually("said", lambda: "another program holds" in gateway.history.recorder.trouble)
            async with http.get("/api/events") as answer:
                assert answer.status == 200
        await settled(source, path, 20)
        await aeventually("well", lambda: not gateway.missing())


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
            await aeventually("trouble", lambda: gateway.history.recorder.trouble)
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
            await aeventually("trouble", lambda: gateway.history.recorder.trouble)
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
    """The test is the worker: it sends results, and then the frames that it is asked for."""
    big = io.BytesIO()
    Image.new("RGB", (1280, 720), (10, 200, 30)).save(big, "JPEG")
    wanted: list[WatchAnnouncement] = []

    def heard(delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        if isinstance(control, WatchAnnouncement) and control.frames:
            wanted.append(control)

    control = Consumer(EphemeralQueue(((CONTROL_EXCHANGE, ""),)), heard, no_ack=True)
    async with (
        running_gateway(tmp_path, amqp_url=amqp_url) as gateway,
        bus(amqp_url, control) as b,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("at work", lambda: not gateway.missing() and control.subscribed)
        seen = result(time.time(), 2, camera_id="gate", width=1280, height=720)
        await b.publish(Message(RESULTS_EXCHANGE, "gate", encode_result(seen)))
        await aeventually("asked for", lambda: wanted)
        assert (wanted[0].cameras, wanted[0].frames) == ([], [seen.frame_id])
        header = {"result": encode_result(seen).decode()}
        key = kept_routing_key(wanted[0].gateway_id)
        await b.publish(Message(WATCH_EXCHANGE, key, big.getvalue(), "image/jpeg", header, mandatory=False))
        value = gateway.metrics.registry.get_sample_value
        await aeventually("stored", lambda: value("gateway_thumbnails_total", {"outcome": "stored"}) == 1)
        async with http.get("/api/events") as answer:
            (event,) = (await answer.json())["items"]
        async with http.get(event["thumbnail"]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as picture:
                assert (picture.format, picture.size) == ("JPEG", (320, 180))
        async with http.get(event["picture"]) as answer:
            assert await answer.read() == big.getvalue()
        assert event["frame"] == {
            "frame_id": seen.frame_id,
            "time": seen.original_timestamp,
            "width": 1280,
            "height": 720,
            "model": "m@1",
            "detections": [
                {"x": 1, "y": 2, "w": 3, "h": 4, "confidence": 0.9, "label": "face", "landmarks": []}
                for _ in range(2)
            ],
        }
        assert len(wanted) == 1
