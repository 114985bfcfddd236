"""Three RabbitMQ nodes: the leader of frame_queue is killed, two of three, the leader frozen. Nothing is lost."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Outcome
from tests.conftest import StartService
from tests.faults.books import Clerk, clerk
from tests.helpers.cluster import Cluster, cluster
from tests.helpers.components import require
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.fleet import Fleet, consumers
from tests.helpers.freezing import SECONDS, frozen, hold
from tests.helpers.processes import Service

pytestmark = [pytest.mark.calm, pytest.mark.faults, pytest.mark.timeout(240 + SECONDS)]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this module's own."""
    require("rabbitmq-server")
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


async def first_confirm(books: Clerk, seconds: float) -> float:
    """Seconds until a frame that is sent from now on is confirmed."""
    begun = time.monotonic()
    while await books.send() is not Outcome.CONFIRMED:
        assert time.monotonic() - begun < seconds, f"no confirm within {seconds:.0f} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def whole_again(three: Cluster) -> None:
    """Start what was killed, and wait until frame_queue has its three members."""
    await asyncio.to_thread(three.start)

    async def three_members() -> bool:
        return await asyncio.to_thread(three.members, "frame_queue") == 3

    await eventually_async("frame_queue has its three members back", three_members, 60)


async def a_fleet(start: StartService, three: Cluster, folder: Path) -> Fleet:
    fleet = Fleet(start, ",".join(three.urls), folder)
    fleet.worker("one")
    fleet.worker("two")
    await fleet.ready(40)
    return fleet


def memory(service: Service) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def test_leader_killed_under_load(three: Cluster, start: StartService, tmp_path: Path) -> None:
    async with clerk(*three.urls) as books:
        fleet = await a_fleet(start, three, tmp_path)
        assert await asyncio.to_thread(three.members, "frame_queue") == 3
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20, 40)
            leader = await asyncio.to_thread(three.leader, "frame_queue")
            await asyncio.to_thread(leader.kill)
            confirmed = await first_confirm(books, 10)
            begun, before = time.monotonic(), len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20, 30)
            results = time.monotonic() - begun + confirmed
        await fleet.ready(30)
        settled = await books.settled()
        await whole_again(three)
        assert await consumers(leader) == 2
        print(f"\nleader killed: confirms after {confirmed:.2f} s, results after {results:.2f} s; {settled}")


async def test_two_of_three_killed(three: Cluster, start: StartService, tmp_path: Path) -> None:
    async with clerk(*three.urls) as books:
        fleet = await a_fleet(start, three, tmp_path)
        producer = fleet.producer()
        await fleet.ready(40)
        async with books.load(50):
            before = len(books.books.results)
            await aeventually("results", lambda: len(books.books.results) > before + 20, 40)
            weight = memory(producer)
            first, second, survivor = three.nodes.values()
            await asyncio.to_thread(first.kill)
            await asyncio.to_thread(second.kill)
            refused = books.books.refused.total()
            await aeventually("senders are told", lambda: books.books.refused.total() > refused + 500, 60)
            grown = memory(producer) - weight
            assert survivor.running
            assert books.publisher.outstanding <= 5_000
            begun = time.monotonic()
            await whole_again(three)
            confirmed = await first_confirm(books, 30)
            recovered = time.monotonic() - begun
            before = len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20, 40)
        await fleet.ready(30)
        settled = await books.settled()
        assert await consumers(survivor) == 2
        print(
            f"\ntwo of three killed: producer grew {grown:.0f} MB, confirms {confirmed:.2f} s after the nodes "
            f"({recovered:.1f} s in all); {settled}"
        )
        assert grown < 50


async def test_leader_frozen_under_load(three: Cluster, start: StartService, tmp_path: Path) -> None:
    """It is there, it listens, and it says nothing. Its clients go to the others, and it comes back by itself."""
    async with clerk(*three.urls) as books:
        fleet = await a_fleet(start, three, tmp_path)
        async with books.load(50):
            before = len(books.books.results)
            await aeventually("results", lambda: len(books.books.results) > before + 20, 40)
            leader = await asyncio.to_thread(three.leader, "frame_queue")
            with frozen(leader.pid) as begun:
                before = len(books.books.confirmed)
                await asyncio.sleep(3)  # what was under way is confirmed by then
                stuck = len(books.books.confirmed)
                await aeventually("confirms", lambda: len(books.books.confirmed) > stuck + 20, 30)
                confirmed = time.monotonic() - begun
                before = len(books.books.results)
                await aeventually("results go on", lambda: len(books.books.results) > before + 20, 30)
                results = time.monotonic() - begun
                await hold(begun)
            thawed = time.monotonic()
            await eventually_async("it comes back by itself", lambda: asyncio.to_thread(three.whole), 90)
            whole = time.monotonic() - thawed
        await fleet.ready(30)
        settled = await books.settled()
        print(
            f"\nleader frozen: confirms after {confirmed:.1f} s, results after {results:.1f} s, whole {whole:.1f} s "
            f"after its end; {settled}"
        )
        assert confirmed < 20
