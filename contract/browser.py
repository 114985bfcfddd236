"""The messages that go over the dashboard's WebSocket (sub-protocol `framefleet.v1`), in both directions.

The gateway joins most of its messages out of bytes that it holds already (gateway/live/protocol.py); a test holds them
to these shapes. A picture is a binary message: the length of a `PictureHead` (uint32, big-endian), the head as JSON,
and the image.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from contract.api.nodes import NodeView
from contract.failures import STALENESS_SECONDS
from contract.picture import ContentType
from contract.result import Result
from contract.task import CameraId

DASHBOARD_PROTOCOL = "framefleet.v1"
MAX_PICTURES = 256
MAX_CAMERAS = 1_000
MAX_GROUPS = 100
MAX_NODES = 100
MAX_NAME = 100

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
CameraNames = Annotated[list[CameraId], Meta(max_length=MAX_CAMERAS)]
GroupNames = Annotated[list[Name], Meta(max_length=MAX_GROUPS)]
NodeNames = Annotated[list[Name], Meta(max_length=MAX_NODES)]
# Written out, because msgspec has no union of two objects that no tag tells apart.
_CAMERAS = {
    "items": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("CameraView", "GoneCamera")]}
}


class HelloMessage(Struct, frozen=True, tag_field="type", tag="hello"):
    """The first message of a connection: the gateway's clock, its staleness budget in seconds, and its version."""

    time: float
    staleness: Annotated[float, Meta(gt=0)] = STALENESS_SECONDS
    version: str = ""


class ResultsMessage(Struct, frozen=True, tag_field="type", tag="results"):
    """Results as the workers wrote them."""

    results: list[Result]


class GoneCamera(Struct, frozen=True):
    """A camera that the gateway has forgotten."""

    camera_id: str
    gone: Annotated[bool, Meta(extra_json_schema={"const": True})]


class CamerasMessage(Struct, frozen=True, tag_field="type", tag="cameras"):
    """The cameras whose state has changed, each a `CameraView` or a `GoneCamera`; after the greeting, all cameras."""

    items: Annotated[list[Any], Meta(extra_json_schema=_CAMERAS)]


class NodesMessage(Struct, frozen=True, tag_field="type", tag="nodes"):
    """All nodes, whenever one of them has changed."""

    items: list[NodeView]


class WithheldMessage(Struct, frozen=True, tag_field="type", tag="withheld"):
    """The cameras of this subscription whose pictures do not come: nobody knows them (yet), or more pictures are wanted
    than a gateway may watch cameras, and others have a right to theirs. All of them, whenever it changes."""

    unknown: list[str]
    crowded: list[str]


class PictureHead(Result, frozen=True, kw_only=True):
    """The result that belongs to a picture, and what kind of picture it is."""

    content_type: ContentType


class Subscribe(Struct, tag_field="type", tag="subscribe"):
    """Change the subscription: an absent field stays as it is, `null` means any. All conditions hold together."""

    cameras: CameraNames | UnsetType | None = UNSET
    groups: GroupNames | UnsetType | None = UNSET
    nodes: NodeNames | UnsetType | None = UNSET
    detections: bool | UnsetType = UNSET
    pictures: Annotated[list[CameraId], Meta(max_length=MAX_PICTURES)] | UnsetType = UNSET


class Painted(Struct, tag_field="type", tag="painted"):
    """A dashboard has painted a frame `age` seconds after its capture."""

    frame_id: str
    age: float


ServerMessage = HelloMessage | ResultsMessage | CamerasMessage | NodesMessage | WithheldMessage
ClientMessage = Subscribe | Painted
