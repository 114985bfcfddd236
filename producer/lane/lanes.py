"""All lanes that this producer fills, what they share, and the replies. On the event loop only."""

import time
from collections import Counter
from typing import NamedTuple

from broker import Delivery, Link
from contract.result import FailedReply, Reply, parse_reply
from contract.status import LaneLoad
from contract.topology import Lane
from producer.lane.carrier import Carrier
from producer.lane.drops import Drops
from producer.lane.lane import TaskLane
from producer.lane.lossless import LosslessLane
from producer.lane.message import Form
from producer.lane.neighbours import Neighbours
from producer.lane.permit import Holder
from producer.lane.task_spans import TaskSpans

PUBLISH_TIMEOUT = 5.0


class FrameReply(NamedTuple):
    """The answer that came for a frame."""

    frame_id: str
    reply: Reply


def _parse_reply(delivery: Delivery) -> FrameReply:
    reply = parse_reply(delivery.body)
    return FrameReply(delivery.correlation_id or reply.frame_id, reply)


class Lanes:
    """The producer's lanes by name; each is made when the first camera enters it."""

    def __init__(self, link: Link, form: Form, spans: TaskSpans | None = None) -> None:
        publisher = link.publisher(timeout=PUBLISH_TIMEOUT, on_ready=self._wake)
        self._carrier = Carrier(form, publisher, link.ensure_topology, spans)
        self.neighbours = Neighbours()
        self._drops = Drops()
        self.lossless = LosslessLane(form, publisher, link.ensure_topology, self._drops, spans)
        self._lanes: dict[Lane, TaskLane] = {}
        self._cameras: dict[str, tuple[Holder, TaskLane]] = {}  # those that take turns, and where
        self._depth = link.depth()
        link.listen(
            "",
            (),  # only what is sent to its name
            _parse_reply,
            self._replied,
            max_length=10_000,
            on_subscribed=self._listening,
            on_lost=self._deaf,
        )

    @property
    def idle(self) -> bool:
        """True if nothing waits, is encoded or lacks its confirm."""
        return not self.waiting and self._carrier.idle

    @property
    def unconfirmed(self) -> int:
        """How many frames were sent and lack their confirm."""
        return self._carrier.unconfirmed

    @property
    def cameras(self) -> int:
        """How many cameras take turns."""
        return len(self._cameras)

    @property
    def waiting(self) -> int:
        """How many frames, or cameras without one yet, wait for their turn."""
        return sum(lane.waiting for lane in self._lanes.values())

    @property
    def outstanding(self) -> int:
        """How many frames are under way, or about to be."""
        return sum(lane.outstanding for lane in self._lanes.values())

    @property
    def window(self) -> int:
        """How many frames may be under way at once."""
        return sum(lane.window for lane in self._lanes.values())

    @property
    def loads(self) -> dict[str, LaneLoad]:
        """How each lane is filled, for other producers."""
        return {name.value: lane.load for name, lane in self._lanes.items()}

    @property
    def stored(self) -> dict[str, int]:
        """How many frames the broker has confirmed, by lane, those without turns included."""
        return dict(
            self.lossless.stored + Counter({name.value: lane.stored for name, lane in self._lanes.items()})
        )

    def lane(self, name: Lane) -> TaskLane:
        """The way to this lane's queue."""
        if name not in self._lanes:
            self._lanes[name] = TaskLane(name, self._carrier, self._drops, lambda: self.cameras)
            self._depth.watch(name.queue)
        return self._lanes[name]

    def enter(self, camera: Holder, name: Lane, priority: float) -> None:
        """The camera takes turns in this lane by its priority, and in no other."""
        lane = self.lane(name)
        for other in self._lanes.values():
            if other is not lane:
                other.forget(camera.camera_id)
        lane.enter(camera.camera_id, priority)
        self._cameras[camera.camera_id] = camera, lane

    def forget(self, camera_id: str) -> None:
        """The camera is no longer served here."""
        for lane in self._lanes.values():
            lane.forget(camera_id)
        self._cameras.pop(camera_id, None)

    def tick(self) -> None:
        """A few times a second: give up on late replies, send what may be sent, tell what was dropped."""
        now = time.monotonic()
        messages, consumers = self._depth.messages, self._depth.consumers
        for name, lane in self._lanes.items():
            taken = consumers.get(lane.queue, 0) > 0 and messages.get(lane.queue) == 0
            lane.tick(now, taken=taken, gain=self.neighbours.gain(name, lane.load, now))
        self._drops.tell()

    def _wake(self) -> None:
        for lane in self._lanes.values():
            lane.wake()

    # --- replies ----------------------------------------------------------------------------------------

    def _replied(self, answer: FrameReply) -> None:
        frame_id, reply = answer
        if isinstance(reply, FailedReply) and reply.camera_id in self._cameras:
            self._cameras[reply.camera_id][0].frame_failed(reply.reason)
        if not any(lane.answer(frame_id, reply) for lane in self._lanes.values()):
            self._answered_late(reply)

    def _answered_late(self, reply: Reply) -> None:
        """The answer is for a frame that was given up before."""
        if reply.camera_id in self._cameras:
            camera, lane = self._cameras[reply.camera_id]
            if reply.status != "ok":
                camera.send_next()
            lane.answer_late()

    def _listening(self, queue_name: str) -> None:
        self._carrier.reply_to = queue_name
        self._wake()

    def _deaf(self) -> None:
        self._carrier.reply_to = None
        for lane in self._lanes.values():
            lane.reset()
