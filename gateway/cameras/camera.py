"""One camera as the gateway knows it, and what state that amounts to. Pure: `now` is monotonic, `wall` Unix time."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from contract.api.cameras import ShownState
from contract.result import Result
from contract.senders import Sender
from contract.status import LOST_AFTER_SECONDS, CameraLabels
from contract.topology import RESULT_QUEUE, Lane
from gateway.cameras.pace import STALLED_AFTER_SECONDS, ResultPace
from gateway.cameras.producers import HAND_OVER_SECONDS, KnownProducer, Producers, spokesman
from gateway.hearing import NO_BROKER, NOT_YET, UNBROKEN, Hearing

SKIPPING_SECONDS = 30.0
"""Since its last frame that showed nothing new, a camera counts as one whose unchanged frames are left out."""
ANSWER_SECONDS = 2.0
"""A frame on its way for longer may have shown something else than the picture."""
REPEATS_SECONDS = 60.0
"""So long after the last one it is said that a camera's frame_ids repeat."""
SHOWN_ID = 60
NO_LABELS = CameraLabels()
NO_HURDLES = frozenset({"replaced", "handed_over"})
"""Frames that a newer one, or another producer, took the place of: that alone keeps no frame from being computed."""
HURDLES = {
    "stale": "they are too old when its producer can send them",
    "queue_full": "the queue is full",
    "queue_down": "the queue is down, RabbitMQ cannot use it: framefleet queues repair",
    "unroutable": "the queue is missing",
    "timeout": "the broker does not confirm them",
    "disconnected": "its producer has no broker",
    "blocked": "the broker takes no frames: it is short of memory or disk space",
    "too_large": "they are too large for a message",
    "refused": "the broker refuses them: its log says why",
    "too_many_pixels": "they have too many pixels",
    "corrupt": "they do not decode",
}
"""Why frames did not reach the queue, by the word in their producer's report."""


@dataclass(slots=True, eq=False)
class KnownCamera:
    """What was heard of a camera. `claims`: the producers that name it; `server`: whose word counts, or did last."""

    camera_id: str
    first: float  # monotonic
    first_wall: float
    pace: ResultPace = field(default_factory=ResultPace)
    claims: list[KnownProducer] = field(default_factory=list)
    server: KnownProducer | None = None
    labels: CameraLabels = NO_LABELS
    let_go: float | None = None  # when the last claim was withdrawn
    let_go_wall: float = 0.0
    removed: bool = False  # and why: it was taken out of the producer's file, as that said
    reported: float = float("-inf")
    skipped: float = float("-inf")  # when a frame was last left out because it showed nothing new
    unanswered: float | None = None  # since when frames are offered without a result
    answers: int = 0  # results since the last report
    credit: int = 0  # 1: one came before the report that counts its frame
    owed: bool = False  # at the last report, a frame waited for its result
    hurdle: str | None = None  # what kept all frames since the last report from the queue
    expired: bool = False  # since the last result, a worker found one too old
    repeated: float = float("-inf")  # when a result last came whose frame_id another frame had
    repeated_wall: float = 0.0  # since when they do
    repeated_id: str = ""  # the first of them, and the camera that had it
    repeated_of: str = ""
    result: Result | None = None
    result_wall: float = 0.0
    results: int = 0
    ages: float = 0.0  # of the results, in all, seconds
    cost: float = 0.0  # of its frames that went to a remote model, dollars
    sender: str | None = None  # of the last result, where that has a name
    _worded: CameraLabels | None = None  # the labels that `_words` were made of
    _words: str = ""

    @property
    def words(self) -> str:
        """What a search for text looks at, in lower case: id, name, location, group and district, a line each."""
        if self._worded is not self.labels:
            labels = self._worded = self.labels
            texts = (self.camera_id, labels.name, labels.location, labels.group, labels.district)
            self._words = "\n".join(text for text in texts if text).lower()
        return self._words

    @property
    def heard(self) -> float:
        """When anything was heard of it."""
        return max(self.first, self.reported, self.pace.last, self.repeated)

    @property
    def last_word(self) -> float:
        """When its producer was last heard, or it had its last result, Unix time."""
        heard = self.server.heard_wall if self.server is not None else self.first_wall
        return max(heard, self.result_wall)

    def answered(self) -> None:
        """Note that a result came."""
        self.answers += 1
        self.unanswered, self.hurdle, self.expired = None, None, False

    def offered(self, sent: int, dropped: Mapping[str, int], now: float) -> None:
        """Take the producer's report: so many more frames sent, and dropped by reason, since the last one."""
        if sent:
            self.hurdle = None
        elif hurdles := dropped.keys() - NO_HURDLES:
            self.hurdle = max(hurdles, key=lambda reason: dropped[reason])
        # At most one frame of a camera is under way, so fewer results than frames mean that the last one waits.
        waits = self.answers + self.credit < sent or (bool(dropped) and self.answers == 0)
        self.credit = int(self.answers > sent and not self.owed)
        self.answers, self.owed = 0, waits or self.unanswered is not None
        if waits and self.unanswered is None:
            self.unanswered = now

    def repeats(self, now: float) -> bool:
        """Whether frames came lately whose frame_id another frame had."""
        return now - self.repeated <= REPEATS_SECONDS

    def repeat(self, frame_id: str, of: str, now: float, wall: float) -> bool:
        """Note such a frame, whose id was one of the camera `of`. True if none had come lately."""
        begins = not self.repeats(now)
        if begins:
            self.repeated_wall, self.repeated_id, self.repeated_of = wall, frame_id, of
        self.repeated = now
        return begins

    def begin_anew(self) -> None:
        """Forget the frames of before: another producer reports the camera, or it is not live."""
        self.unanswered, self.skipped = None, float("-inf")
        self.answers, self.credit, self.owed = 0, 0, False
        self.hurdle, self.expired = None, False

    def waits(self, now: float, seconds: float) -> bool:
        """Whether frames have been offered for so long without a result."""
        return self.unanswered is not None and now - self.unanswered > seconds


class Judgement(NamedTuple):
    """State, its reason, and since when (Unix seconds).

    `still`: the last picture shows what there is, however old it may be: the camera is live, and later frames were
    left out because they showed nothing new.
    """

    state: ShownState
    reason: str | None
    since: float
    still: bool = False


def age_of(result: Result, wall: float) -> float:
    """Seconds from the capture of a result's frame until `wall`, never negative.

    By the worker's word, which knows the clock that wrote the capture time, and the way from there to here.
    """
    return max(0.0, result.queue_seconds + result.processing_seconds + max(0.0, wall - result.timestamp))


def judge(
    camera: KnownCamera,
    producers: Producers,
    now: float,
    lanes: Callable[[float], Collection[str]],
    down: Callable[[], Collection[str]] = tuple,
    hearing: Hearing = UNBROKEN,
) -> Judgement:
    """What the camera's state is. Settles whose word counts, if several claim it.

    `lanes` tells those with a worker, `down` the queues that RabbitMQ cannot use. Nobody is blamed for a silence
    that is the gateway's own (`hearing`).
    """
    if hearing.deaf(now):
        return Judgement("unknown", NO_BROKER, camera.last_word)
    until = hearing.until(now)
    if len(camera.claims) > 1:
        camera.server = spokesman(camera.claims, camera.camera_id, camera.server, until)
    server = camera.server
    served = server is not None and bool(camera.claims) and server.alive(until)
    report = server.reports[camera.camera_id] if server is not None and served else None
    if camera.repeats(now) and (report is None or report.state == "live"):
        return Judgement("degraded", _repeated(camera), camera.repeated_wall)
    if server is None:
        if camera.pace.silent(now):
            silent = f"no results since {clock(camera.result_wall)}{_sender_down(camera, down())}"
            return Judgement("quiet", silent, camera.result_wall)
        return Judgement("live", None, camera.first_wall)
    if report is None:
        if not (hearing.settled(now) or server.stopped or camera.let_go is not None):
            return Judgement("unknown", NOT_YET, camera.last_word)
        return _unserved(camera, server, producers, now)
    if report.state != "live":
        return Judgement(report.state, report.reason, report.since)
    if camera.waits(now, STALLED_AFTER_SECONDS):
        if not hearing.settled(now):
            return Judgement("unknown", NOT_YET, camera.last_word)
        # Its frames are sent and nothing comes back: a picture of the past must not pose as live.
        since = camera.result_wall or report.since
        return Judgement("degraded", _unanswered(camera, clock(since), lanes(now), down()), since)
    still = now - camera.skipped <= SKIPPING_SECONDS and not camera.waits(now, ANSWER_SECONDS)
    return Judgement("live", report.reason, report.since, still)


def _sender_down(camera: KnownCamera, down: Collection[str]) -> str:
    """Which queue of the camera's sender is down, if one is: which lane its frames take nobody knows."""
    if camera.sender is None or not down:
        return ""
    sender = Sender(name=camera.sender)
    own = [queue for lane in Lane if (queue := sender.queue(lane)) in down]
    return f": {', '.join(own)} is down: framefleet queues repair" if own else ""


def _repeated(camera: KnownCamera) -> str:
    text = "".join(c if c.isprintable() else "\ufffd" for c in camera.repeated_id[:SHOWN_ID])
    cut = "…" if len(camera.repeated_id) > SHOWN_ID else ""
    also = f", which {camera.repeated_of} has too" if camera.repeated_of != camera.camera_id else ""
    return (
        f"its frame_ids repeat ('{text}{cut}'{also}): only the first result of an id is shown and kept; "
        "give every frame an id of its own"
    )


def _unanswered(camera: KnownCamera, since: str, lanes: Collection[str], down: Collection[str]) -> str:
    """What is known of why its frames bring no results."""
    said = f"its frames bring no results since {since}"
    if RESULT_QUEUE in down:
        return f"{said}: {RESULT_QUEUE} is down, and workers hold what they have: framefleet queues repair"
    if camera.hurdle is not None:
        return f"{said}: {HURDLES.get(camera.hurdle, camera.hurdle)}"
    if camera.expired:
        return f"{said}: they are too old when a worker takes them"
    if not lanes:
        return f"{said}: no worker runs"
    running = ", ".join(sorted(lanes))
    letters = f"framefleet dlq list --camera {camera.camera_id}"
    return f"{said}, although workers run (lanes: {running}): is one for its lane, or are they refused? {letters}"


def _unserved(camera: KnownCamera, server: KnownProducer, producers: Producers, now: float) -> Judgement:
    """No living producer names it: `server` was the last that did."""
    if camera.let_go is not None:
        lost, since = camera.let_go, camera.let_go_wall
    else:
        lost, since = server.heard, server.heard_wall
    if camera.pace.last > lost + LOST_AFTER_SECONDS and not camera.pace.silent(now):
        return Judgement("live", None, since)  # a plain client sends it now
    name, at = server.producer_id, clock(since)
    taken = producers.takers(server, now)
    if taken and now - lost <= HAND_OVER_SECONDS:
        if camera.let_go is None and not server.stopped:
            return Judgement("stalled", f"{name} is not heard since {at}: another producer takes over", since)
        return Judgement("connecting", f"handed over by {name} at {at}", since)
    if camera.let_go is None and server.retired:
        ended = "sent all of its frames" if server.end == "finished" else "was stopped"
        return Judgement("disabled", f"its producer {ended} at {at}", since)
    if taken or camera.let_go is not None:
        return Judgement("offline", f"no producer serves it (last: {name})", since)
    if server.stopped:
        return Judgement("offline", f"its producer gave up at {at}: its log says why", since)
    return Judgement("offline", f"producer not heard since {at}", since)


def deserted(camera: KnownCamera, now: float) -> bool:
    """Whether its last producer is gone without having been stopped, or let it go without a change of its file."""
    server = camera.server
    if server is None or server.retired or camera.removed:
        return False
    return camera.let_go is not None or not server.alive(now)


def clock(wall: float) -> str:
    """A time of day that means the same to every reader."""
    return datetime.fromtimestamp(wall, UTC).strftime("%H:%M:%S UTC")
