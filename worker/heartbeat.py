"""The worker's word on itself, every two seconds on `status`."""

import socket
import time
from collections.abc import Callable
from typing import Literal

from broker import Message
from contract.remote import RemoteReport
from contract.status import NodeStatus, encode_status, status_routing_key
from contract.topology import STATUS_EXCHANGE
from runtime.memory import resident_bytes
from runtime.version import VERSION
from worker.detection.detector import Named
from worker.recipes import recipe_of
from worker.settings import WorkerSettings
from worker.switchboard import Routes

SHORTEST_SECONDS = 0.5  # a shorter interval tells no rate: the heartbeat came out of turn

State = Literal["running", "draining", "stopped"]


class Tally:
    """Counts what a heartbeat reports: as frames settle, read once an interval."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark = clock()
        self._computed = 0
        self._busy = 0.0
        self._rates = (0.0, 0.0)
        self.processed = 0
        self.failed = 0
        self.expired = 0

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

    def expire(self) -> None:
        """Count a frame that was too old, once its expiry is recorded."""
        self.expired += 1

    def rates(self) -> tuple[float, float]:
        """Frames per second and busy share since the last call, or before it if that was just now."""
        now = self._clock()
        elapsed = now - self._mark
        if elapsed >= SHORTEST_SECONDS:
            self._rates = self._computed / elapsed, min(1.0, self._busy / elapsed)
            self._mark, self._computed, self._busy = now, 0, 0.0
        return self._rates


def heartbeat(
    settings: WorkerSettings,
    routes: Routes[Named],
    tally: Tally,
    state: State,
    since: float,
    device_fallback: str | None = None,
    *,
    drains: int = 0,
    drained: bool = False,
    remote: RemoteReport | None = None,
) -> Message:
    """The heartbeat as a message: transient, and nobody need be listening.

    `device_fallback` is why this node does not compute on the device that is expected of it; `drains` the revision of
    the desired drains that it acts on, and `drained` that it is out of work.
    """
    fallbacks = [reason for reason in (routes.fallback, device_fallback) if reason is not None]
    fps, busy = tally.rates()
    status = NodeStatus(
        node_id=settings.node_id,
        state=state,
        lane=settings.lane.value,
        model=routes.default.model,
        detector=routes.default.name,
        fallback="; ".join(fallbacks) or None,
        prefetch=settings.held_frames,
        fps=round(fps, 2),
        busy=round(busy, 3),
        processed=tally.processed,
        failed=tally.failed,
        expired=tally.expired,
        since=since,
        time=time.time(),
        version=VERSION,
        desired=routes.revision,
        model_error=routes.error,
        models=list(routes.reports),
        drains=drains,
        drained=drained,
        host=socket.gethostname(),
        memory=resident_bytes(),
        recipe=recipe_of(routes.default),
        remote=remote,
    )
    return Message(
        STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False, mandatory=False
    )
