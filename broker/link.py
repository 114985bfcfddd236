"""A service's link to RabbitMQ: one connection that publishes, one that listens.

In a broker alarm RabbitMQ reads nothing from a connection that has published. Acknowledgements, replies and
declarations must get through all the same, so they have a connection of their own. Queues that may be down are looked
at on a third one, which is there only meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import TypeVar

import structlog

from broker import aio
from broker.connection import Connection
from broker.consumer import Consumer, Delivery
from broker.counts import LISTENS, SENDS, LinkCounts
from broker.depth import QueueDepth
from broker.diagnosis import find_faults
from broker.faults import QueueFaults
from broker.loops import AsyncioLoop
from broker.publisher import Publisher
from broker.reasons import says_little
from contract.topology import TOPOLOGY, EphemeralQueue, Topology

log = structlog.get_logger("broker")
T = TypeVar("T")

SHOWN = 200
"""Characters that a log line quotes of why a message could not be read."""


class Link:
    """Owns the connections of a service: add publishers and consumers, then `start`. `faults`: queues that are down.

    `on_fatal` hears the one sentence when waiting cannot help (the topology does not match); `on_invalid` hears the
    exchange of every message that could not be parsed. `counts` are kept of what it does. Everything runs on the loop's
    thread but what says otherwise.
    """

    def __init__(
        self,
        loop: AsyncioLoop,
        urls: Sequence[str],
        name: str,
        *,
        topology: Topology = TOPOLOGY,
        on_fatal: Callable[[str], None] = lambda reason: None,
        on_invalid: Callable[[str], None] = lambda exchange: None,
        counts: LinkCounts | None = None,
    ) -> None:
        self.loop = loop
        self._counts = counts = counts or LinkCounts()
        self._on_fatal = on_fatal
        self._on_invalid = on_invalid
        self._conditions: list[_Condition] = []

        def connection(does: str) -> Connection:
            condition = _Condition()
            self._conditions.append(condition)
            return Connection(
                loop,
                urls,
                f"{name} {does}",
                topology=topology,
                on_state=condition.changed,
                on_fatal=partial(self._refused, condition),
                on_opened=partial(counts.opened, does),
            )

        self._sending, self._listening = connection(SENDS), connection(LISTENS)
        self.faults = QueueFaults(partial(find_faults, urls, f"{name} looks"), topology)
        self._publishers: list[Publisher] = []
        self._needed: list[tuple[str, Consumer]] = []

    # --- what it is made of: on the loop's thread, or before `start` ---------------------------------------

    def publisher(
        self,
        *,
        window: int = 1_000,
        timeout: float = 10.0,
        on_ready: Callable[[], None] = lambda: None,
        on_void: Callable[[], None] = lambda: None,
    ) -> Publisher:
        """Publish with confirms, on a channel of its own; see Publisher."""
        publisher = Publisher(
            window=window,
            timeout=timeout,
            on_ready=on_ready,
            on_void=on_void,
            on_settled=self._counts.settled,
            faults=self.faults,
        )
        self._publishers.append(publisher)
        self._sending.add(publisher)
        return publisher

    def consume(
        self,
        queue: str,
        on_delivery: Callable[[Delivery], None],
        *,
        prefetch: int = 0,
        on_subscribed: Callable[[str], None] = lambda queue_name: None,
        on_lost: Callable[[], None] = lambda: None,
        needed: bool = False,
        declared: Topology | None = None,
    ) -> Consumer:
        """Consume a durable queue; `on_delivery` settles. A `needed` subscription counts in `missing`.

        `declared`: what this consumer declares itself. Where that does not match, it alone has no messages.
        """
        return self._subscribe(
            Consumer(
                queue,
                on_delivery,
                prefetch=prefetch,
                on_subscribed=on_subscribed,
                on_lost=on_lost,
                declared=declared,
                faults=self.faults,
            ),
            queue if needed else "",
        )

    def drop(self, consumer: Consumer) -> None:
        """Let go of a consumer and its channel; what it holds goes back to its queue."""
        # Replaced: read by any thread.
        self._needed = [each for each in self._needed if each[1] is not consumer]
        self._listening.remove(consumer)

    def listen(
        self,
        exchange: str,
        keys: str | Sequence[str],
        parse: Callable[[Delivery], T],
        handle: Callable[[T], None],
        *,
        max_length: int = 1_000,
        max_bytes: int = 32 * 1024 * 1024,
        on_subscribed: Callable[[str], None] = lambda queue_name: None,
        on_lost: Callable[[], None] = lambda: None,
        needed: bool = False,
    ) -> Consumer:
        """Hear what an exchange is sent from now on, through a small queue of our own that drops its oldest.

        `parse` (`from_body(f)` for what stands in the body alone) raises ValueError for a message that cannot be read:
        that is told, and the message left out. Without `keys` the queue hears only what is sent to its name, or what
        the consumer's `bind` adds.
        """
        bindings = tuple((exchange, key) for key in ([keys] if isinstance(keys, str) else keys))

        def received(delivery: Delivery) -> None:
            try:
                message = parse(delivery)
            except ValueError as error:
                self._unreadable(delivery, error)
            else:
                handle(message)  # what this raises, the consumer logs: it costs no other message

        return self._subscribe(
            Consumer(
                EphemeralQueue(bindings, max_length=max_length, max_bytes=max_bytes),
                received,
                no_ack=True,
                on_subscribed=on_subscribed,
                on_lost=on_lost,
            ),
            exchange if needed else "",
        )

    def depth(self, queues: Sequence[str] = (), every: float = 2.0) -> QueueDepth:
        """Ask every few seconds how many messages wait in `queues`."""
        depth = QueueDepth(queues, every)
        self._listening.add(depth)
        return depth

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once. May be called from any thread."""
        self._sending.start()
        self._listening.start()

    def close(self, done: Callable[[], None] = lambda: None) -> None:
        """Close all connections for good; `done` is called once nothing of them is left."""
        left = 3

        def closed() -> None:
            nonlocal left
            left -= 1
            if not left:
                done()

        self.faults.stop(closed)
        self._sending.stop(closed)
        self._listening.stop(closed)

    async def stop(self, timeout: float = 5.0) -> None:
        """Close all connections and wait until nothing of them is left.

        Raises TimeoutError where the broker did not say goodbye in time: then they were dropped.
        """
        closed = asyncio.Event()
        self.close(closed.set)
        await aio.ended(closed, timeout, self._sending, self._listening)

    def ensure_topology(self) -> None:
        """Declare again, in a second, what somebody may have deleted; nothing happens while disconnected."""
        if self._listening.ready:
            self._listening.ensure_topology()  # the publishing connection is not read in an alarm

    # --- its condition: may be read from any thread ---------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Both connections are open and the topology is declared."""
        return self._sending.ready and self._listening.ready

    def missing(self) -> list[str]:
        """List what the link lacks, a phrase each; the list is empty when messages can be published and are heard.

        A queue that is down is listed as soon as this link has met it, but for a sender's own: the others go on.
        """
        return [*self._missing(self.faults.shared), *self.faults.sentences()]

    def _missing(self, down: Container[str]) -> list[str]:
        for connection, condition in zip((self._sending, self._listening), self._conditions, strict=True):
            if not connection.ready:
                return [f"RabbitMQ: {condition}"]
        if not all(publisher.attached for publisher in self._publishers):
            return ["RabbitMQ: the broker has opened no channel to publish on yet"]
        return [
            f"RabbitMQ: the broker sends nothing from {name} yet"
            for name, consumer in self._needed
            if not consumer.subscribed and name not in down
        ]

    # --- inside -------------------------------------------------------------------------------------------

    def _subscribe(self, consumer: Consumer, needed: str) -> Consumer:
        if needed:
            self._needed.append((needed, consumer))
        self._listening.add(consumer)
        return consumer

    def _unreadable(self, delivery: Delivery, error: ValueError) -> None:
        log.warning(
            "a message could not be read, and is left out",
            exchange=delivery.exchange,
            reason=str(error)[:SHOWN],
            app_id=delivery.app_id,
            correlation_id=delivery.correlation_id,
        )
        self._on_invalid(delivery.exchange)

    def _refused(self, condition: _Condition, reason: str) -> None:
        condition.refused(reason)
        self._on_fatal(reason)


WORDS = {"connecting": "being made", "ready": "made"}


class _Condition:
    """Describes a connection for people: what became of it, and why."""

    def __init__(self) -> None:
        self._state = "not made yet"
        self._detail = ""
        self._refusal = ""

    def __str__(self) -> str:
        detail = f" ({self._detail})" if self._detail else ""
        return self._refusal or f"the connection to the broker is {self._state}{detail}"

    def changed(self, state: str, detail: str) -> None:
        again = self._state == "lost" and (state == "connecting" or (state == "lost" and says_little(detail)))
        if not again:  # why it was lost stays known while it tries again in vain
            self._state, self._detail = WORDS.get(state, state), detail
        if state == "ready":
            self._refusal = ""

    def refused(self, reason: str) -> None:
        self._refusal = reason


def from_body(parse: Callable[[bytes], T]) -> Callable[[Delivery], T]:
    """Parse a delivery by its body alone."""
    return lambda delivery: parse(delivery.body)
