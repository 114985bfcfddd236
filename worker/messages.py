"""The messages a worker publishes: what came of a delivery, as the broker's topology wants it."""

import time
from typing import Any

from broker import Delivery, Message
from contract import dead_letters
from contract.picture import picture_extent
from contract.result import Result, encode_result
from contract.topology import DEAD_LETTER_QUEUE, RESULTS_EXCHANGE, TOPOLOGY, WATCH_EXCHANGE
from worker.processor import Computed, Failed

ERROR_LENGTH = 500
OURS = frozenset(queue.name for queue in TOPOLOGY.queues)


def result_message(result: Result) -> Message:
    """The result for everybody, kept by the broker."""
    return Message(RESULTS_EXCHANGE, result.camera_id, encode_result(result), message_id=result.frame_id)


def reply_message(result: Result, delivery: Delivery) -> Message | None:
    """The same result for whoever asked with `reply_to` (AMQP's request and reply); transient.

    Never to a queue of ours: who may only send tasks must not make us write there for them.
    """
    if not delivery.reply_to or delivery.reply_to in OURS:
        return None
    return Message(
        "",
        delivery.reply_to,
        encode_result(result),
        message_id=result.frame_id,
        correlation_id=delivery.correlation_id or result.frame_id,
        persistent=False,
        mandatory=False,
    )


def picture_message(computed: Computed) -> Message:
    """The frame together with its own result, for those who watch the camera; transient.

    Browsers want the picture alone, from its first byte on, whatever the sender had around it.
    """
    found = picture_extent(computed.image)
    return Message(
        WATCH_EXCHANGE,
        computed.result.camera_id,
        found.cut(computed.image),
        content_type=found.content_type,
        headers={"result": encode_result(computed.result).decode()},
        message_id=computed.result.frame_id,
        persistent=False,
        mandatory=False,
    )


def dead_letter(failed: Failed, delivery: Delivery, node_id: str) -> Message:
    """The message as it came, with why it could not be computed in its headers."""
    return _again(
        delivery,
        DEAD_LETTER_QUEUE,
        {
            dead_letters.REASON: failed.reason.value,
            dead_letters.ERROR: failed.error[:ERROR_LENGTH],
            dead_letters.ORIGIN: delivery.routing_key,
            dead_letters.NODE: node_id,
            dead_letters.TIME: time.time(),
            dead_letters.ATTEMPTS: _attempts(delivery),
        },
    )


def retry(delivery: Delivery, queue: str) -> Message:
    """The message as it came, on its way to the next attempt by `queue`."""
    return _again(delivery, queue, {dead_letters.ATTEMPTS: _attempts(delivery)})


def _attempts(delivery: Delivery) -> int:
    """How often the frame was tried, this time and those that ended with their worker included."""
    before = delivery.headers.get("x-delivery-count", 0)  # the broker's count of what came back unsettled
    return dead_letters.attempts(delivery.headers) + (before if isinstance(before, int) else 0) + 1


def _again(delivery: Delivery, queue: str, headers: dict[str, Any]) -> Message:
    kept = {name: value for name, value in delivery.headers.items() if name != "x-delivery-count"}
    return Message(
        "",
        queue,
        delivery.body,
        content_type=delivery.content_type or "application/octet-stream",
        headers=kept | headers,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
        reply_to=delivery.reply_to,
        app_id=delivery.app_id,
    )
