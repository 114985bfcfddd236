"""Where each message from the broker goes. What it does there is the business of the part that takes it."""

import time
from dataclasses import dataclass
from functools import partial

from broker import Consumer, Delivery
from broker.link import Link, from_body
from contract.description import is_described
from contract.identifiers import CANARY_CAMERA
from contract.jobs import JobStatus
from contract.status import (
    CamerasStatus,
    CameraStatus,
    Control,
    NodeStatus,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    kept_routing_key,
    parse_control,
    parse_status,
)
from contract.topology import (
    CONTROL_EXCHANGE,
    RESULT_QUEUE,
    RESULTS_EXCHANGE,
    STATUS_EXCHANGE,
    WATCH_EXCHANGE,
)
from gateway.canary.canary import Canary, CanaryReply
from gateway.history.recorder import PREFETCH, Recorder
from gateway.history.thumbnails import Thumbnailer
from gateway.keepers import Keepers
from gateway.knowledge import Knowledge
from gateway.live.absence import Absence
from gateway.live.first_pictures import FirstPictures
from gateway.live.hub import Hub
from gateway.live.pictures import ReceivedPicture, parse_picture, show_picture
from gateway.live.results import LiveResults, parse_received, parse_traced
from gateway.result_spans import ResultSpans


def listen_to_results(
    link: Link, results: LiveResults, absence: Absence, spans: ResultSpans | None
) -> Consumer:
    """Take every result, live."""
    return link.listen(
        RESULTS_EXCHANGE,
        "#",
        from_body(parse_received) if spans is None else partial(parse_traced, spans=spans),
        results.take,
        on_subscribed=absence.end,
        on_lost=absence.begin,
        needed=True,
    )


def listen_to_pictures(link: Link, hub: Hub) -> Consumer:
    """Take the pictures of the cameras that the consumer is bound to, for viewers."""

    def take(picture: ReceivedPicture) -> None:
        if picture.received.result.camera_id == CANARY_CAMERA:
            return  # of a worker that knows no canary yet
        if is_described(picture.received.result.frame_id):
            return  # of an event, and perhaps of minutes ago
        show_picture(hub, picture)

    return link.listen(WATCH_EXCHANGE, (), parse_picture, take, max_length=200, max_bytes=64 * 1024 * 1024)


def listen_to_kept_frames(
    link: Link, gateway_id: str, thumbnailer: Thumbnailer, first_pictures: FirstPictures
) -> Consumer:
    """Take the frames that this gateway asked for: for the pictures of events, and for those who begin to watch."""

    def take(picture: ReceivedPicture) -> None:
        wall = time.time()
        thumbnailer.picture(picture.received.result, picture.picture, wall)
        first_pictures.picture(picture, time.monotonic(), wall)

    key = kept_routing_key(gateway_id)
    return link.listen(WATCH_EXCHANGE, key, parse_picture, take, max_length=1_000, max_bytes=64 * 1024 * 1024)


def listen_to_canary(link: Link, canary: Canary) -> Consumer:
    """Take what workers reply to the canary, by a queue whose name only the broker and they know."""

    def parse(delivery: Delivery) -> CanaryReply:
        return CanaryReply(delivery.correlation_id or "", delivery.body)

    return link.listen(
        "", (), parse, canary.heard, max_length=100, on_subscribed=canary.listening, on_lost=canary.deaf
    )


def consume_results(link: Link, recorder: Recorder) -> Consumer:
    """Take every result once, for the history."""
    return link.consume(RESULT_QUEUE, recorder.receive, prefetch=PREFETCH, on_lost=recorder.lost)


@dataclass(frozen=True, slots=True)
class StatusListener:
    """Hears what nodes, producers and other gateways say of themselves."""

    known: Knowledge
    keepers: Keepers

    def listen(self, link: Link) -> None:
        """Begin to listen."""
        link.listen(STATUS_EXCHANGE, "#", from_body(parse_status), self._status)
        link.listen(CONTROL_EXCHANGE, "", from_body(self._parse_control), self._control)

    def _status(self, status: Status) -> None:
        known, now, wall = self.known, time.monotonic(), time.time()
        match status:
            case NodeStatus():
                known.statistics.failed(known.nodes.heard(status, now, wall), wall)
                self.keepers.reported(status, now)
                known.books.heard_node(status)
            case ProducerStatus():
                known.books.heard_producer(status)
                known.peers.heard_producer(status, now, wall)
                known.cameras.heard_producer(status, now, wall)
            case CameraStatus():
                known.statistics.dropped(known.cameras.heard_camera(status, now, wall), wall)
            case CamerasStatus():
                known.statistics.dropped(known.cameras.heard_cameras(status, now, wall), wall)
            case JobStatus():
                known.jobs.heard(status, now)

    def _parse_control(self, body: bytes) -> Control:
        control = parse_control(body)
        self.keepers.examine(control)
        return control

    def _control(self, control: Control) -> None:
        now = time.monotonic()
        if isinstance(control, WatchAnnouncement):
            self.known.gateways.heard(control.gateway_id, now)
            self.known.peers.heard_gateway(control, now, time.time())
        else:  # another gateway's, or our own coming back
            self.keepers.heard(control, now)
