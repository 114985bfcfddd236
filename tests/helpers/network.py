"""Hosts of a network that can be torn: namespaces on a bridge, where packets from one to another vanish. Needs root.

The machine itself is on the bridge too, and is never cut off: it is where the clients are.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

NOWHERE = "02:00:00:00:00:99"
"""A hardware address that nobody has: what is sent there is lost without a word, as behind a switch that has died."""


class Network:
    """`addresses` by host. Names and the subnet are this process's own."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._own = f"ff{os.getpid()}"
        subnet = f"10.{200 + os.getpid() // 250 % 50}.{os.getpid() % 250}"
        self._machine = f"{subnet}.254"
        self.addresses = {host: f"{subnet}.{number}" for number, host in enumerate(hosts, 1)}
        self._cuts: set[tuple[str, str]] = set()

    def start(self) -> None:
        """Lay the cables."""
        run("ip", "link", "add", self._own, "type", "bridge")
        run("ip", "address", "add", f"{self._machine}/24", "dev", self._own)
        run("ip", "link", "set", self._own, "up")
        for number, (host, address) in enumerate(self.addresses.items()):
            plug = f"{self._own}-{number}"
            run("ip", "netns", "add", self._namespace(host))
            run(
                "ip",
                "link",
                "add",
                plug,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                self._namespace(host),
            )
            run("ip", "link", "set", plug, "master", self._own, "up")
            run(*self.inside(host), "ip", "link", "set", "lo", "up")
            run(*self.inside(host), "ip", "address", "add", f"{address}/24", "dev", "eth0")
            run(*self.inside(host), "ip", "link", "set", "eth0", "up")

    def stop(self) -> None:
        """Take all of it away, whatever is there."""
        for host in self.addresses:
            run("ip", "netns", "delete", self._namespace(host), check=False)
        run("ip", "link", "delete", self._own, check=False)

    def inside(self, host: str) -> list[str]:
        """The words before a command that run it there. The process is the command's own: signals reach it."""
        return ["nsenter", f"--net=/run/netns/{self._namespace(host)}"]

    def cut(self, sender: str, receiver: str) -> None:
        """Lose every packet from one host to another, from now on. The other way is not touched."""
        neighbour = (self.addresses[receiver], "lladdr", NOWHERE, "dev", "eth0", "nud", "permanent")
        run(*self.inside(sender), "ip", "neighbour", "replace", *neighbour)
        self._cuts.add((sender, receiver))

    def mend(self) -> None:
        """Lose nothing any more."""
        for sender, receiver in self._cuts:
            address = self.addresses[receiver]
            run(*self.inside(sender), "ip", "neighbour", "delete", address, "dev", "eth0")
        self._cuts.clear()

    def _namespace(self, host: str) -> str:
        return f"{self._own}-{host}"


@contextmanager
def network(*hosts: str) -> Iterator[Network]:
    """A network; skips the test where this account may make none."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    made = Network(hosts)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def run(*words: str, check: bool = True) -> None:
    """Run a command. Raises CalledProcessError."""
    subprocess.run(words, check=check, capture_output=True)
