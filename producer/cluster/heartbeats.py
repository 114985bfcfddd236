"""A producer's heartbeats: what it says of itself and of its cameras on `status`."""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Literal

from broker import Link, Message
from broker.aio import publish
from contract.status import CamerasStatus, ProducerStatus, Status, encode_status, status_routing_key
from contract.topology import STATUS_EXCHANGE
from producer.camera.camera import Camera
from producer.lane.lanes import Lanes
from runtime.memory import resident_bytes
from runtime.version import VERSION

WINDOW = 10_000  # messages without a confirm; a thousand cameras may change their states at once


class Heartbeats:
    """Publishes them. `offer` gives the digest by which producers share cameras."""

    def __init__(
        self,
        link: Link,
        producer_id: str,
        since: float,
        *,
        lanes: Lanes,
        cameras: Callable[[], Iterable[Camera]],
        offer: Callable[[], str],
    ) -> None:
        self._publisher = link.publisher(window=WINDOW, on_ready=self.all)
        self._producer_id = producer_id
        self._since = since
        self._lanes = lanes
        self._cameras = cameras
        self._offer = offer

    def all(self) -> None:
        """Send the producer's heartbeat and that of its cameras."""
        self.producer()
        self.cameras()

    def producer(self) -> None:
        """Send the producer's own heartbeat."""
        self._publisher.publish(_message(self._producer("running")))

    def cameras(self) -> None:
        """Send that of all cameras that the producer serves, in one message."""
        reports = [camera.report() for camera in self._cameras()]
        status = CamerasStatus(
            producer_id=self._producer_id, producer_since=self._since, time=time.time(), cameras=reports
        )
        self._publisher.publish(_message(status))

    def camera(self, camera: Camera) -> None:
        """Tell the new state of one camera."""
        self._publisher.publish(_message(camera.status()))

    async def goodbye(self) -> None:
        """Send the last heartbeat; returns when the broker has it."""
        await publish(self._publisher, _message(self._producer("stopped")))

    def _producer(self, state: Literal["running", "stopped"]) -> ProducerStatus:
        return ProducerStatus(
            producer_id=self._producer_id,
            state=state,
            cameras=sum(1 for _ in self._cameras()),
            outstanding=self._lanes.outstanding,
            window=self._lanes.window,
            since=self._since,
            time=time.time(),
            version=VERSION,
            offer=self._offer(),
            lanes=self._lanes.loads,
            confirmed=self._lanes.stored,
            host=socket.gethostname(),
            memory=resident_bytes(),
        )


def _message(status: Status) -> Message:
    return Message(
        STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False, mandatory=False
    )
