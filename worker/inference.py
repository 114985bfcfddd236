"""The inference thread: takes what waits, several frames at once if it may, and hands the outcomes back."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from broker import Delivery
from contract.dead_letters import attempts
from runtime.logs import get_logger
from worker.isolation import compute_apart
from worker.processor import Given, Processed, Processor
from worker.settings import CPU, WorkerSettings
from worker.settler import Completion
from worker.switchboard import Switchboard

log = get_logger("worker")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as it came: `age` in seconds since capture, at `at` (`perf_counter`)."""

    delivery: Delivery
    camera_id: str  # empty for what is no task
    age: float
    at: float

    def given(self) -> Given:
        """Hand over what computing needs of it, with the frame's age now."""
        delivery = self.delivery
        waited = self.age + time.perf_counter() - self.at
        return Given(delivery.body, delivery.content_type, delivery.headers, delivery.message_id, waited)

    @property
    def again(self) -> bool:
        """It was delivered or tried before: it may have killed the worker that had it."""
        return self.delivery.redelivered or bool(attempts(self.delivery.headers))


class Inference:
    """One thread that computes arrivals in their order, and calls these on it: `computed` with the outcomes of a
    batch and the seconds that it took, `failed` with the reason if the thread cannot go on.

    A batch is what is waiting when the thread is free, at most `batch_frames`: nothing is ever waited for. A frame
    that comes again is a batch of its own, computed in another process (see `worker.isolation`), on the CPU.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        switchboard: Switchboard,
        processor: Processor,
        computed: Callable[[list[Completion], float], None],
        failed: Callable[[str], None],
    ) -> None:
        self._most = settings.batch_frames
        # On the GPU a child would start CUDA, with all the memory that it takes, for a single frame.
        self._apart = settings.model_copy(update={"device": CPU, "batch": 1})
        self._switchboard = switchboard
        self._processor = processor
        self._computed = computed
        self._failed = failed
        self._inbox: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._next: list[Arrival | None] = []  # taken from the inbox, but not for this batch
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, arrival: Arrival) -> None:
        """Compute it when its turn comes."""
        self._inbox.put(arrival)

    def stop(self) -> None:
        """End after what was put before. Does not wait."""
        self._inbox.put(None)

    def _run(self) -> None:
        try:
            while batch := self._take():
                started = time.perf_counter()
                outcomes = self._compute(batch)
                now = time.perf_counter()
                items = [
                    Completion(arrival.delivery, outcome, arrival.age, arrival.at, now)
                    for arrival, outcome in zip(batch, outcomes, strict=True)
                ]
                self._computed(items, now - started)
        except Exception as error:
            log.exception("the inference thread crashed")
            self._failed(f"the inference thread crashed: {type(error).__name__}: {error}")

    def _take(self) -> list[Arrival]:
        """The next batch; empty at the end."""
        first = self._next.pop() if self._next else self._inbox.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < self._most and not batch[0].again:
            try:
                arrival = self._inbox.get_nowait()
            except queue.Empty:
                break
            if arrival is None or arrival.again:
                self._next.append(arrival)
                break
            batch.append(arrival)
        return batch

    def _compute(self, batch: list[Arrival]) -> list[Processed]:
        if batch[0].again:
            return [self._compute_apart(batch[0])]
        return self._processor.process_many([arrival.given() for arrival in batch])

    def _compute_apart(self, arrival: Arrival) -> Processed:
        log.info("computing a frame apart: it comes again", message_id=arrival.delivery.message_id)
        model = self._switchboard.choose(None, arrival.camera_id).name
        return compute_apart(self._apart, model, arrival.given())
