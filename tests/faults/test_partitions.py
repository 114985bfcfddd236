"""The network between three brokers is torn, in four shapes: nothing confirmed is lost, and it heals by itself.

`make test` tears it in one shape; `make silences` in all, and longer. Clients reach every broker all the time.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.faults.books import clerk
from tests.helpers.cluster import NAMES, Cluster, cluster
from tests.helpers.components import require
from tests.helpers.eventually import aeventually
from tests.helpers.freezing import SECONDS
from tests.helpers.network import Network, network

pytestmark = [pytest.mark.calm, pytest.mark.faults, pytest.mark.timeout(300 + SECONDS)]

TORN_SECONDS = max(12.0, SECONDS)
"""Longer than it takes the brokers to notice: a quarter more than `net_ticktime`."""
SHAPES = ("one alone", "one hears and is not heard", "two apart, both see the third", "each alone")


def cuts(shape: str, first: str) -> list[tuple[str, str]]:
    """Which packets are lost, from whom to whom. `first` leads the queue."""
    second, third = (name for name in NAMES if name != first)
    match shape:
        case "one alone":
            pairs = [(first, second), (first, third)]
        case "one hears and is not heard":
            return [(first, second), (first, third)]
        case "two apart, both see the third":
            pairs = [(first, second)]
        case _:
            pairs = [(first, second), (first, third), (second, third)]
    return [cut for one, other in pairs for cut in ((one, other), (other, one))]


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, Cluster]]:
    """A cluster on a network of its own."""
    require("rabbitmq-server")
    with network(*NAMES) as laid, cluster(tmp_path_factory.mktemp("torn"), laid) as running:
        yield laid, running


@pytest.mark.parametrize("shape", SHAPES if SECONDS else SHAPES[:1])
async def test_partition(shape: str, torn: tuple[Network, Cluster]) -> None:
    net, three = torn
    async with clerk(*three.urls) as books:
        async with books.load(20):
            await aeventually("confirms", lambda: len(books.books.confirmed) > 20, 40)
            leader = await asyncio.to_thread(three.leader, "frame_queue")
            for sender, receiver in cuts(shape, leader.host):
                net.cut(sender, receiver)
            begun, before = time.monotonic(), len(books.books.confirmed)
            await asyncio.sleep(TORN_SECONDS)
            confirmed = len(books.books.confirmed) - before
            net.mend()
            mended = time.monotonic()
            await aeventually(
                "confirms again", lambda: len(books.books.confirmed) > before + confirmed + 20, 60
            )
            again = time.monotonic() - mended
            while not await asyncio.to_thread(three.whole):
                assert time.monotonic() - mended < 90, "it does not heal by itself"
                await asyncio.sleep(1)
            whole = time.monotonic() - mended
        kept = await books.queued(*three.urls)  # no worker runs
        print(
            f"\n{shape}, for {mended - begun:.0f} s: {confirmed} confirmed meanwhile, confirms {again:.1f} s and whole "
            f"{whole:.1f} s after its end; {kept} confirmed, 0 lost"
        )
