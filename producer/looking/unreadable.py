"""What cannot be looked at."""

from typing import Literal


class Unreadable(ValueError):
    """A picture that cannot be decoded. `reason` is one word for metrics: `corrupt` or `too_many_pixels`."""

    def __init__(self, reason: Literal["corrupt", "too_many_pixels"], text: str) -> None:
        super().__init__(text)
        self.reason: Literal["corrupt", "too_many_pixels"] = reason
