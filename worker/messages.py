"""The messages a worker publishes: what came of a delivery, as the broker's topology wants it."""

import time
from typing import Any

from broker import Delivery, Message
from contract.result import Result, encode_result
from contract.task import image_type
from contract.topology import DEAD_LETTER_QUEUE, RESULTS_EXCHANGE, WATCH_EXCHANGE
from worker.processor import Computed, Failed

HEADER_PREFIX = "x-framefleet-"
ERROR_LENGTH = 500


def result_message(result: Result) -> Message:
    """The result for everybody, kept by the broker."""
    return Message(RESULTS_EXCHANGE, result.camera_id, encode_result(result), message_id=result.frame_id)


def reply_message(result: Result, delivery: Delivery) -> Message | None:
    """The same result for whoever asked with `reply_to` (AMQP's request and reply); transient."""
    if not delivery.reply_to:
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
    """The frame together with its own result, for those who watch the camera; transient."""
    return Message(
        WATCH_EXCHANGE,
        computed.result.camera_id,
        computed.image,
        content_type=image_type(computed.image),
        headers={"result": encode_result(computed.result).decode()},
        message_id=computed.result.frame_id,
        persistent=False,
        mandatory=False,
    )


def dead_letter(failed: Failed, delivery: Delivery, node_id: str) -> Message:
    """The message as it came, with why it could not be computed in its headers."""
    headers: dict[str, Any] = dict(delivery.headers)
    headers.update(
        {
            f"{HEADER_PREFIX}reason": failed.reason.value,
            f"{HEADER_PREFIX}error": failed.error[:ERROR_LENGTH],
            f"{HEADER_PREFIX}origin": delivery.routing_key,
            f"{HEADER_PREFIX}node": node_id,
            f"{HEADER_PREFIX}time": time.time(),
        }
    )
    return Message(
        "",
        DEAD_LETTER_QUEUE,
        delivery.body,
        content_type=delivery.content_type or "application/octet-stream",
        headers=headers,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
    )
