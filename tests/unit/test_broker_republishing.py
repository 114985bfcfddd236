"""A message published again: all that its sender wrote, and nothing that routes."""

from types import SimpleNamespace
from typing import Any

from broker import Delivery, tables
from broker.properties import Properties, fields_of, read, write
from broker.republishing import again
from broker.tables import Raw
from contract.dead_letters import is_brokers_own, is_trace
from contract.failures import FailureReason
from contract.result import Result
from contract.topology import Lane
from worker.arrival import Arrival
from worker.intake import Intake
from worker.messages import dead_letter, reply_message, retry
from worker.processor import Failed

SENT: dict[str, Any] = {
    "content_type": "image/jpeg",
    "content_encoding": "identity",
    "priority": 3,
    "correlation_id": b"\xfc" * 200,
    "reply_to": "amq.rabbitmq.reply-to.g1",
    "message_id": b"\xff" * 255,
    "timestamp": 1_795_216_000,
    "type": "frame",
    "app_id": "an app",
    "cluster_id": "c",
}
LIVE, BATCH = Intake(Lane.LIVE), Intake(Lane.BATCH)
FIELDS = (
    (b"timestamp", Raw(b"d" + b"\x41\xda\xc0\x34\xa0\x10\x00\x00")),
    (b"when", Raw(b"T\x00\x00\x01\xa1\xfe\xa6\x10\x00")),
    (b"float", Raw(b"f\x3f\x80\x00\x00")),
    (b"\xff", Raw(b"x\x00\x00\x00\x01\x00")),
)


def delivery(*fields: tuple[bytes, Raw], **properties: Any) -> Delivery:
    method = SimpleNamespace(exchange="", routing_key="result_queue", redelivered=False)
    return Delivery(None, method, Properties(fields=FIELDS + fields, **(SENT | properties)), b"body")


def test_all_that_the_sender_wrote_is_there_byte_for_byte() -> None:
    message = again(delivery(user_id="somebody"), "q")
    assert (message.exchange, message.routing_key, message.body) == ("", "q", b"body")
    assert message.properties == Properties(delivery_mode=2, fields=FIELDS, **SENT)
    assert read(write(message.properties)) == message.properties


def test_nothing_routes_and_nothing_counts() -> None:
    routes = Raw(tables.encode(["result_queue"]))
    dropped = [(name, routes) for name in (b"CC", b"BCC", b"CC", b"x-delivery-count", b"x-acquired-count")]
    assert again(delivery(*dropped), "q").properties.fields == FIELDS
    same_letters = (b"cc", Raw(tables.encode("copied to the archive")))
    assert again(delivery(same_letters), "q").properties.fields == (*FIELDS, same_letters)


def test_no_clock_runs_where_it_is_published_again() -> None:
    kept = again(delivery(expiration="60000"), "q").properties
    assert kept.expiration is None
    assert kept.headers["x-framefleet-expiration"] == "60000"
    replayed = again(Delivery(None, None, kept, b"body"), "q", without=is_trace).properties
    assert (replayed.expiration, replayed.fields) == (None, FIELDS)


def test_what_closes_a_channel_does_not_go_along() -> None:
    properties = again(delivery(reply_to="amq.rabbitmq.reply-to", user_id="somebody"), "q").properties
    assert (properties.reply_to, properties.user_id) == (None, None)


def test_a_message_without_headers_stays_one() -> None:
    bare = Delivery(None, None, Properties(), b"")
    assert again(bare, "q").properties == Properties(delivery_mode=2)
    empty = Delivery(None, None, Properties(fields=()), b"")
    assert again(empty, "q").properties.fields == ()


def test_a_dead_letter_tells_our_word_and_the_queue_it_was_taken_from() -> None:
    forged = fields_of(
        {
            "x-framefleet-origin": "result_queue",
            "x-framefleet-attempts": 2**63 - 1,
            "x-delivery-count": -5,
            "x-death": [{"queue": "mine"}],
        }
    )
    failed = Failed(FailureReason.NOT_JSON, "\ud800" * 600)
    headers = dead_letter(failed, delivery(*forged), LIVE, "n-1").properties.headers
    assert headers["x-framefleet-reason"] == "not_json"
    assert headers["x-framefleet-error"] == "?" * 500
    assert headers["x-framefleet-origin"] == "frame_queue"
    assert headers["x-framefleet-attempts"] == 1
    assert "x-death" not in headers  # it would be taken for RabbitMQ's word


def test_another_attempt_takes_no_death_along() -> None:
    """By a foreign `x-death` RabbitMQ would take its return to the lane for a cycle, and drop it."""
    forged = fields_of(
        {"x-death": [{"queue": "frame_queue.batch", "reason": "expired"}], "x-first-death-queue": 1}
    )
    message = retry(delivery(*forged), BATCH, "frame_queue.batch.retry.1s")
    headers = message.properties.headers
    assert message.exchange == ""
    assert not any(is_brokers_own(name) for name in headers)
    assert headers["x-framefleet-attempts"] == 1


def test_a_reply_goes_back_byte_for_byte_and_never_to_a_queue_of_ours() -> None:
    result = Result(
        timestamp=1.0,
        original_timestamp=1.0,
        node_id="n",
        detections=[],
        camera_id="c",
        frame_id="ü" * 200,
        width=1,
        height=1,
        model="m",
        status="ok",
        processing_seconds=0.0,
        queue_seconds=0.0,
    )
    reply = reply_message(result, Arrival(LIVE, delivery(reply_to=b"\xfc" * 255)))
    assert reply is not None
    assert (reply.routing_key, reply.correlation_id) == (b"\xfc" * 255, b"\xfc" * 200)
    for ours in ("result_queue", "frame_queue.dlq", "result_queue.upgrade", "amq.rabbitmq.reply-to", ""):
        assert reply_message(result, Arrival(LIVE, delivery(reply_to=ours))) is None


def test_another_body_is_not_said_to_be_packed() -> None:
    packed = delivery(content_encoding="gzip")
    assert again(packed, "q", body=b"body").properties.content_encoding == "gzip"
    assert again(packed, "q", body=b"{}").properties.content_encoding is None
