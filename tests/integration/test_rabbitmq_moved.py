"""The private RabbitMQ's folder moved, renamed and copied, with messages on disk."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests.helpers.broker import Broker
from tests.helpers.eventually import eventually

pytestmark = pytest.mark.integration

QUORUM = {"x-queue-type": "quorum"}


@contextmanager
def running(folder: Path) -> Iterator[tuple[Broker, BlockingChannel]]:
    node = Broker(folder, name="moving")
    node.start()
    try:
        with pika.BlockingConnection(pika.URLParameters(node.amqp_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("q", durable=True, arguments=QUORUM)
            yield node, channel
    finally:
        node.stop()


def put(channel: BlockingChannel, *bodies: str) -> None:
    for body in bodies:
        channel.basic_publish("", "q", body.encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)


def take(channel: BlockingChannel) -> list[str]:
    taken = []
    while (message := channel.basic_get("q", auto_ack=True))[0]:
        taken.append(message[2].decode())
    return taken


def holding(body: str, folder: Path) -> set[str]:
    """In what kinds of files this message is."""
    found = set()
    for path in (folder / "data").rglob("*"):
        with suppress(OSError):  # a folder, or removed meanwhile
            if body.encode() in path.read_bytes():
                found.add(path.suffix)
    return found


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_confirmed_messages_go_along_and_a_copy_leaves_the_original_alone(tmp_path: Path) -> None:
    first = tmp_path / "first"
    with running(first) as (node, channel):
        put(channel, "in a segment")
        node.ctl("eval", "ra_log_wal:force_roll_over(ra_log_wal).")  # writes what is in the log to one
        eventually("it is there", lambda: holding("in a segment", first) == {".segment"})
        put(channel, "in the log")
    assert holding("in the log", first) == {".wal"}
    # Another version runs in a root of its own (tests/rabbitmq-of-image), whose working folder is not the node's.
    copy = tmp_path / ("copy" if "FRAMEFLEET_TEST_RABBITMQ" in os.environ else "a copy, ü")
    shutil.copytree(first, copy)
    before = files(first)
    with running(copy) as (_, channel):
        assert take(channel) == ["in a segment", "in the log"]
        put(channel, "of the copy")
    assert files(first) == before
    moved = first.rename(tmp_path / "moved")
    with running(moved) as (_, channel):
        put(channel, "after the move")
    with running(moved) as (_, channel):
        assert take(channel) == ["in a segment", "in the log", "after the move"]
    assert not first.exists()
