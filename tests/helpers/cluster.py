"""Three RabbitMQ nodes that are one cluster: a cookie, a password. On loopback, or on a network that can be torn."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.epmd import Epmd, epmd_program
from cli.errors import RabbitMQError
from cli.layout import CHECKOUT
from cli.ports import answers
from cli.rabbitmq import RabbitMQNode
from tests.helpers.broker import Broker
from tests.helpers.eventually import eventually
from tests.helpers.network import Network

NAMES = ("hare", "bunny", "coney")


DEPLOYED = CHECKOUT / "deploy" / "rabbitmq"


def settings(names: Sequence[str], own: str, folder: Path) -> list[str]:
    """What a member is told in Compose, with other names."""
    shipped = (DEPLOYED / "cluster.conf").read_text().splitlines()
    conf = folder / "cluster.conf"
    conf.write_text(
        "".join(f"cluster_formation.classic_config.nodes.{n} = {name}\n" for n, name in enumerate(names, 1))
    )
    done = subprocess.run([DEPLOYED / "others", conf, own], capture_output=True, text=True, check=True)
    told = [line for line in shipped if line and not line.startswith(("#", "cluster_formation"))]
    return [*told, *done.stdout.splitlines()]


class Cluster:
    """`nodes` by name; `urls` name all of them, as clients should."""

    def __init__(self, folder: Path, network: Network | None = None) -> None:
        self.network = network
        self._epmds = [Epmd()] if network is None else [HostEpmd(network, host) for host in NAMES]
        cookie, password = secrets.token_hex(20), secrets.token_hex(20)
        self.nodes: dict[str, Broker] = {}
        names = [f"{name}@{'localhost' if network is None else name}" for name in NAMES]
        for number, name in enumerate(NAMES):
            (folder / name).mkdir(parents=True)
            (folder / name / "password").write_text(password)  # the first node makes the user for all
            arguments: dict[str, Any] = {
                "name": name,
                "cookie": cookie,
                "epmd": self._epmds[number % len(self._epmds)],
                # Only the first may begin alone: with peers, RabbitMQ 4 would wait for them.
                "peers": () if number == 0 else (names[0], names[number]),
                "extra_settings": settings(names, names[number], folder),
            }
            if network is None:
                node = Broker(folder / name, **arguments)
            else:
                node = HostNode(network, name, folder / name, **arguments)
            node.advanced = (DEPLOYED / "cluster-advanced.config").read_text()
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
        """The names of the members that `asked` sees as one cluster with itself."""
        return set(json.loads(asked.ctl("cluster_status", "--formatter", "json"))["running_nodes"])

    def whole(self) -> bool:
        """Every member sees all three, by itself: none is paused or on its own."""
        try:
            return all(len(self.running(node)) == len(NAMES) for node in self.nodes.values())
        except RabbitMQError:  # it is being healed
            return False

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
            node.end()
        for epmd in self._epmds:
            epmd.stop()


class HostNode(Broker):
    """A node on a host of a network."""

    def __init__(self, network: Network, host: str, directory: Path, **arguments: Any) -> None:
        self.host, self.address = host, network.addresses[host]
        self._network = network
        super().__init__(directory, **arguments)

    def _command(self, program: str) -> list[str]:
        return [*self._network.inside(self.host), *super()._command(program)]

    def _hosts(self) -> dict[str, str]:
        return self._network.addresses


class HostEpmd(Epmd):
    """The port mapper of a host of a network: every host's has the same port."""

    PORT = 4369

    def __init__(self, network: Network, host: str) -> None:
        super().__init__(self.PORT)
        self._network, self._host = network, host

    def start(self, timeout: float = 10) -> None:
        if self.process is None or self.process.poll() is not None:
            program = [*self._network.inside(self._host), str(epmd_program()), "-port", str(self.port)]
            self.process = subprocess.Popen(
                program,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin"},
            )
            address = self._network.addresses[self._host]
            eventually("epmd", lambda: answers(self.port, host=address), timeout)


@contextmanager
def cluster(folder: Path, network: Network | None = None) -> Iterator[Cluster]:
    """A running cluster; nothing of it stays behind."""
    three = Cluster(folder, network)
    try:
        three.start()
        yield three
    finally:
        three.stop()
