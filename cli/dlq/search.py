"""A look through the dead-letter queues, which takes nothing from them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from broker import Delivery
from broker.browse import browse
from broker.dead_letters import Source, letter_of, queue_of
from broker.errors import NoSuchQueue, QueueDown
from broker.session import session
from cli.console import StepCount, progress
from cli.dlq.selection import Selection
from contract.dead_letters import DeadLetter

CLIENT = "framefleet dlq"

Keep = Callable[[DeadLetter, Delivery], None]


@dataclass
class FoundLetters:
    """The dead letters that a look found: the first that match, how many match, and how many there are."""

    total: int = 0
    matching: int = 0
    letters: list[DeadLetter] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)  # of all, as are the cameras
    cameras: Counter[str] = field(default_factory=Counter)
    without: list[str] = field(default_factory=list)  # senders that have no queue
    # A sentence for each sender whose queue RabbitMQ cannot use.
    down: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of the letters."""
        return sum(letter.size for letter in self.letters)


async def read(
    urls: Sequence[str],
    selection: Selection,
    limit: int | None = None,
    keep: Keep = lambda letter, delivery: None,
    sources: Sequence[Source] = (None,),
) -> FoundLetters:
    """Look through all of the queues, oldest first. `keep` is shown those that match, with their message.

    A sender that has no queue yet has no dead letters, and one whose queue is down costs no other's: `down` tells.
    Raises BrokerError.
    """
    shelf = FoundLetters()
    left = list(sources)
    async with progress("reading dead letters") as shown:
        shown.total = 0
        while left:
            async with session(urls, CLIENT) as connection:
                while left and connection.open:  # a queue that is down may have cost the connection
                    source = left.pop(0)
                    try:
                        async with browse(connection, queue_of(source)) as looking:
                            shelf.total += looking.total
                            shown.total = shelf.total
                            await looking.look(_Look(shelf, shown, selection, source, limit, keep))
                    except NoSuchQueue:
                        if source is None:
                            raise
                        shelf.without.append(source.name)
                    except QueueDown as error:
                        if source is None or len(sources) == 1:
                            raise
                        shelf.down.append(str(error))
    if len(sources) > 1:
        shelf.letters.sort(key=lambda letter: letter.time or 0.0)
        shelf.letters = shelf.letters[:limit]
    return shelf


@dataclass
class _Look:
    """Takes note of one queue's dead letters, as they come."""

    shelf: FoundLetters
    shown: StepCount
    selection: Selection
    source: Source
    limit: int | None
    keep: Keep
    taken: int = 0

    def __call__(self, delivery: Delivery) -> None:
        shelf = self.shelf
        self.shown.done += 1
        letter = letter_of(delivery, self.source)
        shelf.reasons[letter.reason] += 1
        if letter.camera_id is not None:
            shelf.cameras[letter.camera_id] += 1
        if not self.selection.matches(letter):
            return
        shelf.matching += 1
        if self.limit is None or self.taken < self.limit:
            self.taken += 1
            shelf.letters.append(letter)
            self.keep(letter, delivery)
