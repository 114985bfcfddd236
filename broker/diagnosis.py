"""A look at a queue: can RabbitMQ use it? It may cost the connection on which it is asked."""

from collections.abc import Callable, Iterable, Sequence

from broker.errors import NoSuchQueue, Refused, Unreachable
from broker.reasons import refused
from broker.session import Session, session


async def fault(asking: Session, queue: str) -> str | None:
    """Why RabbitMQ cannot use the queue; None if it can, or has no such queue, or we may not ask. Raises Unreachable.

    Nothing is taken from a queue that anything is known to be in.
    """
    try:
        async with asking.channel() as channel:
            ready, consumers = await channel.count(queue)
            if ready or consumers:
                return None  # its leader has answered; of a queue that is down RabbitMQ says that it is empty
            try:
                await channel.get(queue)  # an entry in its Raft log, which a queue that is down cannot make
            except Unreachable:
                if channel.closed.done():
                    raise
                return "it does not answer"
    except NoSuchQueue:
        return None
    except Refused as error:
        said = str(error)
        return None if "ACCESS_REFUSED" in said else refused(said)
    return None


async def find_faults(
    urls: Sequence[str], name: str, queues: Iterable[str], found: Callable[[str, str | None], None]
) -> None:
    """Look at all `queues` and tell `found(queue, fault)` of each. Raises Unreachable."""
    left = list(queues)
    while left:
        async with session(urls, name) as asking:
            while left and asking.open:
                queue = left.pop(0)
                found(queue, await fault(asking, queue))
