"""A camera's condition: what it is doing, and when that changes. Pure: times are arguments.

connecting -> live once a good frame comes; degraded while it fails but may recover at once, while its pictures show
that something is wrong with it, or while none of them can be used; offline when it does not recover; stalled when it is
open and silent; disabled when it is switched off or came to its end.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from contract.status import CameraLabels, CameraReport, CameraState, CameraStatus, Polygon
from producer.catalogue.grammar import CameraSpec
from producer.errors import SourceError

FAILURES_UNTIL_OFFLINE = 3
STALLED_AFTER = 5.0  # seconds without a frame, or three intervals of a slow camera
LONGEST_PATIENCE = 60.0  # with a camera that turns out to be slow
LEFT_OUT, LEFT_OUT_SECONDS = 3, 2.0  # frames in a row, for so long, before a camera has no good ones
DETAILS = 1_000  # different messages of one camera that are told, once each


class Condition:
    """One camera's state and counts. `now` is monotonic seconds, `wall` Unix seconds.

    `changed` hears each transition.
    """

    def __init__(
        self,
        spec: CameraSpec,
        *,
        producer_id: str,
        wall: float,
        fps: float = 0.0,
        changed: Callable[["Condition"], None] = lambda condition: None,
    ) -> None:
        self.spec = spec
        self.state: CameraState = "connecting"
        self.reason: str | None = None
        self.since = wall
        self.labels: CameraLabels | None = None
        self.remote = False
        self.masks: list[Polygon] = []
        self.sent = 0
        self.skipped = 0
        self.dropped: Counter[str] = Counter()
        self.waiting_for_queue = False  # for its turn, or to be sent: that is not silence
        self._producer_id = producer_id
        self._patience = max(STALLED_AFTER, 3 / fps if fps else 0.0)
        self._changed = changed
        self._captured = 0
        self._defects: dict[str, str] = {}
        self._failures = 0
        self._alive = float("-inf")
        self._interval = 0.0  # between its last two signs of life
        self._left_out = 0  # frames in a row, since
        self._left_out_since = 0.0
        self._left_out_why = ""
        self._told: set[str] = set()
        self._counted = 0
        self._counted_at: float | None = None
        self._fps = 0.0

    @property
    def camera_id(self) -> str:
        return self.spec.camera_id

    def captured(self, now: float, wall: float) -> None:
        """A picture came that is worth sending."""
        self.good(now, wall)
        self._captured += 1

    def nothing_new(self, now: float, wall: float) -> None:
        """A frame came that is not sent: it shows what the last one showed."""
        self.captured(now, wall)
        self.skipped += 1

    def good(self, now: float, wall: float) -> None:
        """A picture came that can be used."""
        self._left_out = 0
        self._lives(now)
        self._well(wall)

    def alive(self, now: float, wall: float) -> None:
        """The source gave a sign of life, which says nothing of its pictures."""
        self._lives(now)
        if self.state == "stalled" and not self._left_out:
            self._well(wall)

    def left_out(self, why: str, now: float, wall: float, *, count: int = 1) -> None:
        """A picture came that cannot be used, for the reason that the sentence `why` says."""
        self._lives(now)
        if not self._left_out:
            self._left_out_since = now
        self._left_out += count
        self._left_out_why = why
        if self._left_out >= LEFT_OUT and now - self._left_out_since >= LEFT_OUT_SECONDS:
            self._become("degraded", why, wall)

    def waiting(self, why: str, now: float, wall: float) -> None:
        """The source is open, and its first picture is still to come; `why` is a sentence."""
        self._lives(now)
        self._become("connecting" if self.state in ("connecting", "offline") else "degraded", why, wall)

    def _lives(self, now: float) -> None:
        if self._alive > float("-inf"):
            self._interval = now - self._alive
        self._alive = now
        self._failures = 0

    def _well(self, wall: float) -> None:
        if self._defects:
            self._become(
                "degraded", "; ".join(f"{name}: {text}" for name, text in self._defects.items()), wall
            )
        else:
            self._become("live", None, wall)

    def defect(self, name: str, text: str | None) -> None:
        """Something is wrong with its pictures, which `text` says; None: no longer. Told with the next frame."""
        if text is None:
            self._defects.pop(name, None)
        else:
            self._defects[name] = text

    def well(self) -> None:
        """Forget what was wrong with its pictures."""
        self._defects.clear()

    def switched_off(self, wall: float) -> None:
        """The camera is not to be served."""
        self._become("disabled", "switched off in cameras.yaml (enabled: false)", wall)

    def failed(self, error: SourceError, wall: float, *, final: bool = False) -> None:
        """The source could not be opened or broke off."""
        self._failures += 1
        self._left_out = 0
        self._alive = float("-inf")
        was_up = self.state in ("live", "degraded", "stalled")
        hopeful = was_up and not final and self._failures < FAILURES_UNTIL_OFFLINE
        self._become("degraded" if hopeful else "offline", str(error), wall)

    def ended(self, wall: float) -> None:
        """The source came to its end."""
        self._become("disabled", "finished: its source came to its end", wall)

    def tick(self, now: float, wall: float) -> None:
        """Notice silence. A recording cannot be silent: its next picture may be due in a minute."""
        patience = max(self._patience, min(3 * self._interval, LONGEST_PATIENCE))
        if (
            self.state in ("live", "degraded")
            and self.spec.kind != "video"
            and not self._failures
            and not self.waiting_for_queue
            and now - self._alive > patience
        ):
            self._become("stalled", f"no frame for {patience:.0f} s", wall)
        elif self.state == "connecting" and self._left_out and now - self._left_out_since > patience:
            self._become("degraded", self._left_out_why, wall)

    def news(self, detail: str) -> bool:
        """Return whether this message was not told before, and remember it."""
        if detail in self._told or len(self._told) >= DETAILS:
            return False
        self._told.add(detail)
        return True

    def report(self, now: float) -> CameraReport:
        """The camera in its producer's heartbeat."""
        return CameraReport(
            camera_id=self.camera_id,
            state=self.state,
            reason=self.reason,
            since=self.since,
            fps=self._rate(now),
            sent=self.sent,
            dropped=dict(self.dropped),
            skipped=self.skipped,
            labels=self.labels,
            remote=self.remote,
            masks=self.masks,
        )

    def status(self, now: float, wall: float) -> CameraStatus:
        """The camera as it is told at a change."""
        report = msgspec.structs.asdict(self.report(now))
        return CameraStatus(producer_id=self._producer_id, time=wall, **report)

    def _rate(self, now: float) -> float:
        """Frames per second since the last count. A slow camera is counted when one came; till then it is no faster."""
        if self._counted_at is None:
            self._counted, self._counted_at = self._captured, now
        elif (passed := now - self._counted_at) >= 1.0:
            if came := self._captured - self._counted:
                self._fps = came / passed
                self._counted, self._counted_at = self._captured, now
            else:
                self._fps = min(self._fps, 1 / passed)
        return round(self._fps, 2)

    def _become(self, state: CameraState, reason: str | None, wall: float) -> None:
        # Another reason in the same state is told too, but the state began when it began.
        if (state, reason) == (self.state, self.reason):
            return
        if state != self.state:
            self.since = wall
        self.state, self.reason = state, reason
        self._changed(self)
