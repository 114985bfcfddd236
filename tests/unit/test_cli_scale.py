"""More workers, or fewer, while the system runs: the way to it, what it does, and what it refuses."""

import asyncio
import io
import json
import socket
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, cast

import pytest

from cli import lock
from cli.addresses import Addresses, choose
from cli.control import ScaleRequest, ask_scale, control_socket
from cli.display import Display
from cli.errors import CommandError, InvalidOption, StartFailed
from cli.knobs import Knobs
from cli.layout import Layout
from cli.part import Part
from cli.scale import wanted
from cli.supervisor import Supervisor
from cli.system import System, scaled
from gateway.expected_workers import ExpectedWorkers
from runtime.unix_sockets import short

KNOBS = Knobs(2, "demo", None, None, "amqp://host/")


class Started:
    """In a supervisor's place: which parts run."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.fails = ""

    async def start(self, part: Part) -> None:
        if part.name == self.fails:
            raise StartFailed("no memory")
        self.running.append(part.name)

    async def end(self, names: list[str]) -> None:
        await asyncio.sleep(0)
        for name in names:
            self.running.remove(name)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.create()
    return layout


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    chosen = choose(KNOBS)
    yield chosen
    chosen.release()


@pytest.fixture
def parts() -> Started:
    return Started()


@pytest.fixture
def system(layout: Layout, addresses: Addresses, parts: Started) -> System:
    parts.running = ["worker-1", "worker-2"]
    return System(layout, KNOBS, addresses, "token", cast(Supervisor, parts), Display(io.StringIO()))


def listed(layout: Layout) -> tuple[int, int, int]:
    """How many workers Prometheus, the gateway and the commands are told of."""
    targets = json.loads(layout.workers.read_text())
    expected = ExpectedWorkers(None, layout.expected_workers).number
    return len(targets), expected or 0, len(json.loads(layout.endpoints.read_text())["workers"])


# What it does


async def test_workers_come_and_go_by_their_slots(
    system: System, parts: Started, layout: Layout, addresses: Addresses
) -> None:
    assert await system.scale(ScaleRequest(4)) == "4 workers run: worker-3 to worker-4 started"
    assert parts.running == ["worker-1", "worker-2", "worker-3", "worker-4"]
    assert len(set(addresses.workers)) == 4
    assert listed(layout) == (4, 4, 4)
    freed = addresses.workers[1]
    assert await system.scale(ScaleRequest(1)) == "1 worker runs: worker-2 to worker-4 finished and ended"
    assert parts.running == ["worker-1"]
    assert listed(layout) == (1, 1, 1)
    assert (
        await system.scale(ScaleRequest(0)) == "No worker runs, and frames wait: worker-1 finished and ended"
    )
    assert listed(layout) == (0, 0, 0)
    await system.scale(ScaleRequest(2))
    assert addresses.workers[1] == freed  # a port that was given back is used again


async def test_two_who_ask_at_once_are_served_one_after_the_other(system: System, parts: Started) -> None:
    await asyncio.gather(system.scale(ScaleRequest(5)), system.scale(ScaleRequest(1)))
    assert parts.running == ["worker-1"]


async def test_one_that_cannot_be_started_leaves_the_others(
    system: System, parts: Started, layout: Layout, addresses: Addresses
) -> None:
    parts.fails = "worker-4"
    with pytest.raises(CommandError, match=r"worker-4 could not be started: no memory\. 3 workers run"):
        await system.scale(ScaleRequest(5))
    assert (len(addresses.workers), listed(layout)) == (3, (3, 3, 3))


async def test_another_knob_than_the_runs_is_refused_and_the_same_is_not(
    system: System, parts: Started, addresses: Addresses
) -> None:
    with pytest.raises(CommandError, match=r"^SOURCE and PORT are not as the system was started"):
        await system.scale(ScaleRequest(3, {"SOURCE": "none", "PORT": "1", "AMQP_URL": "amqp://host/"}))
    assert parts.running == ["worker-1", "worker-2"]
    same = {"SOURCE": "demo", "PORT": str(addresses.gateway)}
    assert await system.scale(ScaleRequest(2, same)) == "2 workers run, as before"


def test_a_source_is_another_knob_where_there_is_a_file_of_cameras() -> None:
    assert Knobs(1, "demo", None, None, "", Path("/c.yaml")).words["SOURCE"] == ""


def test_what_was_done_is_a_sentence() -> None:
    assert scaled(1, 2) == "2 workers run: worker-2 started"
    assert scaled(2, 1) == "1 worker runs: worker-2 finished and ended"


# The way to it


@asynccontextmanager
async def answered(layout: Layout) -> Any:
    """A run of that checkout, which says what it was asked."""

    async def scale(request: ScaleRequest) -> str:
        if request.workers > 9:
            raise CommandError("too many")
        return f"{request.workers} with {request.knobs}"

    with closing(lock.acquire(layout.lock)):
        async with control_socket(layout, scale, pytest.fail):
            yield


async def ask(layout: Layout, workers: int, **knobs: str) -> str:
    return await asyncio.to_thread(ask_scale, layout, ScaleRequest(workers, knobs))


async def test_the_run_is_asked_and_answers_or_says_why_not(layout: Layout) -> None:
    async with answered(layout):
        assert await ask(layout, 3, SOURCE="demo") == "3 with {'SOURCE': 'demo'}"
        with pytest.raises(CommandError, match=r"^too many$"):
            await ask(layout, 10)
        with short(layout.control) as path:
            for words in (b"\n", b"{}\n", b"x" * 100_000, b""):  # and it goes on
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(words)
                writer.write_eof()
                await reader.read()
                writer.close()
        assert await ask(layout, 3) == "3 with {}"
    assert not layout.control.exists()


async def test_who_runs_nothing_is_told_what_starts_it(layout: Layout) -> None:
    with short(layout.control) as path, socket.socket(socket.AF_UNIX) as left:
        left.bind(path)  # by one that was killed
    with pytest.raises(CommandError, match="no system runs in this checkout: `make up WORKERS=3` starts one"):
        await ask(layout, 3)
    with closing(lock.acquire(layout.lock)), pytest.raises(CommandError, match="it is starting or ending"):
        await ask(layout, 3)
    async with answered(layout):
        assert await ask(layout, 3) == "3 with {}"


@pytest.mark.parametrize("text", ["workers=3", "WORKERS=3", "cv-worker=3", "3"])
def test_the_number_is_read_however_it_is_written(text: str) -> None:
    assert wanted(text) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workers=-1", "a whole number from 0 to 512"),
        ("workers=", "a whole number from 0 to 512"),
        ("workers=many", "a whole number from 0 to 512"),
        ("513", "a whole number from 0 to 512"),
        ("producer=2", "'producer' cannot be scaled: only workers can"),
    ],
)
def test_what_is_no_number_of_workers_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidOption, match=says):
        wanted(text)


# What the gateway reads


def test_the_number_of_workers_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "expected"
    assert (ExpectedWorkers(None, None).number, ExpectedWorkers(3, None).number) == (None, 3)
    expected = ExpectedWorkers(3, file)
    assert expected.number == 3
    for text, number in (("2\n", 2), ("", 2), ("-1", 2), ("two", 2), ("10\n", 10)):
        file.write_text(text)
        assert expected.number == number
