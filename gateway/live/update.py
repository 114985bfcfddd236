"""What is published, and who wants it: results and pictures, and a viewer's subscription to them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Update:
    """One result as it came (`body`, JSON), or one picture with its own result. `arrival` is monotonic seconds,
    `detections` how many there are. `lead` is how far `original_timestamp`, as its sender wrote it, lies in the future
    at the arrival; else 0.

    `forms` keeps what the protocols made of it, so that it is made once whatever the number of viewers. `sent`, where
    its frame is traced, is called when it was written to viewers.
    """

    camera_id: str
    frame_id: str
    original_timestamp: float
    arrival: float
    body: bytes
    picture: bytes = b""
    content_type: str = ""
    node_id: str = ""
    detections: int = 0
    lead: float = 0.0
    forms: dict[str, bytes] = field(default_factory=dict)
    sent: Callable[[], None] | None = None

    @property
    def captured(self) -> float:
        """The capture time that live views are ordered by: Unix seconds, never after the arrival."""
        return self.original_timestamp - self.lead


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a viewer wants: results for which all conditions hold (None: any), and pictures of cameras by name.

    `nodes` and `detections` (only results with some) hold for pictures too: a picture comes with its result.
    """

    cameras: frozenset[str] | None = None
    pictures: frozenset[str] = frozenset()
    groups: frozenset[str] | None = None
    nodes: frozenset[str] | None = None
    detections: bool = False

    def includes(self, update: Update, group: str | None) -> bool:
        """Whether the result is wanted; `group` is its camera's."""
        return (
            (self.cameras is None or update.camera_id in self.cameras)
            and (self.groups is None or group in self.groups)
            and self._admits(update)
        )

    def includes_picture(self, update: Update) -> bool:
        """Whether the picture is wanted."""
        return update.camera_id in self.pictures and self._admits(update)

    def _admits(self, update: Update) -> bool:
        return (self.nodes is None or update.node_id in self.nodes) and (
            not self.detections or update.detections > 0
        )


NOTHING = Subscription(frozenset())


def carried(update: Update, picture: Update | None, subscription: Subscription) -> bool:
    """Whether the camera's latest picture has brought this very result to whoever subscribed so."""
    return (
        picture is not None
        and picture.frame_id == update.frame_id
        and update.camera_id in subscription.pictures
    )
