"""What is wrong with a video, as a word for books and a sentence for people."""

from typing import Literal

Reason = Literal[
    "empty",
    "forbidden",
    "io_error",
    "memory",
    "missing",
    "no_frames",
    "no_video",
    "not_a_video",
    "too_many_pixels",
    "crashed",
    "reader_failed",
    "stuck",
]


class VideoError(Exception):
    """A video that cannot be read, or no further. `reason` is one word of a few."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason: Reason = reason
