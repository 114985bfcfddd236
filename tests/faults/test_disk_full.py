"""The disk under the broker is really full: not a set limit, but no byte left. Nothing confirmed is lost."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cli.rabbitmq import RabbitMQNode
from tests.faults.books import clerk
from tests.helpers.components import require
from tests.helpers.eventually import aeventually
from tests.helpers.freezing import SECONDS

pytestmark = [pytest.mark.calm, pytest.mark.faults, pytest.mark.timeout(180 + SECONDS)]

MIB = 1024 * 1024
SIZE = 700
"""MB of the disk."""
LIMIT = 512 * MIB
"""RabbitMQ's alarm begins where less is free."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(file: Path) -> None:
    """Write until nothing fits any more."""
    with suppress(OSError), file.open("wb", buffering=0) as out:
        while True:
            out.write(b"x" * MIB)
    with suppress(OSError), file.open("ab", buffering=0) as out:
        while out.write(b"x" * 512):
            pass


async def test_no_byte_left(small_disk: Path) -> None:
    """The alarm is there first, and holds until there is room again."""
    require("rabbitmq-server")
    node = RabbitMQNode(small_disk / "broker", name="full")
    await asyncio.to_thread(node.start)
    try:
        async with clerk(node.amqp_url) as books:
            async with books.load(20):
                await aeventually("confirms", lambda: len(books.books.confirmed) > 20)
                filler, rest = small_disk / "filler", small_disk / "rest"
                # As a disk fills up: RabbitMQ looks at it every so often, and must see the limit before the end.
                filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - LIMIT // 2))
                begun = time.monotonic()
                await aeventually("senders are told", lambda: books.books.refused["blocked"] > 20, 40)
                await asyncio.to_thread(fill, rest)
                await asyncio.sleep(max(5.0, SECONDS))  # the fault itself
                before = len(books.books.confirmed)
                filler.unlink()
                rest.unlink()
                freed = time.monotonic()
                await aeventually("confirms again", lambda: len(books.books.confirmed) > before + 20, 60)
                again = time.monotonic() - freed
            kept = await books.queued(node.amqp_url)
            print(
                f"\ndisk full for {freed - begun:.0f} s: confirms {again:.1f} s after there was room; {kept} "
                f"confirmed, 0 lost; refused {dict(books.books.refused)}"
            )
    finally:
        await asyncio.to_thread(node.kill)
        node.epmd.stop()
