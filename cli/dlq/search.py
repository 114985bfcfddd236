"""A look through the dead-letter queue, which takes nothing from it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from broker import Delivery
from broker.browse import browse
from broker.session import session
from cli.console import progress
from cli.dlq.selection import Selection
from contract.dead_letters import DeadLetter, parse_dead_letter
from contract.topology import DEAD_LETTER_QUEUE

CLIENT = "framefleet dlq"

Keep = Callable[[DeadLetter, Delivery], None]


@dataclass
class FoundLetters:
    """The dead letters that a look found: the first that match, how many match, and how many there are."""

    total: int = 0
    matching: int = 0
    size: int = 0  # bytes of those that match
    letters: list[DeadLetter] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)  # of all, as are the cameras
    cameras: Counter[str] = field(default_factory=Counter)


def letter_of(delivery: Delivery) -> DeadLetter:
    """Read a delivery as a dead letter."""
    return parse_dead_letter(
        delivery.body,
        content_type=delivery.content_type,
        headers=delivery.headers,
        message_id=delivery.message_id,
    )


async def read(
    urls: Sequence[str],
    selection: Selection,
    limit: int | None = None,
    keep: Keep = lambda letter, delivery: None,
) -> FoundLetters:
    """Look through the whole queue, oldest first. `keep` is shown those that match, with their message.

    Raises BrokerError.
    """
    shelf = FoundLetters()
    async with (
        progress("reading dead letters") as shown,
        session(urls, CLIENT) as connection,
        browse(connection, DEAD_LETTER_QUEUE) as looking,
    ):
        shown.total = shelf.total = looking.total

        def each(delivery: Delivery) -> None:
            shown.done += 1
            letter = letter_of(delivery)
            shelf.reasons[letter.reason] += 1
            if letter.camera_id is not None:
                shelf.cameras[letter.camera_id] += 1
            if not selection.matches(letter):
                return
            shelf.matching += 1
            if limit is None or len(shelf.letters) < limit:
                shelf.size += letter.size
                shelf.letters.append(letter)
                keep(letter, delivery)

        await looking.look(each)
    return shelf
