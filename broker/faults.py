"""Which queues are down: RabbitMQ has them and cannot use them, because their files are damaged, say.

Such a queue is declared as ever, looks empty to whoever asks for its length, and refuses what is published as if it
were full; RabbitMQ closes the whole connection (541) of whoever wants to consume it. So these signs only make a queue
suspect. It is then looked at on a connection of its own, which may well be closed, until it is found well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from broker.backoff import compute_backoff
from broker.errors import BrokerError
from contract.topology import TOPOLOGY, Topology

log = structlog.get_logger("broker")

INTERNAL_ERROR = 541
LONGEST_PAUSE = 5.0
"""Seconds between two looks at a queue that is down: a queue that only lacked its leader is back soon."""
WELL_SECONDS = 15.0
"""A queue that was found well is not looked at again so soon: a full one is suspected with every refusal."""
REMEDY = "`framefleet queues repair` says what is lost and recreates it"

NO_PROCESS = "noproc"
"""Erlang's word in what RabbitMQ says of a queue whose process could not be started, or has ended."""
NONE_WORKS = "RabbitMQ: its quorum queues do not work, none of them; `framefleet queues repair` says why"

Found = Callable[[str, str | None], None]
"""Hears of a queue why RabbitMQ cannot use it; None if it can."""
Find = Callable[[Iterable[str], Found], Awaitable[None]]
"""Looks at queues, and tells what it found of each. Raises BrokerError (broker.diagnosis)."""


class QueueFaults:
    """The queues that are suspected, and those that are down. On the loop's thread, but for what says otherwise."""

    def __init__(self, find: Find, topology: Topology = TOPOLOGY) -> None:
        self.down: Mapping[str, str] = {}
        """Why, by queue. Replaced as a whole: may be read from any thread."""
        self._find = find
        self._queues = {queue.name: queue.bindings for queue in topology.queues}
        self._suspects: dict[str, None] = {}  # in the order in which they were suspected
        self._well: dict[str, float] = {}  # when a queue was last found well
        self._followers: dict[str, list[Callable[[bool], None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def shared(self) -> Mapping[str, str]:
        """Why, by queue, of those that everybody needs: a sender's own keeps nobody else waiting."""
        return {queue: why for queue, why in self.down.items() if queue in self._queues}

    def suspects(self, queue: str) -> bool:
        """Whether the queue is down, or may be."""
        return queue in self._suspects

    def sentences(self) -> list[str]:
        """Tell people what is down of what everybody needs. May be called from any thread."""
        return sentences(self.shared, self._queues)

    def fed_by(self, exchange: str, key: str) -> list[str]:
        """Those of our queues that a message published there ends in."""
        if not exchange:
            return [key] if key in self._queues else []
        return [
            queue
            for queue, bindings in self._queues.items()
            if (exchange, key) in bindings or (exchange, "#") in bindings
        ]

    def follow(self, queue: str, judged: Callable[[bool], None]) -> None:
        """Call `judged` each time that the queue was looked at: True if it is well."""
        self._followers.setdefault(queue, []).append(judged)

    def unfollow(self, queue: str, judged: Callable[[bool], None]) -> None:
        """Call it no more; what nobody follows and not everybody needs is forgotten."""
        followers = [each for each in self._followers.pop(queue, ()) if each != judged]
        if followers:
            self._followers[queue] = followers
        elif queue not in self._queues:
            self.forget(queue)

    def forget(self, *queues: str) -> None:
        """Look no more at queues that are nobody's any more, and know nothing of them."""
        for queue in queues:
            self._suspects.pop(queue, None)
            self._well.pop(queue, None)
        self.down = {queue: why for queue, why in self.down.items() if queue not in queues}

    def suspect(self, *queues: str) -> None:
        """Have queues looked at, now and until they are found well."""
        now = time.monotonic()
        for queue in queues:
            if now - self._well.get(queue, float("-inf")) > WELL_SECONDS:
                self._suspects[queue] = None
        if self._suspects and self._task is None and not self._stopped:
            self._task = asyncio.get_running_loop().create_task(self._look_again())

    def stop(self, done: Callable[[], None]) -> None:
        """Look at nothing any more; `done` is called when the last look has ended."""
        self._stopped = True
        if self._task is None:
            done()
            return
        self._task.add_done_callback(lambda _task: done())
        self._task.cancel()

    async def _look_again(self) -> None:
        attempt = 0
        try:
            while self._suspects:
                try:
                    await self._find(tuple(self._suspects), self._found)
                except BrokerError:
                    pass  # nobody knows: the link itself says what is wrong with the broker
                except Exception:
                    log.exception("queues could not be looked at")
                if self._suspects:
                    await asyncio.sleep(compute_backoff(attempt, base=0.5, cap=LONGEST_PAUSE))
                    attempt += 1
        finally:
            self._task = None

    def _found(self, queue: str, why: str | None) -> None:
        if queue not in self._suspects:
            return  # forgotten while it was looked at
        if why is None:
            self._suspects.pop(queue, None)
            self._well[queue] = time.monotonic()
            if queue in self.down:
                log.info("a queue works again", queue=queue)
                self.down = {name: told for name, told in self.down.items() if name != queue}
        elif queue not in self.down:
            log.error("a queue is down: RabbitMQ has it and cannot use it", queue=queue, reason=why)
            self.down = {**self.down, queue: why}
        for judged in tuple(self._followers.get(queue, ())):
            judged(why is None)


def sentence(queue: str, why: str) -> str:
    """Tell people that the queue is down, and what to do."""
    return f"queue {queue}: it is down, RabbitMQ cannot use it ({why}); {REMEDY}"


def none_runs(down: Mapping[str, str], queues: Iterable[str]) -> bool:
    """Tell whether nothing runs of any of `queues`: then the cause is theirs together, and each may come back whole."""
    return all(NO_PROCESS in down.get(queue, "") for queue in queues)


def sentences(down: Mapping[str, str], queues: Iterable[str]) -> list[str]:
    """Tell people which queues are down; in one sentence where nothing runs of any of `queues`."""
    if none_runs(down, queues):
        return [NONE_WORKS]
    return [sentence(queue, why) for queue, why in sorted(down.items())]
