"""Decides when only keyframes are decoded, which is a tenth of the work, for cameras where nothing moves."""

LONGEST_GAP = 2.0  # seconds of media time: with longer gaps somebody who passes would be missed


class Keyframes:
    """Decides for each packet whether it is decoded. Pure; `asked` may be set from another thread.

    A keyframe needs no other frame, so the packets between two need not even reach the decoder. Once all frames are
    wanted again it takes the next keyframe to begin with: the frames before it refer to some that were not decoded.
    """

    def __init__(self) -> None:
        self.asked = False
        self._only = False
        self._last: float | None = None
        self._gap: float | None = None

    @property
    def only(self) -> bool:
        """Whether only keyframes are decoded at present."""
        return self._only

    def wants(self, key: bool, media: float | None) -> bool:
        """Whether a packet is decoded; `key` if it is a keyframe, `media` its second of media time, None if unknown."""
        if key:
            self._gap = media - self._last if media is not None and self._last is not None else None
            self._last = media
            self._only = self.asked and self._often
        elif self.asked and self._often:
            self._only = True
        return key or not self._only

    @property
    def _often(self) -> bool:
        return self._gap is not None and 0 < self._gap <= LONGEST_GAP
