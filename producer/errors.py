"""What goes wrong in a producer. Whoever starts one catches `ProducerError`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class ProducerError(Exception):
    """Anything that a producer says of its settings, cameras and sources. The text tells the operator what to do."""


class SourceError(ProducerError):
    """A source cannot go on. `reason` is one word for metrics and states, the text says what to do."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class CutShort(SourceError):
    """An answer ended within its picture: its length may have been wrong."""


class VideoAnswer(ProducerError):
    """An answer is not a picture but a video, or the playlist of one, which FFmpeg reads."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.playlist = "playlist" in name


class NotHttp(ProducerError):
    """Whoever answers does not speak HTTP, or no dialect of it that is known here."""


class PlaylistError(ProducerError):
    """An HLS playlist cannot be used; the text begins with the verb, since its camera is named before it."""


class NoPictures(ProducerError):
    """More than the size of the largest picture came, or many beginnings of one, and no picture was in it."""


class TooLarge(ProducerError):
    """A picture is larger than allowed."""


class Untrusted(ProducerError):
    """A camera shows another certificate than the one that is trusted."""


class OffLimits(ProducerError, OSError):
    """A name stands for an address of this machine, or of its network link, that no camera's address names."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"has a host whose name stands for an address of this machine or its network link ({address}): if that is "
            "meant, write that address in the name's place"
        )


class Undecodable(ProducerError, ValueError):
    """A picture cannot be decoded. `reason` is one word for metrics, the text says to the operator why."""

    def __init__(self, reason: Literal["corrupt", "too_many_pixels"], text: str) -> None:
        super().__init__(text)
        self.reason: Literal["corrupt", "too_many_pixels"] = reason


class InvalidSource(ProducerError):
    """A part of SOURCE cannot be understood; the message shows no credentials."""


class NearlyAddress(InvalidSource):
    """A part of SOURCE is not a path, and lacks what makes an address of it; the message shows nothing of it."""


class InvalidReference(ProducerError):
    """A `${NAME}` in cameras.yaml cannot be filled in; the message shows the variable's name at most."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong in which line of cameras.yaml (from 1; 0: in none), without any secret.

    `camera_id` names the only camera concerned, if one is.
    """

    line: int
    text: str
    camera_id: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class InvalidCameraFile(ProducerError):
    """The file of cameras as a whole says nothing usable; the message has a line for each of its `problems`."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
