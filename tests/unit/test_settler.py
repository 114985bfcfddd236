"""What raises while a frame is settled costs that frame, which becomes a dead letter: no other, and not the thread."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from broker import Consumer, Delivery, Message, Outcome
from broker.properties import Properties, read, write
from contract.dead_letters import ERROR, REASON
from contract.failures import FailureReason
from contract.identifiers import CANARY_CAMERA
from contract.result import FailedReply, Result, parse_reply, parse_result
from contract.status import WatchAnnouncement
from contract.task import TaskHead
from contract.topology import DEAD_LETTER_QUEUE, RETRY_EXCHANGE, Lane
from worker import settler
from worker.arrival import Arrival, Completion
from worker.heartbeat import Tally
from worker.intake import Intake
from worker.newest_frames import NewestFrames
from worker.processor import Computed, Expired, Failed, Processed
from worker.recent_frames import RecentFrames
from worker.settler import Settler
from worker.watched_cameras import WatchedCameras

RESULT = Result(
    timestamp=1.0,
    original_timestamp=1.0,
    node_id="n",
    detections=[],
    camera_id="c",
    frame_id="f",
    width=1,
    height=1,
    model="m",
    status="ok",
    processing_seconds=0.0,
    queue_seconds=0.0,
)


class FakeChannel:
    """Where deliveries are settled."""

    is_open = True

    def __init__(self) -> None:
        self.settled: list[tuple[str, int]] = []

    def basic_ack(self, tag: int) -> None:
        self.settled.append(("ack", tag))

    def basic_reject(self, tag: int, *, requeue: bool) -> None:
        self.settled.append(("requeue" if requeue else "reject", tag))


class FakePublisher:
    """Keeps messages with whoever wants to know their outcome."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, Callable[[Outcome], None] | None]] = []

    def publish(self, message: Message, done: Callable[[Outcome], None] | None = None) -> None:
        self.sent.append((message, done))

    def tell(self, outcome: Outcome) -> Message:
        message, done = self.sent.pop()
        if done is not None:
            done(outcome)
        return message


class FakeMetrics:
    """Counts outcomes; may raise."""

    def __init__(self) -> None:
        self.counted: list[Processed] = []
        self.raises = False

    def settled(self, outcome: Processed, **_figures: object) -> None:
        if self.raises:
            raise ZeroDivisionError
        self.counted.append(outcome)

    def retried(self, *_what: object) -> None:
        """Not looked at."""


class Desk:
    """A settler among fakes."""

    def __init__(self) -> None:
        self.channel, self.publisher, self.metrics = FakeChannel(), FakePublisher(), FakeMetrics()
        self.released = 0
        self.tally = Tally()
        self.later: list[Callable[[], None]] = []
        link = SimpleNamespace(loop=SimpleNamespace(call_later=lambda _delay, then: self.later.append(then)))
        watched = WatchedCameras(lambda: 0.0)
        watched.hear(WatchAnnouncement(gateway_id="g", cameras=[CANARY_CAMERA], ttl=60))
        make: Any = Settler
        self.settler: Settler = make(
            self.publisher,
            link,
            "n-1",
            watched,
            RecentFrames(lambda: 0.0),
            NewestFrames(lambda: 0.0),
            self.metrics,
            self.tally,
            self._release,
        )

    def settle(self, outcome: Processed, **sent: Any) -> None:
        method = SimpleNamespace(delivery_tag=7, exchange="", redelivered=False)
        delivery = Delivery(self.channel, method, Properties(message_id="m", **sent), b"body")
        self.settler.settle(Completion(Arrival(Intake(Lane.LIVE), delivery), outcome, 0.0))

    def settle_canary(self, outcome: Processed, reply_to: str | None = "amq.gen-gateway") -> None:
        method = SimpleNamespace(delivery_tag=7, exchange="", redelivered=False)
        sent = Properties(message_id="m", reply_to=reply_to, correlation_id="secret")
        head = TaskHead(timestamp=1.0, camera_id=CANARY_CAMERA, frame_id="canary:1")
        arrival = Arrival(
            Intake(Lane.LIVE), Delivery(self.channel, method, sent, b"body"), head, CANARY_CAMERA
        )
        self.settler.settle(Completion(arrival, outcome, 0.0))

    def _release(self, _arrival: Arrival) -> None:
        self.released += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(message: Message) -> dict[str, Any]:
    assert message.routing_key == DEAD_LETTER_QUEUE
    return read(write(message.properties)).headers


def test_a_result_that_cannot_be_written_becomes_a_dead_letter(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(result: Result) -> Message:
        raise ValueError("surrogates not allowed")

    monkeypatch.setattr(settler, "result_message", raises)
    desk.settle(Computed(RESULT, b""))
    headers = told(desk.publisher.tell(Outcome.CONFIRMED))
    assert (headers[REASON], headers[ERROR]) == ("worker_error", "ValueError: surrogates not allowed")
    assert desk.channel.settled == [("ack", 7)]
    assert desk.released == 1
    assert isinstance(desk.metrics.counted[0], Failed)


def test_if_even_that_raises_the_broker_dead_letters_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_given: object) -> Message:
        raise ValueError

    monkeypatch.setattr(settler, "result_message", raises)
    monkeypatch.setattr(settler, "dead_letter", raises)
    desk.settle(Computed(RESULT, b""))
    assert desk.channel.settled == [("reject", 7)]
    assert desk.released == 1


def test_what_rabbitmq_refuses_is_not_sent_for_ever(desk: Desk) -> None:
    desk.settle(Computed(RESULT, b""))
    desk.publisher.tell(Outcome.REFUSED)
    headers = told(desk.publisher.tell(Outcome.REFUSED))
    assert headers[ERROR] == "RabbitMQ refuses to take its result"
    assert desk.channel.settled == [("reject", 7)]
    assert desk.released == 1


def test_counting_that_raises_holds_no_frame(desk: Desk) -> None:
    desk.metrics.raises = True
    desk.settle(Failed(FailureReason.NOT_JSON, "no"))
    desk.publisher.tell(Outcome.CONFIRMED)
    assert desk.channel.settled == [("ack", 7)]
    assert desk.released == 1


ASKED = {"reply_to": "amq.rabbitmq.reply-to.g1", "correlation_id": "c-1"}
NO = Failed(FailureReason.NOT_JSON, "the body is a form: write JSON")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_dead_letter_is_answered_once_it_is_confirmed_whatever_becomes_of_the_answer(
    desk: Desk, outcome: Outcome
) -> None:
    desk.settle(NO, **ASKED)
    ((letter, told_of_letter),) = desk.publisher.sent
    assert letter.routing_key == DEAD_LETTER_QUEUE
    assert told_of_letter is not None
    desk.publisher.sent.clear()
    told_of_letter(Outcome.CONFIRMED)
    settled = ([("ack", 7)], 1, [NO], 1)
    assert (desk.channel.settled, desk.released, desk.metrics.counted, desk.tally.failed) == settled
    answer = desk.publisher.tell(outcome)
    assert (answer.exchange, answer.routing_key, answer.correlation_id) == ("", ASKED["reply_to"], "c-1")
    reply = parse_reply(answer.body)
    assert isinstance(reply, FailedReply)
    assert (reply.reason, reply.error, reply.frame_id) == ("not_json", NO.error, "m")
    assert (desk.publisher.sent, desk.later) == ([], [])
    assert (desk.channel.settled, desk.released, desk.metrics.counted, desk.tally.failed) == settled


def test_nobody_is_answered_before_the_last_attempt_or_the_confirm(desk: Desk) -> None:
    desk.settle(Failed(FailureReason.DETECTOR_ERROR, "no"), **ASKED)
    assert desk.publisher.tell(Outcome.CONFIRMED).exchange == RETRY_EXCHANGE
    desk.settle(NO, **ASKED)
    desk.publisher.tell(Outcome.REJECTED)
    assert desk.publisher.sent == []


def test_what_the_broker_dead_letters_itself_is_answered_too(desk: Desk) -> None:
    desk.settle(NO, **ASKED)
    desk.publisher.tell(Outcome.REFUSED)
    assert desk.channel.settled == [("reject", 7)]
    assert parse_reply(desk.publisher.tell(Outcome.DISCONNECTED).body).status == "failed"
    assert desk.released == 1


def test_an_answer_that_cannot_be_made_holds_no_frame(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_given: object) -> Message:
        raise ValueError

    monkeypatch.setattr(settler, "failed_reply", raises)
    desk.settle(NO, **ASKED)
    desk.publisher.tell(Outcome.CONFIRMED)
    assert (desk.channel.settled, desk.released, desk.metrics.counted) == ([("ack", 7)], 1, [NO])


def test_a_dead_letter_that_nobody_asked_about_brings_no_answer(desk: Desk) -> None:
    for asked in ({}, {"reply_to": "frame_queue"}, {"reply_to": "result_queue"}):
        desk.settle(NO, **asked)
        desk.publisher.tell(Outcome.CONFIRMED)
        assert desk.publisher.sent == []


def test_all_that_is_settled_is_counted_for_the_books(desk: Desk) -> None:
    for outcome in (
        Computed(RESULT, b""),
        Expired(RESULT),
        Failed(FailureReason.NOT_JSON, "no"),
        Expired(RESULT),
    ):
        desk.settle(outcome)
        desk.publisher.tell(Outcome.CONFIRMED)
    assert (desk.tally.processed, desk.tally.failed, desk.tally.expired) == (1, 1, 2)


def test_a_delivery_is_settled_once() -> None:
    """RabbitMQ closes the channel, with all that it holds, for the second time."""
    channel = FakeChannel()
    delivery = Delivery(channel, SimpleNamespace(delivery_tag=1), Properties(), b"")
    assert delivery.ack()
    assert not delivery.ack()
    assert not delivery.reject()
    assert channel.settled == [("ack", 1)]


@pytest.mark.parametrize("no_ack", [True, False])
def test_a_message_that_cannot_be_handled_is_refused_and_costs_no_other(no_ack: bool) -> None:
    heard: list[bytes] = []

    def handle(delivery: Delivery) -> None:
        if delivery.body == b"bad":
            raise ZeroDivisionError
        heard.append(delivery.body)

    class Subscribing(FakeChannel):
        def basic_consume(self, _name: str, received: Any, **_given: object) -> None:
            for tag, body in enumerate((b"bad", b"good")):
                received(self, SimpleNamespace(delivery_tag=tag, exchange=""), Properties(), body)

    channel = Subscribing()
    Consumer("q", handle, no_ack=no_ack)._consume(channel, "q")
    assert heard == [b"good"]
    assert channel.settled == ([] if no_ack else [("reject", 0)])


CANARY = structs.replace(RESULT, camera_id=CANARY_CAMERA, frame_id="canary:1")


def counted(desk: Desk) -> list[Any]:
    return [*desk.metrics.counted, desk.tally.processed, desk.tally.failed, desk.tally.expired]


def test_a_canary_is_replied_to_alone_then_acknowledged_and_not_counted(desk: Desk) -> None:
    """No result for everybody, and no picture, although somebody watches a camera of that name."""
    desk.settle_canary(Computed(CANARY, b""))
    ((message, _),) = desk.publisher.sent
    assert (message.exchange, message.routing_key, message.correlation_id) == (
        "",
        "amq.gen-gateway",
        "secret",
    )
    assert parse_result(message.body) == CANARY
    assert desk.channel.settled == []
    desk.publisher.tell(Outcome.CONFIRMED)
    assert (desk.channel.settled, desk.released) == ([("ack", 7)], 1)
    assert counted(desk) == [0, 0, 0]


@pytest.mark.parametrize(
    "outcome", [Outcome.REJECTED, Outcome.UNROUTABLE, Outcome.REFUSED, Outcome.TIMED_OUT]
)
def test_a_reply_queue_that_is_gone_or_full_holds_no_worker(desk: Desk, outcome: Outcome) -> None:
    desk.settle_canary(Computed(CANARY, b""))
    desk.publisher.tell(outcome)
    assert (desk.channel.settled, desk.released, desk.later) == ([("ack", 7)], 1, [])


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.DISCONNECTED])
def test_a_reply_that_was_not_sent_is_sent_again(desk: Desk, outcome: Outcome) -> None:
    desk.settle_canary(Computed(CANARY, b""))
    desk.publisher.tell(outcome)
    assert desk.channel.settled == []
    desk.later.pop()()
    desk.publisher.tell(Outcome.CONFIRMED)
    assert (desk.channel.settled, desk.released) == ([("ack", 7)], 1)


def test_a_canary_that_cannot_be_computed_is_answered_and_no_dead_letter(desk: Desk) -> None:
    desk.settle_canary(Failed(FailureReason.DETECTOR_ERROR, "no"))
    answer = parse_result(desk.publisher.tell(Outcome.CONFIRMED).body)
    assert (answer.status, answer.hop, answer.reason) == ("expired", "worker", "detector_error")
    assert (answer.frame_id, answer.original_timestamp, answer.node_id) == ("canary:1", 1.0, "n-1")
    assert desk.channel.settled == [("ack", 7)]
    assert counted(desk) == [0, 0, 0]


@pytest.mark.parametrize("reply_to", [None, "result_queue", DEAD_LETTER_QUEUE, "amq.rabbitmq.reply-to"])
def test_a_canary_that_nobody_asked_for_is_acknowledged(desk: Desk, reply_to: str | None) -> None:
    desk.settle_canary(Computed(CANARY, b""), reply_to)
    assert desk.publisher.sent == []
    assert (desk.channel.settled, desk.released) == ([("ack", 7)], 1)


def test_a_canary_is_acknowledged_only_when_the_broker_has_agreed_to_stop(desk: Desk) -> None:
    desk.settler.keep_acknowledgements()
    desk.settle_canary(Computed(CANARY, b""))
    desk.publisher.tell(Outcome.CONFIRMED)
    assert desk.channel.settled == []
    desk.settler.release_acknowledgements()
    assert desk.channel.settled == [("ack", 7)]
    assert counted(desk) == [0, 0, 0]
