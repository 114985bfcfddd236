"""Clocks that are put back by an hour, and then right again. What the page says, and that nothing is lost."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.still_system import System, told, whole_system
from tests.helpers.freezing import SECONDS, hold

pytestmark = [
    pytest.mark.calm,
    pytest.mark.faults,
    pytest.mark.timeout(180 + 3 * SECONDS),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with whole_system(tmp_path_factory.mktemp("clocks")) as running:
        yield running


@pytest.mark.parametrize("whose", ["producer", "worker", "gateway"])
async def test_clock_put_back(whose: str, system: System) -> None:
    """By an hour, and then right again. Only what Python calls time.time: the kernel's clock is everybody's."""
    marker = system.clocks[whose]
    try:
        marker.touch()
        begun = time.monotonic()
        await asyncio.sleep(3)  # what was under way
        back = await system.well(30)
        await hold(begun)
    finally:
        marker.unlink()
    await asyncio.sleep(3)
    well = await system.well(30)
    told(f"the clock of the {whose} put back, {await system.accounted()}", well_meanwhile=back, well=well)
