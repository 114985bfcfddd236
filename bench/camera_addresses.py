"""What the rig's cameras are called, where they are, and how that is told to a producer. Pure."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_HOST = int(ipaddress.IPv4Address("127.1.0.1"))
"""Linux answers on all of 127.0.0.0/8; low addresses are left to others."""


@dataclass(frozen=True)
class Address:
    """One camera: its id and where its pictures are."""

    camera_id: str
    url: str


def names(count: int) -> list[str]:
    """Of so many cameras: c001, c002, … Short, because a SOURCE of thousands must fit into one variable."""
    digits = len(str(count))
    return [f"c{n:0{digits}}" for n in range(1, count + 1)]


def addresses(count: int, port: int, hosts: int) -> list[Address]:
    """`count` cameras spread over `hosts` addresses of the loopback network."""
    return [
        Address(name, f"http://{ipaddress.IPv4Address(FIRST_HOST + n % hosts)}:{port}/{name}.jpg")
        for n, name in enumerate(names(count))
    ]


def as_source(cameras: Sequence[Address]) -> str:
    """What SOURCE is to be."""
    return ",".join(f"{camera.camera_id}={camera.url}" for camera in cameras)


def as_file(cameras: Sequence[Address], fps: float) -> str:
    """The text of a cameras.yaml (docs/cameras.md), each camera asked `fps` times a second."""
    lines = [f"defaults:\n  fps: {fps:.6g}\n\ncameras:"]
    lines += [f"  - id: {camera.camera_id}\n    source: {camera.url}" for camera in cameras]
    return "\n".join(lines) + "\n"
