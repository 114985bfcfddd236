"""Whoever stands still instead of dying. What the page says, and when.

`make silences` freezes for a minute each, and in the suite for as long as it takes to be noticed.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.still_system import RATE, System, told, whole_system
from tests.helpers.freezing import SECONDS, frozen, hold, until

pytestmark = [
    pytest.mark.calm,
    pytest.mark.faults,
    pytest.mark.timeout(180 + 3 * SECONDS),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with whole_system(tmp_path_factory.mktemp("silences")) as running:
        yield running


async def test_frozen_broker(system: System) -> None:
    blamed: set[str] = set()

    async def blame() -> None:
        """What the page says of workers and producers, who are well."""
        while True:
            for path in ("/api/cameras", "/api/nodes"):
                for each in (await system.page(path))["items"]:
                    if each["state"] in ("offline", "stalled", "lost"):
                        blamed.add(f"{each}")
            await asyncio.sleep(0.2)

    watch = asyncio.create_task(blame())
    with frozen(system.node.pid) as begun:
        rests = await until("the rate is not the old one", system.rests, 12)
        said = rests + await until("the page names it", lambda: system.lacks("RabbitMQ: "), 12)
        unknown = (await system.page("/api/cameras"))["items"]
        await hold(begun)
    well = await system.well(40)
    watch.cancel()
    assert {(each["state"], each["reason"]) for each in unknown} == {("unknown", "the gateway has no broker")}
    assert blamed == set()
    told(f"broker frozen, {await system.accounted()}", rate=rests, named=said, well=well)
    assert said < 16


async def test_frozen_worker_with_a_frame(system: System) -> None:
    """The broker takes the frame from it, and another worker computes it, long before it goes on."""
    with frozen(system.services["one"].process.pid) as begun:
        before = set(system.books.books.confirmed)

        async def lost() -> bool:
            return await system.node_state("one") == "lost"

        async def given_up() -> bool:
            return system.books.depth.consumers["frame_queue"] == 1

        said = await until("the page calls it lost", lost, 12)
        taken = said + await until("the broker takes its frame back", given_up, 20)
        computed = taken + await until("that is computed elsewhere", lambda: system.answered(before), 30)
        rate, _ = await system.rate()
        await hold(begun)
    well = await system.well(40)
    told(f"worker frozen, {await system.accounted()}", lost=said, taken=taken, computed=computed, well=well)
    assert rate, "the other one works"
    assert taken < 20, "two to three heartbeats"


async def test_frozen_producer(system: System) -> None:
    with frozen(system.services["producer"].process.pid) as begun:

        async def offline() -> bool:
            cameras = {each["camera_id"]: each for each in (await system.page("/api/cameras"))["items"]}
            demo = [each for name, each in cameras.items() if name.startswith("demo")]
            return all(each["state"] == "offline" and "not heard since" in each["reason"] for each in demo)

        said = await until("the page says that its cameras are away", offline, 15)
        await hold(begun)
    well = await system.well(40)
    told(f"producer frozen, {await system.accounted()}", offline=said, well=well)


async def test_frozen_gateway(system: System) -> None:
    """The page itself says so: tests/e2e/test_silence.py. Here: what came meanwhile is in the history afterwards."""
    with frozen(system.services["gateway"].process.pid) as begun:
        before = len(system.books.books.confirmed)

        async def work_goes_on() -> bool:
            return len(system.books.books.confirmed) > before + 12 * RATE

        await until("frames are taken all the same", work_goes_on, 30)
        await hold(begun)
    well = await system.well(40)
    told(f"gateway frozen, {await system.accounted()}", well=well)


async def test_frozen_postgresql(system: System) -> None:
    with frozen(system.postgres.pid) as begun:
        said = await until("the page names it", lambda: system.lacks("history: the database has not"), 15)
        rate, _ = await system.rate()
        await hold(begun)
    well = await system.well(40)
    told(f"PostgreSQL frozen, {await system.accounted()}", named=said, well=well)
    assert rate, "live results do not wait for it"


async def test_frozen_prometheus(system: System) -> None:
    async def from_prometheus() -> bool:
        return (await system.rate())[1] == "prometheus"

    async def from_the_gateway() -> bool:
        return (await system.rate())[1] == "gateway"

    await until("its figures are shown", from_prometheus, 30)
    with frozen(system.prometheus) as begun:
        said = await until("the page shows the gateway's own figures", from_the_gateway, 10)
        rate, _ = await system.rate()
        await hold(begun)
    well = await until("its figures are shown again", from_prometheus, 30)
    told(f"Prometheus frozen, {await system.accounted()}", own_figures=said, well=well)
    assert rate
