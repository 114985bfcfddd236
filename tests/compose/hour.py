"""An operator's hour with Compose, and what it costs: `python -m tests.compose.hour > docs/compose.md`'s table.

Needs a Docker engine and the images that docker-compose.yml and deploy/Dockerfile name. Everything runs in clones and
projects of its own, on ports from 28080 up, and is removed at the end. Exit status 1: a line failed.
"""

import argparse
import asyncio
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import websockets

from broker.session import session
from contract.topology import RESULTS_EXCHANGE, Queue
from runtime.logs import configure_logs
from tests.compose.project import Project, Refused, clone, cpu_seconds, host_pid, until
from tests.faults.books import Clerk, clerk
from tests.helpers.eventually import aeventually
from tests.helpers.images import astronaut, jpeg

ROOT = Path(__file__).resolve().parents[2]
READING = Queue("hour-results", {"x-queue-type": "quorum"}, ((RESULTS_EXCHANGE, "#"),))
RATE = 20.0
READING_SECONDS = 8.0
"""Until an operator has read a sentence and typed the next command."""
LARGE, SMALL = jpeg(astronaut()), jpeg(astronaut()[:96, :96])


class Hour:
    """The two clones, and the lines of the log; `only` those that contain these words, after the start."""

    def __init__(self, folder: Path, only: str = "") -> None:
        self.only = only
        self.first = Project(clone(ROOT, folder, "first"), "hour-first", 28080)
        self.second = Project(clone(ROOT, folder, "second"), "hour-second", 28090)
        self.failed = 0

    async def line(self, what: str, do: Callable[[], Awaitable[str]]) -> None:
        """Do it, and say in one line of the table what was seen."""
        if self.only not in what and do not in (self.build, self.start):
            return
        try:
            seen = await do()
        except Exception as error:
            self.failed += 1
            seen = f"**failed**: {type(error).__name__}: {error}".replace("\n", " ")[:500]
        print(f"| {what} | {seen} |", flush=True)

    async def run(self) -> int:
        """All of it; the exit status."""
        print("| done | seen |\n| --- | --- |", flush=True)
        try:
            await self.line("`docker compose build`", self.build)
            await self.line("`docker compose up -d --scale cv-worker=3`", self.start)
            await self.line("the broker for 20 s, idle (`--scale producer=0`)", self.idle)
            await self.line("a second clone: `docker compose up -d`, then `down -v`", self.clones)
            await self.line("`up -d` again without `--scale`, `CV_WORKERS=2` in `.env`", self.default_scale)
            await self.line("3 → 1 → 4 workers under load", self.scale)
            await self.line(
                "a plain client on `/ws/results`, four workers, bursts of eight", self.every_result
            )
            for service in ("cv-worker", "gateway", "producer", "rabbitmq", "prometheus"):
                await self.line(f"`kill -9` of the {service}", partial(self.kill, service))
                await self.line(f"`docker compose pause {service}` for 15 s", partial(self.pause, service))
                await self.line(f"`docker compose restart {service}`", partial(self.restart, service))
            await self.line("mistakes in `.env`", self.mistakes)
            await self.line(
                "an upgrade while frames flow: a change in every service, `up -d --build`", self.upgrade
            )
            await self.line(
                "`up -d` again, because Compose met a container that was just being restarted", self.again
            )
        finally:
            for project in (self.second, self.first):
                await project.down()
        return 1 if self.failed else 0

    # --- the lines ---------------------------------------------------------------------------------------

    async def build(self) -> str:
        begun = time.monotonic()
        await self.first.compose("build", seconds=1800)
        return f"{time.monotonic() - begun:.0f} s"

    async def start(self) -> str:
        begun = time.monotonic()
        await self.first.up("--scale", "cv-worker=3")
        await self.first.healthy(3)
        seconds = time.monotonic() - begun
        logs = await self.first.compose("logs", "prometheus", "gateway", "cv-worker", "producer")
        errors = [line for line in logs.splitlines() if "level=error" in line or '"level": "error"' in line]
        assert not errors, errors[:2]
        return f"5 services, 7 containers healthy after {seconds:.0f} s; no error in any log"

    async def idle(self) -> str:
        await self.first.up("--scale", "producer=0", "--scale", "cv-worker=3")
        (broker,) = await self.first.ids("rabbitmq")
        await asyncio.sleep(5)
        before, begun = cpu_seconds(broker), time.monotonic()
        await asyncio.sleep(20)
        share = (cpu_seconds(broker) - before) / (time.monotonic() - begun)
        await self.first.up("--scale", "cv-worker=3")
        return f"{share * 100:.1f} % of a core, its health check included"

    async def clones(self) -> str:
        mine = {each["ID"] for each in await self.first.containers()}
        url = await self.first.amqp_url()
        await self.second.up("--build")
        await self.second.healthy()
        assert {each["ID"] for each in await self.first.containers()} == mine
        assert await self.second.amqp_url() != url.replace(":28081/", ":28091/"), "the same password"
        await self.second.down()
        assert {each["ID"] for each in await self.first.containers()} == mine
        await self.first.healthy(3)
        return (
            "own containers, volumes, images and password; the first one untouched by `up` and by `down -v`"
        )

    async def default_scale(self) -> str:
        self.first.set(CV_WORKERS="2")
        await self.first.up()
        await self.first.healthy(2)
        return "two workers"

    async def scale(self) -> str:
        async with self.books() as books, books.load(RATE):
            for count in (3, 1, 4):
                await self.first.up("--no-recreate", "--scale", f"cv-worker={count}")
                await self.first.healthy(count)
                await asyncio.sleep(3)
        return await self.balance(books)

    async def every_result(self) -> str:
        received: set[str] = set()
        count = 0

        async def read(socket: websockets.ClientConnection) -> None:
            nonlocal count
            async for message in socket:
                frame_id = json.loads(message)["frame_id"]
                if frame_id.startswith(f"{books.name}-"):
                    count += 1
                    received.add(frame_id)

        url = f"ws://{self.first.gateway}/ws/results?cameras=c"
        headers = {"Authorization": f"Bearer {self.first.token}"}
        async with self.books() as books, websockets.connect(url, additional_headers=headers) as socket:
            reading = asyncio.create_task(read(socket))
            for _ in range(25):
                await asyncio.gather(*(books.send(LARGE if n % 3 == 0 else SMALL) for n in range(8)))
            settled = await books.settled()
            answered = settled.confirmed - settled.expired - settled.dead.keys()
            await aeventually("every result on the socket", lambda: received >= answered, 30)
            reading.cancel()
        assert count == len(received), f"{count - len(received)} came twice"
        return f"{len(settled.confirmed)} frames, {len(settled.expired)} expired, {len(received)} results, each once"

    async def kill(self, service: str) -> str:
        async with self.books() as books, books.load(RATE):
            await asyncio.sleep(3)
            victim = (await self.first.ids(service))[0]
            begun = time.monotonic()
            os.kill(host_pid(victim), signal.SIGKILL)
            back = await self.back(books, begun)
        return f"{await self.balance(books)}; {back}"

    async def pause(self, service: str) -> str:
        async with self.books() as books, books.load(RATE):
            await asyncio.sleep(3)
            await self.first.compose("pause", service)
            await asyncio.sleep(15)
            await self.first.compose("unpause", service)
            back = await self.back(books, time.monotonic())
        return f"{await self.balance(books)}; {back}"

    async def restart(self, service: str) -> str:
        async with self.books() as books, books.load(RATE):
            await asyncio.sleep(3)
            begun = time.monotonic()
            await self.first.compose("restart", service)
            back = await self.back(books, begun)
        return f"{await self.balance(books)}; {back}"

    async def mistakes(self) -> str:
        seen = []
        for name, expected in (
            ("PRODUCER_FSP", "producer: PRODUCER_FSP is not a setting: did you mean PRODUCER_FPS?"),
            ("AMQP_PROT", "gateway: AMQP_PROT is not a setting: did you mean AMQP_PORT?"),
            ("WORKER_LANES", "worker: WORKER_LANES is not a setting: did you mean WORKER_LANE?"),
        ):
            self.first.set(CV_WORKERS="2", **{name: "1"})
            await self.first.up()

            async def said(expected: str = expected) -> bool:
                return expected in await self.first.compose("logs", "--since", "60s")

            await until(expected, said, 30)
            seen.append(expected)
            await asyncio.sleep(READING_SECONDS)
        self.first.set(CV_WORKERS="2", MODEL_DIR="./typo")
        with pytest.raises(Refused, match="bind source path does not exist"):
            await self.first.up()
        assert not (self.first.folder / "typo").exists()
        seen.append("`MODEL_DIR=./typo`: bind source path does not exist, and no folder is made")
        self.first.set(CV_WORKERS="2")
        await self.first.up()
        await self.first.healthy(2)
        return "; ".join(seen)

    async def again(self) -> str:
        return f"{self.first.conflicts} times"

    async def upgrade(self) -> str:
        for service in ("worker", "producer", "gateway", "contract"):
            with (self.first.folder / service / "__init__.py").open("a") as file:
                file.write("\n# the next version\n")
        async with self.books() as books, books.load(RATE):
            await asyncio.sleep(3)
            await self.first.up("--build")
            await self.first.healthy(2)
            await asyncio.sleep(3)
        gaps = sorted(books.books.result_at.values())
        longest = max(b - a for a, b in itertools.pairwise(gaps))
        return f"{await self.balance(books)}; {longest:.1f} s at most without a result"

    # --- what they share ---------------------------------------------------------------------------------

    def books(self) -> "Reading":
        """A sender, and a reader with a queue of its own."""
        return Reading(self.first)

    async def back(self, books: Clerk, begun: float) -> str:
        """Wait for results of frames that were sent after this moment."""
        sent = len(books.books.sent)

        def flowing() -> bool:
            fresh = [f"{books.name}-{number}" for number in range(sent, sent + 200)]
            return (
                sum(frame in books.books.results and frame not in books.books.expired for frame in fresh) >= 5
            )

        await aeventually("results flow again", flowing, 120)
        return f"results again {time.monotonic() - begun:.1f} s later"

    async def balance(self, books: Clerk) -> str:
        """Everything confirmed is accounted for. Raises AssertionError."""
        done = books.books
        assert not done.open, done
        return (
            f"{len(done.confirmed)} confirmed, 0 lost, {len(done.expired)} expired, "
            f"{sum(done.refused.values())} refused to the sender"
        )


_readings = itertools.count(1)


class Reading:
    """An open Clerk on the project's broker; at the end all is settled and its queue deleted."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def __aenter__(self) -> Clerk:
        self._url = await self._project.amqp_url()
        async with session([self._url], "hour") as opened, opened.channel() as channel:
            await channel.declare(READING)
        self._clerk = clerk(self._url, results=READING.name, name=f"hour-{next(_readings)}")
        self._opened = await self._clerk.__aenter__()
        return self._opened

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                await self._opened.settled(120)
        finally:
            await self._clerk.__aexit__(None, None, None)
            async with session([self._url], "hour") as opened, opened.channel() as channel:
                await channel.delete(READING.name)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose.hour", description=__doc__)
    parser.add_argument(
        "--only", metavar="WORDS", default="", help="after the start, only lines that contain this"
    )
    only = parser.parse_args().only
    configure_logs("hour", "warning")
    with tempfile.TemporaryDirectory(prefix="framefleet-hour-") as folder:
        return asyncio.run(Hour(Path(folder), only).run())


if __name__ == "__main__":
    sys.exit(main())
