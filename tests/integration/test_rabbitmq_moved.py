"""The private RabbitMQ's folder moved, renamed and copied, with messages on disk."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from cli.rabbitmq import RabbitMQNode

pytestmark = pytest.mark.integration

QUORUM = {"x-queue-type": "quorum"}


@contextmanager
def running(folder: Path) -> Iterator[BlockingChannel]:
    node = RabbitMQNode(folder, name="moving")
    node.start()
    try:
        with pika.BlockingConnection(pika.URLParameters(node.amqp_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("q", durable=True, arguments=QUORUM)
            yield channel
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


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_confirmed_messages_go_along_and_a_copy_leaves_the_original_alone(tmp_path: Path) -> None:
    first = tmp_path / "first"
    with running(first) as channel:
        put(channel, "in a segment")  # where the next start writes what is in the log
    with running(first) as channel:
        put(channel, "in the log")
    # Another version runs in a root of its own (tests/rabbitmq-of-image), whose working folder is not the node's.
    copy = tmp_path / ("copy" if "FRAMEFLEET_TEST_RABBITMQ" in os.environ else "a copy, ü")
    shutil.copytree(first, copy)
    before = files(first)
    with running(copy) as channel:
        assert take(channel) == ["in a segment", "in the log"]
        put(channel, "of the copy")
    assert files(first) == before
    moved = first.rename(tmp_path / "moved")
    with running(moved) as channel:
        put(channel, "after the move")
    with running(moved) as channel:
        assert take(channel) == ["in a segment", "in the log", "after the move"]
    assert not first.exists()
