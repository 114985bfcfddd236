"""Whether this worker takes frames: from its lane's queue and those of the lane's senders, all at once or none."""

from collections.abc import Callable, Sequence

from broker import Delivery, Link
from contract.senders import Sender, Senders
from contract.topology import Lane
from worker.intake import Intake
from worker.sender_consumers import SenderConsumers
from worker.settler import Settler
from worker.task_consumer import TaskConsumer


class Consumption:
    """Consumes between `resume` and `pause`, as often as these alternate. On the connection's thread.

    Pausing loses no frame and has none redelivered: until the broker has agreed, `settler` acknowledges nothing, so
    that nothing more is sent to us. What is held then is settled as ever. `changed` hears all senders of the lane after
    each change.
    """

    def __init__(
        self,
        link: Link,
        lane: Lane,
        received: Callable[[Intake, Delivery], None],
        changed: Callable[[Sequence[Sender]], None],
        settler: Settler,
        *,
        prefetch: int,
    ) -> None:
        self._link = link
        self._lane = lane
        self._received = received
        self._settler = settler
        self._prefetch = prefetch
        self._tasks: TaskConsumer | None = None
        self._senders = SenderConsumers(link, lane, received, changed)
        self._announced = Senders()
        self._wanted = False
        self._ending = False
        self._for_good = False
        self._paused: list[Callable[[], None]] = []

    @property
    def paused(self) -> bool:
        """Nothing is consumed, and no frame is under way to us."""
        return self._tasks is None

    def resume(self) -> None:
        """Consume; after a pause that the broker has not agreed to yet, as soon as it has."""
        self._wanted = not self._for_good
        if self._wanted and self._tasks is None:
            self._tasks = TaskConsumer(
                self._link, Intake(self._lane), self._received, prefetch=self._prefetch, needed=True
            )
            self._senders.hear(self._announced)

    def pause(self, done: Callable[[], None]) -> None:
        """Stop consuming; `done` when the broker has agreed."""
        self._wanted = False
        self._paused.append(done)
        if self._ending:
            return
        if self._tasks is None:
            self._agreed()
            return
        self._ending = True
        self._settler.keep_acknowledgements()
        consumers = [self._tasks, *self._senders.leave()]
        left = len(consumers)

        def ended() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._ended()

        for consumer in consumers:
            consumer.end(ended)

    def end(self, done: Callable[[], None]) -> None:
        """Stop consuming for good."""
        self._for_good = True
        self.pause(done)

    def hear(self, senders: Senders) -> None:
        """Take what a gateway announced; while paused it is only remembered."""
        if senders.revision > self._announced.revision:
            self._announced = senders
            if self._tasks is not None and not self._ending:
                self._senders.hear(senders)

    def set_prefetch(self, prefetch: int) -> None:
        """Hold so many frames of the lane's own queue from now on (see Consumer)."""
        if self._tasks is not None and not self._ending:
            self._tasks.set_prefetch(prefetch)

    def _ended(self) -> None:
        self._ending = False
        tasks, self._tasks = self._tasks, None
        self._settler.release_acknowledgements()
        if tasks is not None:
            tasks.drop()
        self._agreed()
        if self._wanted:
            self.resume()

    def _agreed(self) -> None:
        waiting, self._paused = self._paused, []
        for done in waiting:
            done()
