"""The gate: it lets through frames that show something new, and one now and then all the same."""

from dataclasses import dataclass, replace
from typing import Literal

from contract.picture import MAX_PIXELS
from producer.errors import Undecodable
from producer.inspection.luma import (
    MAX_REDUCED_PIXELS,
    Image,
    Luma,
    luma_of,
    luma_of_pixels,
    readable_size,
    too_many_pixels,
)
from producer.inspection.motion import Motion
from producer.inspection.repeats import Repeats

AREA = 0.002  # of the unmasked pixels: 10 of 80 x 60, less than the head whose face YuNet can just find
REFRESH = 10.0  # seconds

Reason = Literal["first", "changed", "refresh", "identical", "still", "corrupt", "too_many_pixels"]


@dataclass(frozen=True, slots=True)
class Look:
    """The verdict on one frame.

    reason: why it is sent (`first`, or the one before was lost; `changed`; `refresh`) or skipped (`identical`: byte
    for byte the one before; `still`; `corrupt`, `too_many_pixels`: cannot be looked at).
    motion: share of the picture that changed, 0-1; 0 where that was not computed.
    luma: the small grey picture, if the frame was decoded.
    repeated: byte for byte the frame before, whether it is sent or not.
    why: a sentence for the operator about a picture that cannot be looked at.
    """

    send: bool
    reason: Reason
    motion: float = 0.0
    luma: Luma | None = None
    repeated: bool = False
    why: str = ""


class Gate:
    """The gate of one camera. `now` is monotonic seconds. Without `motion` only identical pictures are skipped.

    A frame is sent at the latest `refresh` seconds after the last one that was. A frame of more than `max_pixels`, or
    one that does not decode, is not sent: it would come back as a dead letter. Without `motion` a frame is decoded to
    check this only when in doubt: if it is the first one, or the one before was not computed.
    """

    def __init__(
        self,
        motion: Motion | None,
        *,
        area: float = AREA,
        refresh: float = REFRESH,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        if not 0 < area < 1:
            raise ValueError(f"an area of {area}: it is a share of the picture, between 0 and 1")
        self._motion = motion
        self._area = area
        self._refresh = refresh
        self.max_pixels = max_pixels
        self._repeats = Repeats()
        self._luma: Luma | None = None  # of the last frame looked at
        self._unreadable: Look | None = None  # the verdict on that frame, if it could not be
        self._sent: float | None = None

    def encoded(self, data: bytes, now: float) -> Look:
        """Look at a JPEG or PNG. Takes up to a millisecond for a picture of 640 x 480."""
        if self._repeats.again(data):
            return self._again(now)
        try:
            if self._motion or self._sent is None:
                luma = luma_of(data, max_pixels=self.max_pixels)
            else:
                readable_size(data, self.max_pixels)
                luma = None
        except Undecodable as error:
            return self.unreadable(error)
        return self._new(luma, now)

    def pixels(self, image: Image, now: float) -> Look:
        """Look at an image in memory: grey or BGR, uint8. The luma plane of a video frame is enough."""
        if self._repeats.again(image):
            return self._again(now)
        height, width = image.shape[:2]
        if width * height > self.max_pixels:
            shrinks = self.max_pixels <= MAX_PIXELS and width * height <= MAX_REDUCED_PIXELS
            return self.unreadable(too_many_pixels(width, height, shrinks=shrinks))
        return self._new(luma_of_pixels(image) if self._motion else None, now)

    def unreadable(self, error: Undecodable) -> Look:
        """The frame at hand cannot be looked at: it is not sent after all."""
        self._unreadable = Look(False, error.reason, why=str(error))
        return self._unreadable

    def send_next(self) -> None:
        """Send the next frame, whatever it shows: what the last one showed may be unseen."""
        self._sent = None

    def _again(self, now: float) -> Look:
        if self._unreadable is not None:
            return self._unreadable
        if self._sent is not None and now - self._sent < self._refresh:
            return Look(False, "identical", repeated=True)
        reason: Reason = "first" if self._sent is None else "refresh"
        return replace(self._send(reason, 0.0, self._luma, now), repeated=True)

    def _new(self, luma: Luma | None, now: float) -> Look:
        self._luma, self._unreadable = luma, None
        changed = self._motion.changed(luma) if self._motion and luma is not None else 1.0
        if self._sent is None:
            return self._send("first", changed, luma, now)
        if changed > self._area:
            return self._send("changed", changed, luma, now)
        if now - self._sent >= self._refresh:
            return self._send("refresh", changed, luma, now)
        return Look(False, "still", changed, luma)

    def _send(self, reason: Reason, changed: float, luma: Luma | None, now: float) -> Look:
        self._sent = now
        if self._motion and luma is not None:
            self._motion.keep(luma)
        return Look(True, reason, changed, luma)
