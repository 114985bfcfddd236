"""The cascade: local workers find who is there, and a remote model describes what a rule names, once for each event.

Its picture goes to the lane `remote` as a frame of its own, where limits, money and privacy are looked after, and the
answer comes to the history as every result does. While no remote worker takes frames nothing is asked: a description
of an hour ago is worth nothing, and local detection has gone on.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial

from broker import Message, Outcome, Publisher
from contract.description import described_id
from contract.task import Task, TaskForm, encode_task
from contract.topology import Lane
from gateway.cascade_rules import Rules
from gateway.history.descriptions import Undescribed, claim
from gateway.history.faults import reason
from gateway.history.recorder import Recorder
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")

LOOK_SECONDS = 2.0


class Cascade:
    """`run` asks. `allowed`: whether a camera's frames may leave the house; `open_`: whether the lane takes frames."""

    def __init__(
        self,
        rules: Rules,
        recorder: Recorder,
        publisher: Publisher,
        metrics: GatewayMetrics,
        *,
        gap: float,
        allowed: Callable[[str], bool],
        open_: Callable[[], bool],
    ) -> None:
        self._rules = rules
        self._recorder = recorder
        self._publisher = publisher
        self._metrics = metrics
        self._gap = gap
        self._allowed = allowed
        self._open = open_

    async def run(self) -> None:
        """Look for events and send their pictures, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._open() and self._publisher.usable:
                try:
                    wanted = await self._recorder.change(
                        partial(
                            claim, rules=self._rules, allowed=self._allowed, wall=time.time(), gap=self._gap
                        )
                    )
                except Exception as error:  # the recorder says what is wrong with the history
                    log.debug("events could not be chosen for a remote model", reason=reason(error))
                    continue
                for each in wanted:
                    self._send(each)

    def _send(self, event: Undescribed) -> None:
        frame_id = described_id(event.frame_id)
        if frame_id is None:
            return
        task = encode_task(
            Task(
                image=event.picture,
                timestamp=event.captured,
                camera_id=event.camera_id,
                frame_id=frame_id,
            ),
            TaskForm.COMPACT,
        )
        message = Message(
            "", Lane.REMOTE.queue, task.body, task.content_type, task.headers, message_id=frame_id
        )
        self._publisher.publish(message, partial(self._sent, event.rule))

    def _sent(self, rule: str, outcome: Outcome) -> None:
        self._metrics.described.labels(rule, "sent" if outcome is Outcome.CONFIRMED else "refused").inc()


def permitted(patterns: Iterable[str], announced: Callable[[str], bool]) -> Callable[[str], bool]:
    """Whether a camera's frames may leave the house: by a pattern, or since its producer's file says so."""
    patterns = tuple(patterns)
    return lambda camera_id: (
        any(fnmatchcase(camera_id, pattern) for pattern in patterns) or announced(camera_id)
    )
