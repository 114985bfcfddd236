"""Senders with queues of their own, as a gateway announces them and as their clients send."""

from broker import Message, Outcome
from contract.senders import Sender, Senders
from contract.status import encode_status
from contract.topology import CONTROL_EXCHANGE, Lane
from tests.helpers.bus import Bus

SCHOOL = Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH))


def announcement(revision: int, *senders: Sender) -> Message:
    """What a gateway says on `control`."""
    said = encode_status(Senders(revision=revision, senders=senders))
    return Message(CONTROL_EXCHANGE, "", said, persistent=False, mandatory=False)


async def send(bus: Bus, sender: Sender, body: bytes, lane: Lane = Lane.LIVE, **fields: object) -> Outcome:
    """Publish a task as the sender's client does."""
    given: dict[str, object] = {"content_type": "application/json", **fields}
    return await bus.publish(Message(sender.exchange, sender.queue(lane), body, **given))  # type: ignore[arg-type]
