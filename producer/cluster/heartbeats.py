"""A producer's heartbeats: what it says of itself and of its cameras on `status`."""

import socket
import time
from collections.abc import Callable, Iterable

from broker import Link, Message
from broker.aio import publish
from contract.status import (
    CameraFileTrouble,
    CamerasStatus,
    ProducerEnd,
    ProducerStatus,
    Status,
    encode_status,
    status_routing_key,
)
from contract.topology import STATUS_EXCHANGE
from producer.camera.camera import Camera
from producer.lane.lanes import Lanes
from runtime.memory import resident_bytes
from runtime.version import VERSION

WINDOW = 10_000  # messages without a confirm; a thousand cameras may change their states at once


class Heartbeats:
    """Publishes them. `offer` gives the digest by which producers share cameras, `removed` those taken out lately,
    `file` what is wrong in the file of cameras.
    """

    def __init__(
        self,
        link: Link,
        producer_id: str,
        since: float,
        *,
        lanes: Lanes,
        cameras: Callable[[], Iterable[Camera]],
        offer: Callable[[], str],
        removed: Callable[[], list[str]],
        file: Callable[[], CameraFileTrouble | None],
    ) -> None:
        self._publisher = link.publisher(window=WINDOW, on_ready=self.all)
        self._producer_id = producer_id
        self._since = since
        self._lanes = lanes
        self._cameras = cameras
        self._offer = offer
        self._removed = removed
        self._file = file

    def all(self) -> None:
        """Send the producer's heartbeat and that of its cameras."""
        self.producer()
        self.cameras()

    def producer(self) -> None:
        """Send the producer's own heartbeat."""
        self._publisher.publish(_message(self._producer()))

    def cameras(self) -> None:
        """Send that of all cameras that the producer serves, in one message."""
        reports = [camera.report() for camera in self._cameras()]
        status = CamerasStatus(
            producer_id=self._producer_id,
            producer_since=self._since,
            time=time.time(),
            cameras=reports,
            removed=self._removed(),
        )
        self._publisher.publish(_message(status))

    def camera(self, camera: Camera) -> None:
        """Tell the new state of one camera."""
        self._publisher.publish(_message(camera.status()))

    async def goodbye(self, end: ProducerEnd) -> None:
        """Send the last heartbeat, with why it is the last; returns when the broker has it."""
        await publish(self._publisher, _message(self._producer(end)))

    def _producer(self, end: ProducerEnd | None = None) -> ProducerStatus:
        return ProducerStatus(
            producer_id=self._producer_id,
            state="running" if end is None else "stopped",
            cameras=sum(1 for _ in self._cameras()),
            outstanding=self._lanes.outstanding,
            window=self._lanes.window,
            since=self._since,
            time=time.time(),
            version=VERSION,
            offer=self._offer(),
            lanes=self._lanes.loads,
            confirmed=self._lanes.stored,
            end=end,
            file=self._file(),
            host=socket.gethostname(),
            memory=resident_bytes(),
        )


def _message(status: Status) -> Message:
    return Message(
        STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False, mandatory=False
    )
