"""Heartbeats on `status` and announcements on `control`. All transient: the next one replaces the last."""

from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contract.drains import DesiredDrains
from contract.identifiers import CAMERA_ID_RULE
from contract.jobs import JobStatus
from contract.json import decode
from contract.models import DesiredModels, ModelReport
from contract.remote import DesiredRemote, RemoteReport
from contract.senders import Senders

HEARTBEAT_SECONDS = 2.0
LOST_AFTER_SECONDS = 3 * HEARTBEAT_SECONDS
WATCH_TTL_SECONDS = 10.0
MAX_KEY_BYTES = 200
"""Of an id in a routing key, which has 255 bytes at most."""

CameraState = Literal["connecting", "live", "degraded", "stalled", "offline", "disabled"]
Polygon = tuple[tuple[float, float], ...]
"""Corners as (x, y) fractions of the picture's width and height, 0-1."""
ProducerEnd = Literal["asked", "finished", "failed"]
"""Why a producer stopped: somebody asked it to, its sources came to their end, or it cannot go on."""


class NodeStatus(Struct, frozen=True, kw_only=True, tag_field="kind", tag="node"):
    """A worker's heartbeat; routing key `node.<node_id>`. `busy` is the share of the last interval, 0–1."""

    node_id: str
    state: Literal["running", "draining", "stopped"]
    lane: str
    model: str
    detector: str
    fallback: str | None
    prefetch: int
    fps: float
    busy: float
    processed: int
    failed: int
    since: float
    time: float
    version: str
    desired: int = 0
    """Revision of the desired models that this node acts on; 0: it has heard of none."""
    model_error: str | None = None
    """The reason why it does not compute with the models desired of it."""
    models: list[ModelReport] = []
    expired: int = 0
    """How many frames it found too old; with `processed` and `failed`, all that it settled since it started."""
    drains: int | None = None
    """Revision of the desired drains that this node acts on; 0: it has heard of none; None: it knows of no drains."""
    drained: bool = False
    """An operator put it out of work (`state` is `draining`), and it holds no frame any more."""
    host: str = ""
    memory: int | None = None
    """Bytes that the process has in memory."""
    recipe: str = ""
    """A digest of all that the answers of its usual detector depend on: equal ones answer the same. Empty: unknown."""
    remote: RemoteReport | None = None
    """Of a worker of the remote lane: its endpoint, and what it has spent."""


class LaneLoad(Struct, frozen=True, kw_only=True):
    """A producer's load on a lane: how many frames it may have outstanding there, and the weight of its cameras."""

    window: int
    weight: float


class CameraFileProblem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong in a line of the file of cameras (from 1; 0: in none), and the only camera concerned, if one is."""

    text: str
    line: int = 0
    camera_id: str | None = None


class CameraFileTrouble(Struct, frozen=True, kw_only=True):
    """What is wrong in a producer's file of cameras: of `count` mistakes the first few.

    `used`: the file was taken on, and only the cameras concerned are not as it says. Else all runs on as before.
    """

    path: str
    used: bool
    count: int
    problems: list[CameraFileProblem]


class ProducerStatus(Struct, frozen=True, kw_only=True, tag_field="kind", tag="producer"):
    """A producer's heartbeat; routing key `producer.<producer_id>`."""

    producer_id: str
    state: Literal["running", "stopped"]
    cameras: int
    outstanding: int
    window: int
    since: float
    time: float
    version: str
    offer: str = ""
    """A digest of the cameras that it could serve, by which producers share them; empty: it shares none."""
    lanes: dict[str, LaneLoad] = {}
    confirmed: dict[str, int] = {}
    """How many of its frames the broker has confirmed since it started, by lane."""
    end: ProducerEnd | None = None
    """Of one that stopped: why. Those of older versions do not tell."""
    file: CameraFileTrouble | None = None
    """None: there is no file of cameras, or nothing is wrong in it."""
    host: str = ""
    memory: int | None = None
    """Bytes that the process has in memory."""


class CameraLabels(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A camera's name and place in its operator's own words, each up to 100 characters."""

    name: str | None = None
    group: str | None = None
    location: str | None = None
    district: str | None = None


class CameraStatus(Struct, frozen=True, kw_only=True, tag_field="kind", tag="camera"):
    """A camera as its producer sees it; routing key `camera.<camera_id>`; sent at once on every transition."""

    camera_id: str
    producer_id: str
    state: CameraState
    reason: str | None
    since: float
    fps: float
    sent: int
    dropped: dict[str, int]
    time: float
    skipped: int = 0
    """How many frames were left out because they showed nothing new, since the camera was taken up."""
    labels: CameraLabels | None = None
    remote: bool = False
    """Its frames may be sent to a remote model: out of the house, perhaps."""
    masks: list[Polygon] | None = None
    """The parts of its view that are black before a frame leaves; None: its producer does not tell (older ones)."""


class CameraReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One camera in a `CamerasStatus`; the fields are those of `CameraStatus`."""

    camera_id: str
    state: CameraState
    since: float
    reason: str | None = None
    fps: float = 0.0
    sent: int = 0
    dropped: dict[str, int] = {}
    skipped: int = 0
    labels: CameraLabels | None = None
    remote: bool = False
    """Its frames may be sent to a remote model: out of the house, perhaps."""
    masks: list[Polygon] | None = None


class CamerasStatus(Struct, frozen=True, kw_only=True, tag_field="kind", tag="cameras"):
    """All cameras that a producer serves, every two seconds; routing key `cameras.<producer_id>`.

    A camera that is not named is not served by this producer. `producer_since` is when it started (its `since`),
    which tells producers of the same name apart. Changes are told at once, one `CameraStatus` each. `removed` names
    those that were taken out of its file within the last minute: nobody is to miss them.
    """

    producer_id: str
    producer_since: float
    time: float
    cameras: list[CameraReport]
    removed: list[str] = []


class WatchAnnouncement(Struct, frozen=True, kw_only=True, tag_field="kind", tag="watch", omit_defaults=True):
    """The cameras whose pictures a gateway wants, on `control`; valid for `ttl` seconds after receipt.

    `frames` are wanted once: frame_ids of the last moments, for the pictures of events, and the newest ones of slow
    cameras, for whoever begins to watch. The worker that computed such a frame, and still has it, sends it by `watch`
    with the routing key `kept_routing_key(gateway_id)`. By announcements gateways also know each other: `since`,
    `version`, `host` and `memory` (bytes) are the sender's own. With `motion` it may want frames that show motion and
    in which nothing was detected, so that workers keep them for a moment, too.
    """

    gateway_id: str
    cameras: list[str]
    ttl: float = WATCH_TTL_SECONDS
    frames: list[str] = []
    since: float | None = None
    version: str | None = None
    host: str = ""
    memory: int | None = None
    motion: bool = False


Status = NodeStatus | ProducerStatus | CameraStatus | CamerasStatus | JobStatus
Control = WatchAnnouncement | DesiredModels | DesiredDrains | DesiredRemote | Senders

_encoder = msgspec.json.Encoder()
_status_decoder = msgspec.json.Decoder(Status)
_control_decoder = msgspec.json.Decoder(Control)


def encode_status(message: Status | Control) -> bytes:
    """Write the message as JSON, tagged with its `kind`."""
    return _encoder.encode(message)


def status_routing_key(message: Status) -> str:
    """Return `node.<id>`, `producer.<id>`, `camera.<id>`, `cameras.<producer id>` or `job.<id>`; dots as `_`."""
    match message:
        case NodeStatus():
            kind, name = "node", message.node_id
        case ProducerStatus():
            kind, name = "producer", message.producer_id
        case CameraStatus():
            kind, name = "camera", message.camera_id
        case CamerasStatus():
            kind, name = "cameras", message.producer_id
        case JobStatus():
            kind, name = "job", message.job_id
    return f"{kind}.{name.replace('.', '_')}"


def kept_routing_key(gateway_id: str) -> str:
    """Return `kept.<gateway id>`, which no camera is called: for the frames that this gateway asked for."""
    return f"kept.{gateway_id.replace('.', '_').encode()[:MAX_KEY_BYTES].decode(errors='ignore')}"


def parse_status(body: bytes) -> Status:
    """Read a heartbeat, without the cameras in it that have no valid name: none of their frames can be computed.

    Raises ValueError (msgspec.DecodeError) if the body is none.
    """
    status: Status = decode(_status_decoder, body)
    match status:
        case CameraStatus() if not CAMERA_ID_RULE.match(status.camera_id):
            raise ValueError(f"{status.camera_id[:100]!r} is not a name for a camera")
        case CamerasStatus():
            valid = [each for each in status.cameras if CAMERA_ID_RULE.match(each.camera_id)]
            if len(valid) < len(status.cameras):
                return replace(status, cameras=valid)
    return status


def parse_control(body: bytes) -> Control:
    """Read a gateway's announcement on `control`. Raises ValueError (msgspec.DecodeError) for anything else."""
    control: Control = decode(_control_decoder, body)
    return control
