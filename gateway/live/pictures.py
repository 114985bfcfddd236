"""Pictures of watched cameras, as workers send them: each with the result of that very frame."""

import time
from typing import NamedTuple

from broker import Delivery
from gateway.live.hub import Hub
from gateway.live.results import ReceivedResult, parse_received

PICTURE_TYPES = ("image/jpeg", "image/png")


class ReceivedPicture(NamedTuple):
    """A frame and its result."""

    received: ReceivedResult
    picture: bytes
    content_type: str


def parse_picture(delivery: Delivery) -> ReceivedPicture:
    """Read a picture: the frame is the body, its result a header. Raises ValueError for what is none."""
    header = delivery.headers.get("result")
    content_type = delivery.content_type or ""
    if not isinstance(header, (str, bytes)) or content_type not in PICTURE_TYPES:
        raise ValueError("no picture")
    received = parse_received(header.encode() if isinstance(header, str) else header)
    return ReceivedPicture(received, delivery.body, content_type)


def show_picture(hub: Hub, picture: ReceivedPicture) -> None:
    """Show it to those who watch its camera."""
    update = picture.received.update(time.monotonic(), time.time(), picture.picture, picture.content_type)
    hub.publish_picture(update)
