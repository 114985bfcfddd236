"""The messages a worker publishes: what came of a delivery, as the broker's topology wants it."""

import time

from broker import Delivery, Message
from broker.properties import Short
from broker.republishing import DIRECT_REPLY, again
from contract import dead_letters
from contract.picture import picture_extent
from contract.result import Reply, Result, encode_result
from contract.topology import RESULTS_EXCHANGE, RETRY_EXCHANGE, TOPOLOGY, WATCH_EXCHANGE
from worker.arrival import Arrival
from worker.intake import Intake
from worker.processor import Computed, Failed

ERROR_LENGTH = 500
MOST_ATTEMPTS = 1_000_000  # more than any limit
OURS = tuple(f"{queue.name}." for queue in TOPOLOGY.queues)
"""The queues that no reply goes to, with what is named after them (`result_queue.upgrade`)."""
OF_SENDER = "sender"
"""A sender's own queues are called `sender.<name>.…`."""


def result_message(result: Result) -> Message:
    """The result for everybody, kept by the broker."""
    return Message(RESULTS_EXCHANGE, result.camera_id, encode_result(result), message_id=result.frame_id)


def reply_message(reply: Reply, arrival: Arrival) -> Message | None:
    """Address the frame's result, or why there is none, to whoever asked with `reply_to`, and may; transient.

    That is AMQP's request and reply.
    """
    properties = arrival.delivery.properties
    reply_to = properties.reply_to
    if not reply_to or not may_reply(reply_to, arrival.intake):
        return None
    own_frame_id = reply.frame_id if arrival.head is None else arrival.head.frame_id
    return Message(
        "",
        reply_to,
        encode_result(reply),
        message_id=reply.frame_id,
        correlation_id=properties.correlation_id or own_frame_id,
        persistent=False,
        mandatory=False,
    )


def may_reply(reply_to: Short, intake: Intake) -> bool:
    """Tell whether what came by `intake` may have its result sent there: who sends tasks writes nowhere else by us.

    Never to a queue of ours. To a sender only where RabbitMQ itself leads to it, or to queues that bear its name.
    """
    if reply_to == DIRECT_REPLY:
        return False
    if intake.sender is None:
        return not (isinstance(reply_to, str) and f"{reply_to}.".startswith(OURS))
    own = (f"{DIRECT_REPLY}.", f"{OF_SENDER}.{intake.sender.name}.")
    return isinstance(reply_to, str) and reply_to.startswith(own)


def picture_message(computed: Computed, key: str = "") -> Message:
    """The frame together with its own result, for those who watch the camera, or for whom `key` leads to; transient.

    Browsers want the picture alone, from its first byte on, whatever the sender had around it.
    """
    found = picture_extent(computed.image)
    return Message(
        WATCH_EXCHANGE,
        key or computed.result.camera_id,
        found.cut(computed.image),
        content_type=found.content_type,
        headers={"result": encode_result(computed.result).decode()},
        message_id=computed.result.frame_id,
        persistent=False,
        mandatory=False,
    )


def dead_letter(failed: Failed, delivery: Delivery, intake: Intake, node_id: str) -> Message:
    """The message as it came by `intake`, with why it could not be computed in its headers.

    Headers in which only we or RabbitMQ tell something are left out where the sender wrote them.
    """
    told = {
        dead_letters.REASON: failed.reason.value,
        dead_letters.ERROR: failed.error[:ERROR_LENGTH],
        dead_letters.ORIGIN: intake.queue,
        dead_letters.NODE: node_id,
        dead_letters.TIME: repr(time.time()),  # as text: pika cuts a double to whole seconds
        dead_letters.ATTEMPTS: _attempts(delivery, intake),
    }
    return again(delivery, intake.dead_letter_queue, headers=told, without=intake.foreign(delivery))


def retry(delivery: Delivery, intake: Intake, queue: str) -> Message:
    """The message as it came, on its way to the next attempt by `queue`, one of `intake.retries`."""
    told = {dead_letters.ATTEMPTS: _attempts(delivery, intake)}
    foreign = intake.foreign(delivery)
    return again(
        delivery,
        queue,
        exchange=RETRY_EXCHANGE if queue == intake.queue else "",
        headers=told,
        without=lambda name: dead_letters.is_brokers_own(name) or foreign(name),
    )


def put_back(delivery: Delivery, intake: Intake) -> Message:
    """The message as it came, back to its queue, as often tried as before."""
    foreign = intake.foreign(delivery)
    return again(
        delivery,
        intake.queue,
        exchange=RETRY_EXCHANGE,
        headers={dead_letters.ATTEMPTS: intake.tried(delivery)},
        without=lambda name: dead_letters.is_brokers_own(name) or foreign(name),
    )


def _attempts(delivery: Delivery, intake: Intake) -> int:
    """Count how often the frame was tried, this time and those that ended with their worker included."""
    # The broker's count of what came back unsettled; on what did not, a sender may have written it.
    before = delivery.headers.get("x-delivery-count", 0) if delivery.redelivered else 0
    before = max(0, before) if isinstance(before, int) else 0
    return min(intake.tried(delivery) + before + 1, MOST_ATTEMPTS)
