"""What is said on `control`, and when: on occasions that other parts note."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from contract.drains import DesiredDrains
from contract.models import DesiredModels
from contract.remote import DesiredRemote
from contract.senders import Senders
from gateway.announcements import Announcer, Occasions
from gateway.drains.keeper import DrainKeeper
from gateway.errors import BrokenSenders
from gateway.keepers import Keepers
from gateway.live.watch_list import WatchList
from gateway.models.keeper import ModelKeeper
from gateway.nodes import Nodes
from gateway.remote.keeper import RemoteKeeper
from gateway.senders.file import read_senders
from gateway.senders.registry import SenderRegistry
from runtime.followed_files import FollowedFile

EVERYTHING = [
    [],
    [],
    DesiredModels(revision=7, cluster="haar"),
    DesiredDrains(revision=3),
    Senders(revision=5),
]


class Bench:
    """An announcer that says things to a list."""

    def __init__(self, folder: Path) -> None:
        self.watched: frozenset[str] = frozenset()
        self.bound: list[tuple[str, bool]] = []
        self.frames: list[str] = []
        self.said: list[object] = []
        self.occasions = Occasions()
        self.file = FollowedFile(folder / "senders.json", read_senders, BrokenSenders)
        self.announcer = Announcer(
            self.occasions,
            WatchList(lambda camera_id, on: self.bound.append((camera_id, on)), self.said.append),
            Keepers(
                ModelKeeper(folder, DesiredModels(revision=7, cluster="haar"), Nodes(), self.said.append),
                DrainKeeper(folder, DesiredDrains(revision=3), Nodes(), self.said.append),
                RemoteKeeper(folder, DesiredRemote(), Nodes(), self.said.append),
                SenderRegistry(self.file, Senders(revision=5), self.said.append),
            ),
            by_viewers=lambda: self.watched,
            frames=lambda now: [self.frames.pop()] if self.frames else [],
            ask=lambda cameras, frames: self.said.append((cameras, frames)),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.announcer.run())
        yield
        task.cancel()

    async def until(self, length: int) -> None:
        async with asyncio.timeout(5):
            while len(self.said) < length:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_a_camera_that_somebody_wants_to_see_is_bound_and_said_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.running():
        bench.watched = frozenset({"gate"})
        bench.occasions.pictures_wanted()
        await bench.until(1)
    assert (bench.bound, bench.said) == ([("gate", True)], [["gate"]])


async def test_frames_are_asked_for_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.running():
        bench.watched = frozenset({"gate"})
        bench.frames = ["gate:7"]
        bench.occasions.pictures_wanted()
        await bench.until(2)
    assert bench.said == [["gate"], (["gate"], ["gate:7"])]


async def test_after_a_reconnect_everything_is_said_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.running():
        bench.occasions.pictures_wanted()
        await bench.until(1)
        bench.occasions.reconnected()
        await bench.until(5)
    assert bench.said == EVERYTHING


async def test_an_occasion_before_anybody_announces_is_not_lost(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.occasions.reconnected()
    bench.occasions.pictures_wanted()
    async with bench.running():
        await bench.until(5)  # what is watched: it is new, and said again; models, drains, senders
    assert bench.said == EVERYTHING
