"""The messages a worker publishes: what came of a delivery, as the broker's topology wants it."""

import time

from broker import Delivery, Message
from broker.republishing import DIRECT_REPLY, again
from contract import dead_letters
from contract.picture import picture_extent
from contract.result import Result, encode_result
from contract.topology import DEAD_LETTER_QUEUE, RESULTS_EXCHANGE, TOPOLOGY, WATCH_EXCHANGE
from worker.processor import Computed, Failed

ERROR_LENGTH = 500
MOST_ATTEMPTS = 1_000_000  # more than any limit: a sender may have written the header
OURS = tuple(f"{queue.name}." for queue in TOPOLOGY.queues)
"""The queues that no reply goes to, with what is named after them (`result_queue.upgrade`)."""


def result_message(result: Result) -> Message:
    """The result for everybody, kept by the broker."""
    return Message(RESULTS_EXCHANGE, result.camera_id, encode_result(result), message_id=result.frame_id)


def reply_message(result: Result, delivery: Delivery) -> Message | None:
    """Address the same result to whoever asked with `reply_to` (AMQP's request and reply); transient.

    Never to a queue of ours: who may only send tasks must not make us write there for them.
    """
    reply_to = delivery.properties.reply_to
    if (
        not reply_to
        or reply_to == DIRECT_REPLY
        or (isinstance(reply_to, str) and f"{reply_to}.".startswith(OURS))
    ):
        return None
    return Message(
        "",
        reply_to,
        encode_result(result),
        message_id=result.frame_id,
        correlation_id=delivery.properties.correlation_id or result.frame_id,
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


def dead_letter(failed: Failed, delivery: Delivery, queue: str, node_id: str) -> Message:
    """The message as it came by `queue`, with why it could not be computed in its headers."""
    told = {
        dead_letters.REASON: failed.reason.value,
        dead_letters.ERROR: failed.error[:ERROR_LENGTH],
        dead_letters.ORIGIN: queue,
        dead_letters.NODE: node_id,
        dead_letters.TIME: repr(time.time()),  # as text: pika cuts a double to whole seconds
        dead_letters.ATTEMPTS: _attempts(delivery),
    }
    return again(delivery, DEAD_LETTER_QUEUE, headers=told)


def retry(delivery: Delivery, queue: str) -> Message:
    """The message as it came, on its way to the next attempt by `queue`."""
    told = {dead_letters.ATTEMPTS: _attempts(delivery)}
    return again(delivery, queue, headers=told, without=dead_letters.is_brokers_own)


def _attempts(delivery: Delivery) -> int:
    """Count how often the frame was tried, this time and those that ended with their worker included."""
    before = delivery.headers.get("x-delivery-count", 0)  # the broker's count of what came back unsettled
    before = max(0, before) if isinstance(before, int) else 0  # or a sender's
    return min(dead_letters.attempts(delivery.headers) + before + 1, MOST_ATTEMPTS)
