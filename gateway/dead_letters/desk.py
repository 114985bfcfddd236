"""Everything that is done with dead letters, together: read, opened one by one, replayed and purged."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.senders import Sender
from gateway.dead_letters.forecast import Consumers
from gateway.dead_letters.messages import LetterMessages
from gateway.dead_letters.operations import Operations
from gateway.dead_letters.reader import DeadLetterReader
from gateway.dead_letters.records import OperationRecords


@dataclass(frozen=True, slots=True)
class DeadLetterDesk:
    """`reader` sees them, `messages` opens one, `operations` changes many. Connects when it is asked for something."""

    reader: DeadLetterReader
    messages: LetterMessages
    operations: Operations

    async def stop(self) -> None:
        """End what is under way."""
        await self.messages.stop()
        await self.operations.close()


def open_letters(
    urls: Sequence[str],
    folder: Path,
    senders: Callable[[], Sequence[Sender]],
    down: Callable[[], Container[str]],
    consumers: Consumers,
) -> DeadLetterDesk:
    """Begin with the records of operations that `folder` has. `down`: the queues that RabbitMQ cannot use."""
    reader = DeadLetterReader(
        urls,  # one that is down costs the connection, and is told by name
        lambda: [each for each in senders() if each.dead_letter_queue not in down()],
    )
    records = OperationRecords(folder)
    records.load()
    return DeadLetterDesk(
        reader=reader,
        messages=LetterMessages(urls, reader),
        operations=Operations(urls, reader, records, senders, consumers),
    )
