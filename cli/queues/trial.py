"""A trial whether the broker can make a quorum queue at all, before any is deleted."""

from collections.abc import Sequence

from broker.errors import Refused, Unreachable
from broker.reasons import refused
from broker.session import session
from cli.passage import trial_queue

CLIENT = "framefleet queues trial"
CLOSED = "(541 INTERNAL_ERROR)"
"""How RabbitMQ turns everybody away from a virtual host whose queues it could not start."""
SILENT = "has not answered"


async def why_no_queue(urls: Sequence[str]) -> str | None:
    """Declare a queue and delete it; why the broker cannot, None if it can. Raises Unreachable where none answers."""
    queue = trial_queue()
    try:
        async with session(urls, CLIENT) as connection, connection.channel() as channel:
            await channel.declare(queue)
            await channel.delete(queue.name)
    except Refused as error:
        return refused(str(error))
    except Unreachable as error:
        if CLOSED in str(error) or SILENT in str(error):
            return str(error)
        raise
    return None
