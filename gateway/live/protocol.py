"""What goes over a viewer's WebSocket, as bytes; the shapes are in contract/browser.py. Pure.

Server frames are neither masked nor deflated, so a frame's bytes are the same for every viewer: they are made once
and kept with the update.
"""

import binascii
import math
import re
import struct
from typing import Any, Final, Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from contract.browser import (
    DASHBOARD_PROTOCOL,
    MAX_CAMERAS,
    MAX_GROUPS,
    MAX_NAME,
    MAX_NODES,
    MAX_PICTURES,
    ClientMessage,
    HelloMessage,
    Painted,
    Subscribe,
    WithheldMessage,
)
from gateway.errors import InvalidMessage
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind

MAX_MESSAGE_BYTES = 64 * 1024
BATCH = 256
TEXT: Final = 0x81
BINARY: Final = 0x82


def subscribed(old: Subscription, change: Subscribe) -> Subscription:
    """The subscription that follows `old`."""
    return Subscription(
        cameras=_changed(change.cameras, old.cameras),
        groups=_changed(change.groups, old.groups),
        nodes=_changed(change.nodes, old.nodes),
        detections=old.detections if change.detections is UNSET else change.detections,
        pictures=old.pictures if change.pictures is UNSET else frozenset(change.pictures),
    )


def _changed(names: list[str] | UnsetType | None, old: frozenset[str] | None) -> frozenset[str] | None:
    if names is UNSET:
        return old
    return None if names is None else frozenset(names)


FIELDS: dict[str, tuple[str, ...]] = {
    str(kind.__struct_config__.tag): kind.__struct_fields__ for kind in (Subscribe, Painted)
}
"""What a message of each type may hold."""
_A_NAME = "made of A-Z a-z 0-9 _ -, up to 64 long"
WORDS = {
    "cameras": f"cameras is null or up to {MAX_CAMERAS} names {_A_NAME}",
    "groups": f"groups is null or up to {MAX_GROUPS} names of 1 to {MAX_NAME} characters",
    "nodes": f"nodes is null or up to {MAX_NODES} names of 1 to {MAX_NAME} characters",
    "detections": "detections is true or false",
    "pictures": f"pictures is a list of up to {MAX_PICTURES} names {_A_NAME}",
    "frame_id": "painted needs frame_id, a text",
    "age": "painted needs age, a number of seconds",
}
"""What a field must be; each fits into a close frame."""
_FIELD = re.compile(r"`(?:\$\.)?([a-z_]+)")

_message: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_any_message = msgspec.json.Decoder(dict[str, Any])


def parse_message(text: str, *, tolerant: bool = False) -> ClientMessage | None:
    """Read a client's message. Raises InvalidMessage with a sentence of at most 123 bytes.

    `tolerant`: as from a page, which may be newer than this gateway: what is not known is ignored, and None is a
    message of such a type.
    """
    try:
        said = _any_message.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidMessage('no JSON object: {"type":"subscribe","cameras":["gate-3"]} is one') from None
    kind = said.get("type")
    if not isinstance(kind, str):
        raise InvalidMessage('the message has no type: {"type":"subscribe",...}')
    known = FIELDS.get(kind)
    if known is None and tolerant:
        return None
    if known is None:
        raise InvalidMessage(f"unknown type {_shown(kind)}: there are {' and '.join(FIELDS)}")
    unknown = sorted(said.keys() - {"type", *known})
    if unknown and not tolerant:
        raise InvalidMessage(f"unknown field {_shown(unknown[0])}: {kind} has {', '.join(known)}")
    try:
        return _message.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        field = next((name for name in _FIELD.findall(str(error)) if name in WORDS), None)
        raise InvalidMessage(WORDS[field] if field is not None else f"no valid {kind}") from None


def _shown(text: str) -> str:
    """The beginning of what a client wrote, printable, at most 22 bytes."""
    return ascii(text[:20])[:22]


def plausible_age(age: float) -> bool:
    """Whether a reported age can be true: clocks that disagree by hours say nothing about painting."""
    return math.isfinite(age) and 0 <= age <= 3600


def ws_frame(opcode: Literal[0x81, 0x82], *payload: bytes) -> bytes:
    """An unmasked, final WebSocket frame (RFC 6455 §5.2)."""
    size = sum(map(len, payload))
    if size < 126:
        head = struct.pack("!BB", opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", opcode, 126, size)
    else:
        head = struct.pack("!BBQ", opcode, 127, size)
    return b"".join((head, *payload))


def with_field(body: bytes, name: bytes, value: bytes) -> bytes:
    """The JSON object `body` (not empty) with one more string field; `value` needs no escaping."""
    return b"".join((body.rstrip()[:-1], b',"', name, b'":"', value, b'"}'))


class ViewerProtocol(Protocol):
    """Turns what waits for viewers into WebSocket frames."""

    kind: ViewerKind

    def pause(self, viewers: int) -> float:
        """Seconds from one turn of sending to the next with so many viewers, in which results gather; 0 for none."""

    def greeting(self, time: float, version: str, staleness: float) -> bytes:
        """Frames to send first; may be empty."""

    def results(self, results: list[Update]) -> bytes:
        """Frames with these results, the same for everybody."""

    def next(self, viewer: Viewer) -> bytes:
        """Frames to send now, taken out of the viewer's own buffer; empty when nothing waits."""


class PlainProtocol:
    """One JSON result per message; with `frames`, the picture in base64 in it, or why there is none."""

    def __init__(self, kind: ViewerKind) -> None:
        self.kind = kind

    def pause(self, viewers: int) -> float:
        """A few get everything at once: 1 ms for ten, 10 ms for a hundred, 20 ms from two hundred on."""
        return min(0.0001 * viewers, 0.02)

    def greeting(self, time: float, version: str, staleness: float) -> bytes:  # noqa: ARG002
        """Plain clients get results and nothing else."""
        return b""

    def results(self, results: list[Update]) -> bytes:
        return b"".join(map(_plain_result, results))

    def next(self, viewer: Viewer) -> bytes:
        if results := viewer.take_results(BATCH):
            if viewer.withheld.crowded:
                return b"".join([_plain_answer(update, viewer.withheld.crowded) for update in results])
            return self.results(results)
        picture = viewer.take_picture()
        return _plain_picture(picture) if picture is not None else b""


class DashboardProtocol:
    """`framefleet.v1`: batches of results, binary pictures, states of cameras and nodes."""

    kind = ViewerKind.DASHBOARD

    def pause(self, viewers: int) -> float:
        """25 ms up to 25 viewers, 50 ms for a hundred, 100 ms from four hundred on: fewer, larger messages."""
        return min(max(0.005 * math.sqrt(viewers), 0.025), 0.1)

    def greeting(self, time: float, version: str, staleness: float) -> bytes:
        return ws_frame(TEXT, msgspec.json.encode(HelloMessage(time, staleness, version)))

    def results(self, results: list[Update]) -> bytes:
        return ws_frame(TEXT, b'{"type":"results","results":[', b",".join([u.body for u in results]), b"]}")

    def next(self, viewer: Viewer) -> bytes:
        if (nodes := viewer.take_nodes()) is not None:
            return ws_frame(TEXT, b'{"type":"nodes","items":', nodes, b"}")
        if (withheld := viewer.take_withheld()) is not None:
            message = WithheldMessage(sorted(withheld.unknown), sorted(withheld.crowded))
            return ws_frame(TEXT, msgspec.json.encode(message))
        if cameras := viewer.take_cameras():
            return ws_frame(TEXT, b'{"type":"cameras","items":[', b",".join(cameras), b"]}")
        if results := viewer.take_results(BATCH):
            return self.results(results)
        picture = viewer.take_picture()
        return _dashboard_picture(picture) if picture is not None else b""


PLAIN, LATEST, FRAMES = (
    PlainProtocol(ViewerKind.PLAIN),
    PlainProtocol(ViewerKind.LATEST),
    PlainProtocol(ViewerKind.FRAMES),
)
DASHBOARD = DashboardProtocol()
PROTOCOLS: tuple[ViewerProtocol, ...] = (PLAIN, LATEST, FRAMES, DASHBOARD)


def protocol_for(subprotocols: list[str], plain: ViewerProtocol) -> ViewerProtocol:
    """The protocol that a client asked for: `plain` is what its query says, the page's sub-protocol goes before it."""
    return DASHBOARD if DASHBOARD_PROTOCOL in subprotocols else plain


def _plain_result(update: Update) -> bytes:
    form = update.forms.get("plain")
    if form is None:
        form = update.forms["plain"] = ws_frame(TEXT, update.body)
    return form


def _plain_answer(update: Update, crowded: frozenset[str]) -> bytes:
    """A result; of a camera whose picture was asked for and does not come, with the reason."""
    if update.camera_id not in crowded:
        return _plain_result(update)
    return ws_frame(TEXT, with_field(update.body, b"frame_withheld", b"crowded"))


def _plain_picture(update: Update) -> bytes:
    form = update.forms.get("frames")
    if form is None:
        encoded = binascii.b2a_base64(update.picture, newline=False)
        form = update.forms["frames"] = ws_frame(TEXT, with_field(update.body, b"frame", encoded))
    return form


def _dashboard_picture(update: Update) -> bytes:
    form = update.forms.get("dashboard")
    if form is None:
        result = with_field(update.body, b"content_type", update.content_type.encode())
        form = ws_frame(BINARY, struct.pack("!I", len(result)), result, update.picture)
        update.forms["dashboard"] = form
    return form
