"""What a client asks for in the query string of `/ws/results`. Pure."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from contract.browser import MAX_CAMERAS, MAX_GROUPS, MAX_NAME, MAX_NODES, MAX_PICTURES
from contract.task import CameraId
from gateway.errors import InvalidMessage
from gateway.live.protocol import FRAMES, LATEST, PLAIN, ViewerProtocol
from gateway.live.update import Subscription
from gateway.settings import split

PARAMETERS = ("cameras", "groups", "nodes", "detections", "latest", "frames")


def parse_query(query: Mapping[str, str]) -> tuple[Subscription, ViewerProtocol]:
    """The subscription in a query string, and how a plain client is served. Raises InvalidMessage."""
    if unknown := sorted(set(query) - set(PARAMETERS)):
        raise InvalidMessage(f"there is no parameter {unknown[0][:50]!r}: use {', '.join(PARAMETERS)}")
    cameras = _names(query, "cameras", MAX_CAMERAS)
    try:
        msgspec.convert(list(cameras or ()), list[CameraId])
    except msgspec.ValidationError:
        raise InvalidMessage("cameras is a comma-separated list of names made of A-Z a-z 0-9 _ -") from None
    wanted = Subscription(
        cameras,
        groups=_names(query, "groups", MAX_GROUPS),
        nodes=_names(query, "nodes", MAX_NODES),
        detections=_flag(query, "detections"),
    )
    latest = _flag(query, "latest")
    if not _flag(query, "frames"):
        return wanted, LATEST if latest else PLAIN
    if not cameras:
        raise InvalidMessage("frames=1 needs the cameras by name: /ws/results?frames=1&cameras=a,b")
    if len(cameras) > MAX_PICTURES:
        raise InvalidMessage(f"pictures of at most {MAX_PICTURES} cameras at once")
    return replace(wanted, pictures=cameras), FRAMES


def _names(query: Mapping[str, str], name: str, most: int) -> frozenset[str] | None:
    value = query.get(name)
    if value is None:
        return None
    names = frozenset(split(value))
    if len(names) > most:
        raise InvalidMessage(f"{name} names {len(names)}, and {most} is the most: leave it out for all")
    if any(len(each) > MAX_NAME for each in names):
        raise InvalidMessage(f"{name} is a comma-separated list of names of at most {MAX_NAME} characters")
    return names


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "0")
    if value not in ("0", "1"):
        raise InvalidMessage(f"{name} is 0 or 1")
    return value == "1"
