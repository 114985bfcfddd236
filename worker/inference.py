"""The inference thread: takes what waits, several frames at once if it may, and hands the outcomes back."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from runtime.logs import get_logger
from worker.arrival import Arrival, Completion
from worker.fair_queue import FairQueue
from worker.isolation import compute_apart
from worker.processor import Processed, Processor
from worker.settings import CPU, WorkerSettings
from worker.switchboard import Switchboard

log = get_logger("worker")

FRAME_SECONDS = 0.001
"""The seconds that a frame costs beside computing: to be received, answered and settled, the broker's part included."""


class Inference:
    """One thread that computes arrivals, and calls these on it: `computed` with the outcomes of a batch and the seconds
    that it took, `failed` with the reason if the thread cannot go on.

    Each intake gets its share of the thread's time; its own arrivals are computed in their order. A batch is what is
    waiting of one intake, at most `batch_frames`: it waits for nothing. A frame that comes again is a batch of its own,
    computed in another process (see `worker.isolation`), on the CPU.
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
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What the waiting frames are to hear from other threads."""
        self._waiting: FairQueue[Arrival] = FairQueue(time.perf_counter)
        self._ending = False
        self._shared = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    # --- the connection's thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Divide the thread's time so between these intakes, by the names of their queues."""
        self._shared = True
        self._inbox.put(partial(self._waiting.weigh, weights))

    def put(self, arrival: Arrival) -> None:
        """Compute it when its turn comes."""
        self._inbox.put(partial(self._waiting.put, arrival.intake.queue, arrival))

    def settled(self, arrival: Arrival) -> None:
        """Hear that the arrival is settled, so that the next one of its intake may come."""
        if self._shared:
            self._inbox.put(partial(self._waiting.returned, arrival.intake.queue))

    def hurry(self) -> None:
        """Compute what is there without waiting for anything: nothing more will come."""
        self._inbox.put(self._waiting.hurry)

    def stop(self) -> None:
        """End after what was put before. Does not wait."""
        self._inbox.put(self._end)

    # --- the inference thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while batch := self._take():
                started = time.perf_counter()
                outcomes = self._compute(batch)
                now = time.perf_counter()
                items = [
                    Completion(arrival, outcome, now)
                    for arrival, outcome in zip(batch, outcomes, strict=True)
                ]
                cost = now - started + sum(arrival.spent + FRAME_SECONDS for arrival in batch)
                self._waiting.charge(batch[0].intake.queue, cost)
                self._computed(items, now - started)
        except Exception as error:
            log.exception("the inference thread crashed")
            self._failed(f"the inference thread crashed: {type(error).__name__}: {error}")

    def _take(self) -> list[Arrival]:
        """The next batch; empty at the end."""
        while True:
            self._hear()
            batch = self._waiting.take(self._most, _alone)
            if batch or (self._ending and not len(self._waiting)):
                return batch
            self._hear(wait=True)

    def _hear(self, *, wait: bool = False) -> None:
        """Take what is in the inbox; with `wait` at least one, as long as the frames at hand can wait."""
        try:
            if wait:
                self._inbox.get(timeout=self._waiting.patience())()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _end(self) -> None:
        self._ending = True
        self._waiting.hurry()

    def _compute(self, batch: list[Arrival]) -> list[Processed]:
        first = batch[0]
        if first.refusal is not None:
            return [first.refusal]
        if first.again:
            return [self._compute_apart(first)]
        return self._processor.process_many([arrival.given() for arrival in batch])

    def _compute_apart(self, arrival: Arrival) -> Processed:
        log.info(
            "computing a frame apart: it comes again", message_id=arrival.delivery.message_id, **arrival.words
        )
        model = self._switchboard.choose(None, arrival.camera_id).name
        return compute_apart(self._apart, model, arrival.given())


def _alone(arrival: Arrival) -> bool:
    return arrival.alone
