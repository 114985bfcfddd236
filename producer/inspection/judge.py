"""The judge of a camera's pictures: is this frame sent, and is the camera well?"""

from dataclasses import dataclass

from producer.errors import Undecodable
from producer.inspection.gate import Gate, Look
from producer.inspection.health import Change, Health
from producer.inspection.luma import DETAIL, SMALL, Image, luma_of, luma_of_pixels


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a frame: whether it is sent and why (`Look`), and what it changed about the camera's health."""

    look: Look
    changes: list[Change]


class Judge:
    """A gate and, if given, health behind one call for each frame. `now` is monotonic seconds.

    A call takes up to a millisecond or two for 640 x 480; one camera's calls must not overlap.
    """

    def __init__(self, gate: Gate, health: Health | None) -> None:
        self.gate = gate
        self.health = health

    def encoded(self, data: bytes, now: float) -> Verdict:
        """A JPEG or PNG as the camera sent it."""
        look = self.gate.encoded(data, now)
        if self.health is None or look.reason in ("corrupt", "too_many_pixels"):
            return Verdict(look, [])
        if look.repeated:
            return Verdict(look, self.health.repeated(now))
        try:
            limit = self.gate.max_pixels
            luma = luma_of(data, max_pixels=limit) if look.luma is None else look.luma
            detail = luma_of(data, DETAIL, max_pixels=limit) if self.health.due(now) else None
        except Undecodable as error:  # the gate does not decode each one where motion is not looked at
            return Verdict(self.gate.unreadable(error), [])
        return Verdict(look, self.health.look(luma, now, detail))

    def pixels(self, image: Image, now: float) -> Verdict:
        """A decoded image: BGR or grey, uint8. The luma plane of a video frame is enough."""
        look = self.gate.pixels(image, now)
        if self.health is None or look.reason == "too_many_pixels":
            return Verdict(look, [])
        if look.repeated:
            return Verdict(look, self.health.repeated(now))
        luma = luma_of_pixels(image, SMALL) if look.luma is None else look.luma
        detail = luma_of_pixels(image, DETAIL) if self.health.due(now) else None
        return Verdict(look, self.health.look(luma, now, detail))

    def send_next(self) -> None:
        """Send the next frame, whatever it shows."""
        self.gate.send_next()

    def unmodified(self, now: float) -> list[Change]:
        """The camera says (HTTP 304) that its picture is still the one before."""
        return self.health.repeated(now) if self.health is not None else []
