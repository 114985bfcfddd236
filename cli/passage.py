"""A trial whether messages pass RabbitMQ's queues, before anything is announced.

A broker can accept connections and declarations while its quorum queues are dead: each would refuse every frame. If
only some of ours are, the others go on, and `framefleet queues repair` needs a broker that runs.
"""

import asyncio
import secrets
from collections.abc import Sequence

from broker.diagnosis import find_faults
from broker.publisher import Message, Outcome
from broker.session import Session, session
from cli.errors import BrokerAlarm, DeadQueue
from contract.topology import TASK_QUEUE, TOPOLOGY, UNLIMITED_DELIVERIES, Queue

CLIENT = "framefleet up"
PASSES_SECONDS = 20.0
LOOK_SECONDS = 0.1
LEFT_SECONDS = 60  # if we die in the middle, RabbitMQ removes the queue after so long


async def try_passage(urls: Sequence[str]) -> dict[str, str]:
    """Wait until a message has passed a queue; return those of ours that are down, and why.

    Raises BrokerAlarm, DeadQueue, and BrokerError where it could not be tried.
    """
    down: dict[str, str] = {}

    def found(queue: str, why: str | None) -> None:
        if why is not None:
            down[queue] = why

    async with session(urls, CLIENT) as connection:
        await _passes(connection)
    await find_faults(urls, CLIENT, [queue.name for queue in TOPOLOGY.queues], found)
    return down


def trial_queue() -> Queue:
    """Return a quorum queue of a name that is free, and that those who may declare ours may declare."""
    return Queue(
        f"{TASK_QUEUE}.trial.{secrets.token_hex(4)}",
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": UNLIMITED_DELIVERIES,
            "x-expires": LEFT_SECONDS * 1000,
        },
    )


async def _passes(connection: Session) -> None:
    queue = trial_queue()
    publisher = await connection.publisher()
    async with connection.channel() as channel:
        await channel.declare(queue)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        publisher.publish(Message("", queue.name, b"does a message pass?"), outcome.set_result)
        for _ in range(int(PASSES_SECONDS / LOOK_SECONDS)):
            await asyncio.wait((outcome,), timeout=LOOK_SECONDS)
            if publisher.blocked:
                raise BrokerAlarm
            if outcome.done():
                break
        said = outcome.result() if outcome.done() else Outcome.TIMED_OUT
        if said is not Outcome.CONFIRMED:
            raise DeadQueue(f"it did not confirm a message ({said})")
        back = await channel.get(queue.name)
        if back is None:
            raise DeadQueue("it confirmed a message and did not give it back")
        back.ack()
        await channel.delete(queue.name)
