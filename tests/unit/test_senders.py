"""Who sent a task is known by its queue; what the message says about itself steers nothing."""

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from broker import Delivery
from broker.properties import Properties, fields_of
from cli.senders.commands import client_url
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import MAX_CAMERA_ID, MAX_FRAME_ID
from contract.result import Result
from contract.senders import Sender
from contract.task import TaskHead
from contract.topology import Lane
from tests.helpers.images import encoded, task
from tests.helpers.one import One
from worker.arrival import Arrival
from worker.camera_quota import DAY_SECONDS, CameraQuota
from worker.detection import DecodedImage, Detections
from worker.detection.image import EVERYTHING
from worker.intake import Intake
from worker.messages import dead_letter, may_reply, reply_message, retry
from worker.processor import Computed, Expired, Failed, Given, Processed, Processor
from worker.sender_consumers import weights
from worker.sender_rules import too_many_pixels

SCHOOL = Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH), cameras=("gate-*",), models=("yunet",))
LIVE, BATCH, OF_SCHOOL = Intake(Lane.LIVE), Intake(Lane.BATCH), Intake(Lane.LIVE, SCHOOL)
TRIED = {"x-framefleet-attempts": 1}
BACK = {"x-death": [{"queue": "frame_queue.batch.retry.1s", "reason": "expired", "count": 1}]}


def delivery(
    headers: dict[str, Any], exchange: str = "", *, redelivered: bool = False, **properties: Any
) -> Delivery:
    method = SimpleNamespace(exchange=exchange, routing_key="", redelivered=redelivered)
    return Delivery(None, method, Properties(fields=fields_of(headers), **properties), b"body")


@pytest.mark.parametrize(
    ("intake", "exchange", "headers", "tried"),
    [
        (LIVE, "retry", TRIED, 1),
        (OF_SCHOOL, "retry", TRIED, 1),
        (BATCH, "", TRIED | BACK, 1),
        (LIVE, "", TRIED, 0),  # a plain client's
        (LIVE, "tasks", TRIED, 0),
        (BATCH, "", TRIED, 0),
        (BATCH, "tasks", TRIED | BACK, 0),  # RabbitMQ's word, forged: it came by no retry queue
        (BATCH, "", TRIED | {"x-death": [{"queue": "mine", "reason": "expired"}]}, 0),
        (OF_SCHOOL, "tasks.from.school", TRIED | BACK, 0),
        (OF_SCHOOL, "", TRIED | BACK, 0),
        (LIVE, "retry", {"x-framefleet-attempts": "many"}, 0),
    ],
)
def test_attempts_are_believed_only_where_only_we_can_have_written_them(
    intake: Intake, exchange: str, headers: dict[str, Any], tried: int
) -> None:
    arrival = Arrival(intake, delivery(headers, exchange))
    assert intake.tried(arrival.delivery) == tried
    assert arrival.again == bool(tried)


FORGED = {
    "x-framefleet-reason": "crashed",
    "x-framefleet-origin": "result_queue",
    "x-framefleet-node": "n-9",
    "x-framefleet-expiration": "1",
    "x-framefleet-anything": "else",
    "x-delivery-count": 4,
    "x-death": [{"queue": "frame_queue", "reason": "delivery_limit"}],
    "x-first-death-queue": "frame_queue",
    "theirs": "kept",
}


@pytest.mark.parametrize(
    ("intake", "letters"), [(LIVE, "frame_queue.dlq"), (OF_SCHOOL, "frame_queue.dlq.from.school")]
)
def test_a_dead_letter_tells_nothing_that_its_sender_wrote_as_if_it_were_ours(
    intake: Intake, letters: str
) -> None:
    failed = Failed(FailureReason.NOT_AN_IMAGE, "no")
    message = dead_letter(failed, delivery(FORGED, "tasks"), intake, "n-1")
    headers = message.properties.headers
    assert (message.exchange, message.routing_key) == ("", letters)
    assert headers.pop("x-framefleet-time")
    assert headers == {
        "x-framefleet-reason": "not_an_image",
        "x-framefleet-error": "no",
        "x-framefleet-origin": intake.queue,
        "x-framefleet-node": "n-1",
        "x-framefleet-attempts": 1,
        "theirs": "kept",
    }


def test_another_attempt_goes_by_the_exchange_that_makes_it_believed() -> None:
    first = retry(delivery(FORGED, "tasks.from.school", expiration="500"), OF_SCHOOL, OF_SCHOOL.retries[0])
    assert (first.exchange, first.routing_key) == ("retry", "frame_queue.from.school")
    assert first.headers is not None
    told = first.properties.headers
    assert told == {
        "x-framefleet-attempts": 1,
        "x-framefleet-expiration": "500",
        "theirs": "kept",
    }
    again = delivery(told, "retry", redelivered=True)
    last = dead_letter(Failed(FailureReason.CRASHED, "no"), again, OF_SCHOOL, "n-1").properties.headers
    assert (last["x-framefleet-attempts"], last["x-framefleet-expiration"]) == (2, "500")
    own = retry(delivery({}), LIVE, LIVE.retries[0])
    assert (own.exchange, own.routing_key) == ("retry", "frame_queue")


@pytest.mark.parametrize(
    ("reply_to", "trusted", "named"),
    [
        ("amq.rabbitmq.reply-to.g1h2", True, True),
        ("sender.school.replies", True, True),
        ("sender.schoolmaster.replies", True, False),
        ("sender.school", True, False),
        ("another.application", True, False),
        (b"sender.school.\xff", True, False),
        ("result_queue", False, False),
        ("frame_queue.from.school", False, False),
        ("amq.rabbitmq.reply-to", False, False),
    ],
)
def test_replies_of_a_sender_go_to_itself_only(reply_to: str | bytes, *, trusted: bool, named: bool) -> None:
    assert may_reply(reply_to, LIVE) is trusted
    assert may_reply(reply_to, OF_SCHOOL) is named


# --- names and limits -------------------------------------------------------------------------------------

PNG = encoded(np.zeros((40, 60, 3), np.uint8), ".png")


class Blank:
    name, model, wants = "blank", "blank@00000000", EVERYTHING

    def detect(self, image: DecodedImage) -> Detections:
        return Detections.none()


def compute(sender: Sender | None, waited: float = 0.1, **fields: Any) -> Processed:
    processor = Processor(One(Blank()), "n-1", staleness=2.0, max_pixels=10**6)
    given = Given(task(PNG, **fields), None, {}, "m-1", waited, sender)
    assert pickle.loads(pickle.dumps(given)) == given  # noqa: S301 - it goes to the child that computes suspects
    return processor.process_many([given])[0]


def result_of(outcome: Processed) -> Result:
    assert isinstance(outcome, Computed | Expired)
    return outcome.result


@pytest.mark.parametrize("waited", [0.1, 9.0])
@pytest.mark.parametrize(
    ("fields", "camera_id", "frame_id"),
    [
        ({}, "school", "school:m-1"),
        ({"camera_id": "default"}, "school", "school:m-1"),
        ({"camera_id": "yard", "frame_id": "demo:1"}, "school-yard", "school:demo:1"),
        ({"camera_id": "school-yard", "frame_id": "school:1"}, "school-yard", "school:1"),
        ({"camera_id": "gate-3"}, "gate-3", "school:m-1"),  # the operator allows it
        ({"camera_id": "demo-1"}, "school-demo-1", "school:m-1"),
        ({"camera_id": "schools"}, "school-schools", "school:m-1"),
    ],
)
def test_cameras_and_frames_of_a_sender_bear_its_name(
    fields: dict[str, Any], camera_id: str, frame_id: str, waited: float
) -> None:
    result = result_of(compute(SCHOOL, waited, **fields))
    assert (result.camera_id, result.frame_id, result.sender) == (camera_id, frame_id, "school")
    assert result.status == ("ok" if waited < 1 else "expired")


def test_a_trusted_sender_has_no_name_and_its_own_words_hold() -> None:
    outcome = compute(None, camera_id="yard", frame_id="demo:1", model="anything")
    result = result_of(outcome)
    assert (result.camera_id, result.frame_id) == ("yard", "demo:1")
    assert b'"sender"' not in reply_of(LIVE, result)[1]


def test_long_names_stay_different_or_are_refused() -> None:
    one, other = (SCHOOL.frame("x" * 195 + end) for end in ("1", "2"))
    assert len(one) == len(other) == MAX_FRAME_ID
    assert one != other
    assert len(SCHOOL.camera("x" * 57)) == MAX_CAMERA_ID
    with pytest.raises(InvalidTask, match="choose a shorter one"):
        SCHOOL.camera("x" * 58)
    refused = compute(SCHOOL, camera_id="x" * 58)
    assert isinstance(refused, Failed)
    assert refused.reason is FailureReason.INVALID_TASK


def reply_of(intake: Intake, result: Result, **sent: Any) -> tuple[str | bytes | None, bytes]:
    asked = delivery({}, reply_to="amq.rabbitmq.reply-to.g1", **sent)
    head = TaskHead(timestamp=1.0, camera_id="c", frame_id="demo:1")
    reply = reply_message(result, Arrival(intake, asked, head))
    assert reply is not None
    return reply.correlation_id, reply.body


def test_a_reply_is_recognised_by_the_name_that_the_sender_gave() -> None:
    result = result_of(compute(SCHOOL, frame_id="demo:1"))
    assert reply_of(OF_SCHOOL, result)[0] == "demo:1"
    assert reply_of(OF_SCHOOL, result, correlation_id="c-1")[0] == "c-1"


@pytest.mark.parametrize("model", ["auto", "yunet"])
def test_models_that_a_sender_may_name(model: str) -> None:
    assert isinstance(compute(SCHOOL, model=model), Computed)


@pytest.mark.parametrize("model", ["haar", "yunet,haar:vote"])
def test_a_model_that_a_sender_may_not_name_is_refused_and_says_what_to_ask_for(model: str) -> None:
    outcome = compute(SCHOOL, model=model)
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.NOT_ALLOWED
    assert "ask the operator for haar (framefleet senders set school --models …)" in outcome.error


def test_a_picture_may_have_as_many_pixels_as_its_sender_may_send() -> None:
    small = Sender(name="school", max_pixels=60 * 40 - 1)
    outcome = compute(small)
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.TOO_MANY_PIXELS
    assert "the limit is 2399 for the sender school: " in outcome.error
    assert "ask the operator (framefleet senders set school --max-pixels …)" in outcome.error
    assert isinstance(compute(Sender(name="school", max_pixels=60 * 40)), Computed)
    assert isinstance(compute(None), Computed)
    generous = too_many_pixels("1001x1000", 10**6, SCHOOL)
    assert generous.startswith("1001x1000 (WORKER_MAX_PIXELS): "), "the worker's limit is the smaller one"


def test_a_day_has_so_many_cameras() -> None:
    now = 0.0
    quota, two = CameraQuota(lambda: now), Sender(name="school", max_cameras=2)
    assert [quota.admit(two, camera) for camera in ("a", "b", "c", "a")] == [True, True, False, True]
    assert quota.admit(Sender(name="other", max_cameras=1), "c")  # each has its own
    now = DAY_SECONDS / 2
    assert quota.admit(two, "a")
    now = DAY_SECONDS + 1
    assert [quota.admit(two, camera) for camera in ("c", "b", "a")] == [True, False, True]
    quota.keep([])
    assert quota.admit(two, "d")


def test_the_lane_keeps_what_the_senders_leave_and_never_nothing() -> None:
    assert weights(Lane.LIVE, []) == {"frame_queue": 1.0}
    assert weights(Lane.LIVE, [SCHOOL]) == {"frame_queue": 0.9, "frame_queue.from.school": 0.1}
    greedy = [Sender(name=name, share=0.8) for name in ("a", "b")]
    assert weights(Lane.LIVE, greedy)["frame_queue"] == 0.1


def test_the_url_to_paste_is_the_machines_in_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_PORT", "28072")
    assert (
        client_url("amqp://framefleet:x@rabbitmq:5672/", "school", "p") == "amqp://school:p@127.0.0.1:28072/"
    )
    assert client_url("amqp://a:b@broker.example/v", "school", "p") == "amqp://school:p@broker.example:5672/v"
