"""A camera's inspector: it says which pictures are worth sending, and what of them may leave."""

import asyncio

from producer.frames import Encoded, Picture, Pixels
from producer.inspection.gate import Gate
from producer.inspection.health import Change, Health
from producer.inspection.judge import Judge, Verdict
from producer.inspection.masks import Mask
from producer.inspection.motion import Motion
from producer.inspection.outgoing import Altered, Outgoing
from producer.inspection.sight import Sight

AT_ONCE = 200_000  # bytes; a larger picture is looked at in a thread, so that it holds up no other camera


class Inspector:
    """Recreated when the camera's `sight` changes. `now` is monotonic seconds."""

    def __init__(self, sight: Sight) -> None:
        mask = Mask(sight.masks) if sight.masks else None
        self._outgoing = Outgoing(mask, sight.longer_side, sight.quality, sight.recompress)
        limit = self._outgoing.max_pixels
        motion = None
        if sight.motion is not None:
            threshold, area = sight.motion
            motion = Motion(threshold=threshold, mask=mask)
            gate = Gate(motion, area=area, refresh=sight.refresh, max_pixels=limit)
        else:
            gate = Gate(None, refresh=sight.refresh, max_pixels=limit)
        self._judge = Judge(gate, Health(mask) if sight.health else None)

    async def look(self, picture: Encoded | Pixels, now: float) -> Verdict:
        """Judge whether this frame is sent, and what it changed about the camera's health."""
        if isinstance(picture, Pixels):
            return await asyncio.to_thread(self._judge.pixels, picture.image, now)
        if len(picture.data) > AT_ONCE:
            return await asyncio.to_thread(self._judge.encoded, picture.data, now)
        return self._judge.encoded(picture.data, now)

    def unmodified(self, now: float) -> list[Change]:
        """The camera says that its picture is still the one before."""
        return self._judge.unmodified(now)

    def leaving(self, picture: Picture) -> Picture:
        """Return the picture as it may be seen outside. What has to be done to it is done when it is sent."""
        return Altered(picture, self._outgoing) if self._outgoing.changes else picture

    def send_next(self) -> None:
        """Send the next frame, whatever it shows."""
        self._judge.send_next()

    def away(self) -> None:
        """The source broke off: the time until it is back says nothing about the camera's health."""
        if self._judge.health is not None:
            self._judge.health.restart()
