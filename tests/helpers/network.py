"""Hosts of a network that can be torn: namespaces on a bridge, where packets from one to another vanish. Needs root.

The bridge is in a namespace too: where the machine's own packet filter sees bridges (Docker's refuses to forward), it
does not see this one. The machine itself is on it and is never cut off: it is where the clients are.
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
        self._switch = f"{self._own}-switch"
        subnet = f"10.{200 + os.getpid() // 250 % 50}.{os.getpid() % 250}"
        self._machine = f"{subnet}.254"
        self.addresses = {host: f"{subnet}.{number}" for number, host in enumerate(hosts, 1)}
        self._cuts: set[tuple[str, str]] = set()

    def start(self) -> None:
        """Lay the cables."""
        run("ip", "netns", "add", self._switch)
        run("ip", "-n", self._switch, "link", "add", "bridge", "type", "bridge")
        run("ip", "-n", self._switch, "link", "set", "bridge", "up")
        self._plug_in([], self._own, self._machine, "machine")
        for host, address in self.addresses.items():
            run("ip", "netns", "add", self._namespace(host))
            run("ip", "-n", self._namespace(host), "link", "set", "lo", "up")
            self._plug_in(["-n", self._namespace(host)], "eth0", address, host)

    def _plug_in(self, where: Sequence[str], device: str, address: str, port: str) -> None:
        """Make a network card there, with its cable to that port of the bridge."""
        cable = ("type", "veth", "peer", "name", port, "netns", self._switch)
        run("ip", *where, "link", "add", device, *cable)
        run("ip", "-n", self._switch, "link", "set", port, "master", "bridge", "up")
        run("ip", *where, "address", "add", f"{address}/24", "dev", device)
        run("ip", *where, "link", "set", device, "up")

    def stop(self) -> None:
        """Take all of it away, whatever is there."""
        for host in self.addresses:
            run("ip", "netns", "delete", self._namespace(host), check=False)
        run("ip", "netns", "delete", self._switch, check=False)

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
