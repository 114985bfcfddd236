"""Consumes the tasks of one intake, and ends at a moment when none is under way to us."""

from collections.abc import Callable

from broker import Delivery, Link
from contract.topology import Topology
from worker.intake import Intake

QUIET_SECONDS = 0.2


class TaskConsumer:
    """Hands the deliveries of one queue to `received`, with the intake as it is then. On the connection's thread.

    `declared`: what it declares itself (a sender's queues). A `needed` subscription counts for readiness.
    """

    def __init__(
        self,
        link: Link,
        intake: Intake,
        received: Callable[[Intake, Delivery], None],
        *,
        prefetch: int,
        needed: bool = False,
        declared: Topology | None = None,
    ) -> None:
        self.intake = intake
        """May be replaced by another one with the same queue."""
        self._link = link
        self._on_delivery = received
        self._when_ended: list[Callable[[], None]] = []
        self._cancelled = self._ended = False
        self._consumer = link.consume(
            intake.queue,
            self._received,
            prefetch=prefetch,
            on_lost=self._lost,
            needed=needed,
            declared=declared,
        )

    def set_prefetch(self, prefetch: int) -> None:
        """Hold so many frames from now on (see Consumer)."""
        self._consumer.set_prefetch(prefetch)

    def end(self, done: Callable[[], None]) -> None:
        """Stop consuming; `done` when the broker has agreed. What is held can be settled afterwards.

        That happens when we hold all that we may, so that no frame is under way to us: one that is would be
        redelivered. If so many do not come, the queue is empty.
        """
        if self._ended:
            done()
            return
        self._when_ended.append(done)
        if self._consumer.full:
            self._cancel()
        else:
            self._link.loop.call_later(QUIET_SECONDS, self._cancel)

    def drop(self) -> None:
        """Let go of the channel once what is held is settled. Only after the end."""
        self._link.drop(self._consumer)

    def _received(self, delivery: Delivery) -> None:
        self._on_delivery(self.intake, delivery)
        if self._when_ended and self._consumer.full:
            self._cancel()

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._consumer.cancel(self._agreed)

    def _lost(self) -> None:
        """The channel is gone: the broker agrees to nothing any more, and has taken back what was held."""
        if self._cancelled and not self._ended:
            self._agreed()

    def _agreed(self) -> None:
        self._ended = True
        waiting, self._when_ended = self._when_ended, []
        for done in waiting:
            done()
