"""Who asked for the result of a frame that became a dead letter is told why, as far as it may be told."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from broker import Delivery
from broker.properties import Properties
from contract.failures import FailureReason
from contract.identifiers import MAX_FRAME_ID
from contract.result import FailedReply, parse_reply, parse_result
from contract.senders import Sender
from contract.task import TaskHead
from contract.topology import Lane
from gateway.live.results import parse_received
from worker.arrival import Arrival
from worker.failed_replies import failed_reply
from worker.intake import Intake
from worker.processor import Failed

LIVE = Intake(Lane.LIVE)
OF_SCHOOL = Intake(Lane.LIVE, Sender(name="school", cameras=("gate-*",)))
DIRECT = "amq.rabbitmq.reply-to.g1"


def delivery(body: bytes = b"", **sent: Any) -> Delivery:
    method = SimpleNamespace(exchange="", routing_key="", redelivered=False)
    return Delivery(None, method, Properties(**sent), body)


def failure_of(
    intake: Intake, body: bytes = b"", head: TaskHead | None = None, error: str = "no", **sent: Any
) -> tuple[str | bytes | None, FailedReply]:
    asked = delivery(body, reply_to=DIRECT, **sent)
    reason = FailureReason.DETECTOR_ERROR if error.startswith("/") else FailureReason.INVALID_TASK
    message = failed_reply(Failed(reason, error), Arrival(intake, asked, head), "n-1")
    assert message is not None
    reply = parse_reply(message.body)
    assert isinstance(reply, FailedReply)
    assert (reply.detections, reply.width, reply.height, reply.schema) == ([], 0, 0, 1)
    return message.correlation_id, reply


@pytest.mark.parametrize(
    ("body", "sent", "camera_id", "frame_id", "own"),
    [
        (b'{"camera_id": "yard", "frame_id": "f-1"}', {}, "school-yard", "school:f-1", "f-1"),
        (b'{"camera_id": "gate.3", "frame_id": 7}', {"message_id": "m-1"}, "school", "school:m-1", "m-1"),
        (b'{"camera_id": "' + b"x" * 60 + b'"}', {"message_id": "m"}, "school", "school:m", "m"),
        (b"\xff\xfe", {"message_id": "m" * 250}, "school", None, None),
        (b"", {}, "school", "school:default:e3b0c44298fc1c14", "default:e3b0c44298fc1c14"),
    ],
)
def test_an_answer_names_camera_and_frame_as_far_as_they_can_be_read(
    body: bytes, sent: dict[str, Any], camera_id: str, frame_id: str | None, own: str | None
) -> None:
    correlation_id, reply = failure_of(OF_SCHOOL, body, **sent)
    assert (reply.camera_id, reply.sender) == (camera_id, "school")
    assert 0 < len(reply.frame_id) <= MAX_FRAME_ID
    assert reply.frame_id == (frame_id or reply.frame_id)
    assert correlation_id == (own or correlation_id)
    assert failure_of(OF_SCHOOL, body, correlation_id="c-1", **sent)[0] == "c-1"
    assert reply.original_timestamp == 0.0
    head = TaskHead(timestamp=7.0, camera_id="gate-3", frame_id="g")
    known = failure_of(OF_SCHOOL, body, head, **sent)[1]
    assert (known.original_timestamp, known.camera_id, known.frame_id) == (7.0, "gate-3", "school:g")


def test_what_our_code_raised_is_told_to_trusted_senders_only() -> None:
    ours = "/srv/models/x.onnx: no"
    assert failure_of(LIVE, error=ours)[1].error == ours
    told = failure_of(OF_SCHOOL, error=ours)[1].error
    assert "srv" not in told
    assert "--sender school" in told
    assert failure_of(OF_SCHOOL, error="what to write")[1].error == "what to write"
    assert failure_of(OF_SCHOOL, error="\udc80" * 900)[1].error == "?" * 500


@pytest.mark.parametrize("reply_to", [None, "frame_queue", "sender.nobody.replies", "amq.rabbitmq.reply-to"])
def test_a_failure_is_answered_nowhere_else(reply_to: str | None) -> None:
    arrival = Arrival(OF_SCHOOL, delivery(reply_to=reply_to))
    assert failed_reply(Failed(FailureReason.EMPTY, "no"), arrival, "n-1") is None


def test_a_failure_is_no_result_for_anybody_else() -> None:
    forged = msgspec.json.encode(failure_of(LIVE)[1])
    for read in (parse_result, parse_received):
        with pytest.raises(ValueError, match="status"):
            read(forged)
