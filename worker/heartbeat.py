"""The worker's word on itself, every two seconds on `status`."""

import time
from collections.abc import Callable
from typing import Literal

from broker import Message
from contract.status import NodeStatus, encode_status, status_routing_key
from contract.topology import STATUS_EXCHANGE
from runtime.version import VERSION
from worker.choice import Choice
from worker.settings import WorkerSettings

State = Literal["running", "draining", "stopped"]


class Tally:
    """What a heartbeat reports: counted as frames settle, read once an interval."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark = clock()
        self._computed = 0
        self._busy = 0.0
        self.processed = 0
        self.failed = 0

    def busy(self, seconds: float) -> None:
        """Add time that the inference thread computed."""
        self._busy += seconds

    def settled(self, ok: bool) -> None:
        """Count a frame with its result, or a dead letter."""
        if ok:
            self.processed += 1
            self._computed += 1
        else:
            self.failed += 1

    def rates(self) -> tuple[float, float]:
        """Frames per second and busy share since the last call."""
        now = self._clock()
        elapsed = max(1e-3, now - self._mark)
        rates = self._computed / elapsed, min(1.0, self._busy / elapsed)
        self._mark, self._computed, self._busy = now, 0, 0.0
        return rates


def heartbeat(settings: WorkerSettings, choice: Choice, tally: Tally, state: State, since: float) -> Message:
    """The heartbeat as a message: transient, and nobody need be listening."""
    fps, busy = tally.rates()
    status = NodeStatus(
        node_id=settings.node_id,
        state=state,
        lane=settings.lane.value,
        model=choice.detector.model,
        detector=choice.detector.name,
        fallback=choice.fallback,
        prefetch=settings.prefetch,
        fps=round(fps, 2),
        busy=round(busy, 3),
        processed=tally.processed,
        failed=tally.failed,
        since=since,
        time=time.time(),
        version=VERSION,
    )
    return Message(
        STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False, mandatory=False
    )
