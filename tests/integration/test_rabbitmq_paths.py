"""A private RabbitMQ in a folder whose name a shell would take apart."""

import re
from pathlib import Path

import pika
import pytest

from cli.rabbitmq import RabbitMQNode
from runtime.loopback import open_directly
from tests.helpers.components import require
from tests.helpers.eventually import eventually

pytestmark = pytest.mark.integration


def test_a_folder_of_any_name_keeps_its_queues_and_knows_its_disk(tmp_path: Path) -> None:
    require("rabbitmq-server")
    folder = tmp_path / "it's my $HOME (é)"
    node = RabbitMQNode(folder, name="odd")
    node.start()
    try:

        def free() -> re.Match[str] | None:
            with open_directly(f"{node.prometheus_url}/metrics", timeout=10) as answer:
                return re.search(
                    r"^rabbitmq_disk_space_available_bytes [0-9.e+]+$", answer.read().decode(), re.M
                )

        eventually("it knows the free space", free)
        with pika.BlockingConnection(pika.URLParameters(node.amqp_url)) as connection:
            channel = connection.channel()
            channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
            channel.confirm_delivery()
            channel.basic_publish("", "kept", b"still there")
        node.stop()
        node.start()
        with pika.BlockingConnection(pika.URLParameters(node.amqp_url)) as connection:
            assert connection.channel().basic_get("kept", auto_ack=True)[2] == b"still there"
    finally:
        node.stop()
    assert any((folder / "data" / "odd@localhost").iterdir())
