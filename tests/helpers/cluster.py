"""Three RabbitMQ nodes on loopback that are one cluster: one epmd, one cookie, one password."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.epmd import Epmd
from cli.rabbitmq import RabbitMQNode
from tests.helpers.eventually import eventually

NAMES = ("hare", "bunny", "coney")
SETTINGS = ("cluster_partition_handling = pause_minority",)  # as deploy/rabbitmq/cluster.conf has it


class Cluster:
    """`nodes` by name; `urls` name all of them, as clients should."""

    def __init__(self, folder: Path) -> None:
        self.epmd = Epmd()
        cookie, password = secrets.token_hex(20), secrets.token_hex(20)
        self.nodes: dict[str, RabbitMQNode] = {}
        for name in NAMES:
            (folder / name).mkdir(parents=True)
            (folder / name / "password").write_text(password)  # the first node makes the user for all
            node = RabbitMQNode(
                folder / name,
                name=name,
                cookie=cookie,
                epmd=self.epmd,
                # Only the first may begin alone: with peers, RabbitMQ 4 would wait for them.
                peers=() if name == NAMES[0] else (f"{NAMES[0]}@localhost", f"{name}@localhost"),
                extra_settings=SETTINGS,
            )
            self.nodes[node.name] = node

    @property
    def urls(self) -> list[str]:
        return [node.amqp_url for node in self.nodes.values()]

    def start(self) -> None:
        """Start what does not run, and return when all three are one cluster."""
        first, *others = self.nodes.values()
        if not any(node.running for node in self.nodes.values()):
            first.start()  # the others join it
        for node in (first, *others):
            node.launch()
        for node in (first, *others):
            node.wait_ready(90)
        eventually("a cluster of three", lambda: len(self.running(first)) == 3, 60)

    def running(self, asked: RabbitMQNode) -> set[str]:
        """The names of the members that `asked` sees."""
        return set(json.loads(asked.ctl("cluster_status", "--formatter", "json"))["running_nodes"])

    def leader(self, queue: str) -> RabbitMQNode:
        """The node that leads the queue."""
        return self.nodes[self._column(queue, "leader").strip()]

    def members(self, queue: str) -> int:
        """How many members of the queue are online."""
        return sum(name in self._column(queue, "online") for name in self.nodes)

    def _column(self, queue: str, column: str) -> str:
        node = next(node for node in self.nodes.values() if node.running)
        printed = node.ctl("list_queues", "--no-table-headers", "name", column)
        return next(line.split("\t", 1)[1] for line in printed.splitlines() if line.split("\t")[0] == queue)

    def stop(self) -> None:
        """End all of it. The data is the test's: no need to leave in order."""
        for node in self.nodes.values():
            node.kill()
        self.epmd.stop()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A running cluster; nothing of it stays behind."""
    three = Cluster(folder)
    try:
        three.start()
        yield three
    finally:
        three.stop()
