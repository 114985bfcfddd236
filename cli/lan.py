"""Whether the dashboard is for this machine alone or for its network, and where phones find it."""

import ipaddress
import socket

from cli.ports import LOOPBACK

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # listened on only where the operator asks for it
SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, 3849): nothing is sent to them."""


def flaw(host: str, *, authenticated: bool) -> str | None:
    """What is wrong with HOST as an address to listen on, in words; None if nothing is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (
            "an address of this machine is needed, without http:// or a port (that is PORT=): HOST=0.0.0.0 for all "
            f"of them{_or_this()}"
        )
    if address.is_loopback:
        return None
    if not authenticated:
        return (
            "refused with GATEWAY_AUTH=off: everybody in the network would see the cameras. Leave GATEWAY_AUTH out, "
            "or leave HOST out"
        )
    if host in EVERY_ADDRESS or is_own(host):
        return None
    return f"this machine does not have that address: HOST=0.0.0.0 takes all that it has{_or_this()}"


def is_own(host: str) -> bool:
    """Whether this machine can listen on that address."""
    try:
        with socket.socket(_family(host)) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def reached_at(host: str) -> str:
    """The address at which this machine itself reaches what listens on `host`."""
    return LOOPBACK if not host or host in EVERY_ADDRESS else host


def seen_at(host: str) -> str | None:
    """The address at which others reach what listens on `host`; None if that is this machine alone."""
    if not host or ipaddress.ip_address(host).is_loopback:
        return None
    return host if host not in EVERY_ADDRESS else network_address(_family(host)) or network_address()


def network_address(family: socket.AddressFamily = socket.AF_INET) -> str | None:
    """This machine's address in the network that leads outside; None without a network."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((SOMEWHERE[family], 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def http(host: str, port: int) -> str:
    """The URL of that address."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _or_this() -> str:
    own = network_address()
    return f", HOST={own} for one" if own else ""
