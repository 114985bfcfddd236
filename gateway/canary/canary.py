"""When the canary sends a frame, and what the answer says. On the event loop; `now` is monotonic seconds.

There is one frame under way at most, also where nobody computes: the next one follows when the last one was answered,
or is no longer in the queue. Nobody else can answer for a worker: the reply queue has a name that the broker made up,
and each frame its own `correlation_id`, which both are seen only by who takes frames from the queue.
"""

import secrets
import time
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from broker import Message, Outcome, Publisher, QueueDepth
from contract.failures import ExpiryReason
from contract.identifiers import CANARY_CAMERA
from contract.result import Result, parse_result
from contract.task import Task, TaskForm, encode_task
from contract.topology import TASK_QUEUE
from gateway.canary.judgement import judge
from gateway.canary.metrics import LOST, REFUSED, CanaryMetrics
from gateway.canary.pictures import CanaryPicture, draw
from runtime.logs import get_logger

log = get_logger("canary")

PATIENCE_SECONDS = 10.0
"""A frame without an answer for so long is lost."""
STUCK_SECONDS = 300.0
"""So long a lost frame may be the reason why there is no other: its answer may have gone astray."""
MAX_REPLY_BYTES = 64 * 1024
RECENT = 12
"""Answers that are remembered: the last minute of them, at the usual pace."""
MISSES = 3
"""Of the recent answers; fewer are no reason to tell people."""
REMEMBER_SECONDS = 300.0
SHOWN = 80
"""Characters of a name that somebody else has chosen."""


class CanaryReply(NamedTuple):
    """What came by the reply queue: the `correlation_id`, and a result, perhaps."""

    correlation_id: str
    body: bytes


@dataclass(slots=True)
class _Asked:
    """A frame under way; `lost` once its time is over."""

    correlation_id: str
    picture: CanaryPicture
    sent: float
    lost: bool = False


class _Answer(NamedTuple):
    """A worker's answer as it is remembered; `at` is when it came."""

    at: float
    complete: bool
    node_id: str
    model: str


class Canary:
    """Sends a frame `every` so many seconds (0: none), one at a time, and judges what comes back.

    It begins when the live lane has a consumer for the first time: a cluster without one has nothing to prove.
    """

    def __init__(
        self,
        publisher: Publisher,
        depth: QueueDepth,
        metrics: CanaryMetrics,
        *,
        every: float,
        gateway_id: str,
    ) -> None:
        self._publisher = publisher
        self._depth = depth
        self._metrics = metrics
        self._every = every
        self._gateway_id = gateway_id
        self._chance = Random()  # noqa: S311 - where faces are drawn is not a secret
        self._begun = False
        self._next = 0.0
        self._asked: _Asked | None = None
        self._reply_to: str | None = None
        self._recent: deque[_Answer] = deque(maxlen=RECENT)
        self._complete = True

    def listening(self, queue: str) -> None:
        """Hear the name of the queue that replies come by."""
        self._reply_to = queue

    def deaf(self) -> None:
        """Hear that the reply queue is gone."""
        self._reply_to = None

    def tick(self, now: float) -> None:
        """Send the next frame when its time has come; call this once a second."""
        if now < self._next or not self._wanted():
            return
        if self._asked is not None:
            if now - self._asked.sent < PATIENCE_SECONDS:
                return
            self._lose(self._asked, now)
        self._next = now + self._every
        if self._asked is None:
            self._send(now)

    def heard(self, reply: CanaryReply) -> None:
        """Take a reply. What answers no frame that is under way is late, or somebody else's, and counts for nothing."""
        asked, now = self._asked, time.monotonic()
        if asked is None or reply.correlation_id != asked.correlation_id:
            return
        if len(reply.body) > MAX_REPLY_BYTES:
            return
        try:
            result = parse_result(reply.body)
        except ValueError:
            return
        self._asked = None
        if asked.lost:
            return
        if result.status != "ok" and result.reason == ExpiryReason.STALE:
            self._metrics.unanswered(LOST)  # a worker had it for too long
            return
        self._metrics.answered(now - asked.sent)
        self._judge(asked.picture, result, now)

    def trouble(self, now: float) -> str | None:
        """Say that faces are not found, and what to do; None while all is well."""
        answers = [answer for answer in self._recent if now - answer.at <= REMEMBER_SECONDS]
        misses = [answer for answer in answers if not answer.complete]
        if len(misses) < MISSES:
            return None
        last = misses[-1]
        return (
            f"Workers answer, and find no face where there is one, in {len(misses)} of the last {len(answers)} test "
            f"pictures (last: {last.node_id[:SHOWN]} with {last.model[:SHOWN] or 'no model'}). People may be missed on "
            "every camera although all looks well. Switch the model (Models), or restart these workers; docs/canary.md"
        )

    def _wanted(self) -> bool:
        self._begun = self._begun or self._depth.consumers.get(TASK_QUEUE, 0) > 0
        return self._every > 0 and self._begun

    def _lose(self, asked: _Asked, now: float) -> None:
        """Count a frame that is overdue, each turn anew while it waits: as long as it does, there is no other."""
        asked.lost = True
        self._metrics.unanswered(LOST)
        waits = self._depth.messages.get(TASK_QUEUE, 0) > 0
        if not waits or now - asked.sent > STUCK_SECONDS:
            self._asked = None

    def _send(self, now: float) -> None:
        if self._reply_to is None or not self._publisher.usable:
            self._metrics.unanswered(REFUSED)
            return
        asked = self._asked = _Asked(secrets.token_hex(16), draw(self._chance), now)

        def done(outcome: Outcome) -> None:
            if outcome is Outcome.CONFIRMED or self._asked is not asked:
                return
            self._asked = None
            if not asked.lost:
                self._metrics.unanswered(REFUSED)

        self._publisher.publish(self._message(asked, self._reply_to), done)

    def _message(self, asked: _Asked, reply_to: str) -> Message:
        frame_id = f"{CANARY_CAMERA}:{secrets.token_hex(8)}"
        task = encode_task(
            Task(image=asked.picture.jpeg, timestamp=time.time(), camera_id=CANARY_CAMERA, frame_id=frame_id),
            TaskForm.COMPACT,
        )
        return Message(
            "",
            TASK_QUEUE,
            task.body,
            content_type=task.content_type,
            headers=task.headers,
            message_id=frame_id,
            correlation_id=asked.correlation_id,
            reply_to=reply_to,
            app_id=self._gateway_id,
        )

    def _judge(self, picture: CanaryPicture, result: Result, now: float) -> None:
        score = judge(picture.faces, result.detections if result.status == "ok" else ())
        self._metrics.judged(score)
        self._recent.append(_Answer(now, score.complete, result.node_id, result.model))
        if score.complete != self._complete:
            self._complete = score.complete
            tell = log.info if score.complete else log.warning
            tell(
                "the canary's faces are found again"
                if score.complete
                else "the canary's faces are not found",
                found=score.found,
                known=score.known,
                node_id=result.node_id,
                model=result.model,
                reason=result.reason or None,
            )
