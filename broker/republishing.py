"""A message published again: as a dead letter, for another attempt, as a task anew, into another queue.

It keeps all that its sender wrote, byte for byte, and nothing that routes or that RabbitMQ refuses or counts:

- `CC` and `BCC` would send copies to queues of the sender's choice, with our rights. They had them when the message was
  first published.
- `user_id` must be the publisher's own.
- `expiration` would start its clock anew in the next queue, where nobody may hear of its end. A header tells it.
- The plain name of the direct reply pseudo-queue: RabbitMQ closes the channel of a publisher that does not consume it.
  (It gives each sender's replies a name of their own, which is kept.)
"""

from collections.abc import Callable, Mapping
from typing import Any

from broker.consumer import Delivery
from broker.publisher import Message
from broker.tables import text
from contract.dead_letters import EXPIRATION

ROUTING = ("CC", "BCC")
"""Headers that RabbitMQ routes by, in this spelling and no other (3.10 and 4.0)."""
COUNTS = ("x-delivery-count", "x-acquired-count")
DIRECT_REPLY = "amq.rabbitmq.reply-to"


def again(
    delivery: Delivery,
    queue: str,
    *,
    exchange: str = "",
    headers: Mapping[str, Any] | None = None,
    without: Callable[[str], bool] = lambda name: False,
    body: bytes | None = None,
) -> Message:
    """The message as it came, to a queue that must exist and that `exchange` knows by this name.

    `headers` are added to the sender's, or take their place; `without` says which of those go. Another `body` is not
    packed, whatever the sender's was.
    """
    sent = delivery.properties
    told = dict(headers or {})
    if sent.expiration is not None:
        told.setdefault(EXPIRATION, sent.expiration)

    def stays(name: str) -> bool:
        return not (name in ROUTING or name in COUNTS or name in told or without(name))

    unchanged = body is None or body == delivery.body
    kept: dict[Any, Any] = {}
    for name, value in sent.fields or ():
        if stays(text(name)):
            kept.setdefault(name, value)
    return Message(
        exchange,
        queue,
        delivery.body if body is None else body,
        content_type=sent.content_type,
        headers=None if sent.fields is None and not told else kept | told,
        message_id=sent.message_id,
        correlation_id=sent.correlation_id,
        reply_to=None if sent.reply_to == DIRECT_REPLY else sent.reply_to,
        app_id=sent.app_id,
        content_encoding=sent.content_encoding if unchanged else None,
        type=sent.type,
        priority=sent.priority,
        timestamp=sent.timestamp,
        cluster_id=sent.cluster_id,
    )
