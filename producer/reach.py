"""Decides which hosts a camera may lead us to: its own, those that its entry names, and this machine only if named.

What a camera answers (a redirect, a playlist) is no reason to ask a service that listens to this machine or its network
link only. Names are judged by the addresses that they stand for, at the moment of the connection.
"""

import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from producer.errors import OffLimits, SourceError

METADATA = frozenset(map(ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds tell a machine its secrets, besides 169.254.169.254, which is link-local."""
NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""What socket.getaddrinfo gives for one address."""
SHOWN = 80  # characters of a host's name, which a camera chose


@dataclass(frozen=True, slots=True)
class Reach:
    """The hosts of one camera: `host` (`plain`) and `port` of its own address, and `others` that its entry allows.

    Another port of its own host belongs to it, except where that is this machine: there each port is somebody else's.
    """

    host: str
    port: int | None
    others: tuple[str, ...] = ()

    def allows(self, host: str, port: int | None) -> bool:
        """Whether the camera may lead there."""
        host = plain(host)
        if host == self.host and (port == self.port or not names_local(host)):
            return True
        return any(_covers(other, host, port) for other in self.others)

    def refusal(self, shown: str, host: str, port: int | None) -> SourceError:
        """The error of a camera, `shown` without secrets, that leads to a host that it may not lead to."""
        place = plain(host)[:SHOWN]
        if place == self.host:  # on this machine
            place = f"{place}:{port}"
        return SourceError(
            "elsewhere",
            f"{shown} leads to {place}, which its address does not name: if that is meant, add "
            f'`hosts: ["{place}"]` to its entry',
        )


def parse_host(text: str) -> str:
    """A host that an entry allows: `cdn.example`, `cdn.example:8443`, `*.cdn.example`, `[2001:db8::7]`. In lower case.

    Raises ValueError.
    """
    host = text.strip().lower()
    name = host.removeprefix("*.")
    try:
        parts = urlsplit(f"//{name}")
        usable = bool(parts.hostname) and parts.netloc == name and "@" not in name and "*" not in name
        usable = (
            usable and not any(each.isspace() for each in name) and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable or name.endswith(":"):
        raise ValueError("not a host: write a name, *.name or an address, with :port if only that is meant")
    return host


def plain(host: str) -> str:
    """A host as it is compared: in lower case, without brackets and a final dot."""
    return host.lower().strip("[]").rstrip(".")


@lru_cache(maxsize=4096)
def names_local(host: str) -> bool:
    """Whether a host as it is written is this machine or on its link. What a name stands for is not looked up."""
    return host == "localhost" or host.endswith(".localhost") or is_local(host)


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Whether an IP address is this machine's own, on its network link only, or a cloud's metadata service."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_local(str(inner))
    local = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    # 0.0.0.0/8 reaches this machine as well, and 255.255.255.255 all others.
    return local or address in METADATA or (address.version == 4 and int(address) >> 24 in (0, 255))


def guarded_socket(found: AddressInfo) -> socket.socket:
    """A socket for one result of getaddrinfo. Raises OffLimits where that is this machine, or on its link."""
    family, kind, protocol, _, place = found
    if is_local(str(place[0])):
        raise OffLimits(str(place[0]))
    return socket.socket(family, kind, protocol)


def check_names(url: str, shown: str) -> None:
    """Raise SourceError if the name in an address stands for this machine or its link, which only a number may do.

    Blocks. A name that nobody knows is left to whoever connects.
    """
    try:
        host = plain(urlsplit(url).hostname or "")
        found = [] if names_local(host) else socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return
    for entry in found:
        if is_local(str(entry[4][0])):
            raise SourceError("elsewhere", f"{shown} {OffLimits(str(entry[4][0]))}")


def _covers(allowed: str, host: str, port: int | None) -> bool:
    name = allowed.removeprefix("*.")
    parts = urlsplit(f"//{name}")
    if parts.port is not None and parts.port != port:
        return False
    named = plain(parts.hostname or "")
    return host.endswith(f".{named}") if allowed.startswith("*.") else host == named


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64 or (address in COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
