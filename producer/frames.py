"""Pictures and frames, and what a source yields: a picture with its capture time, or that one was skipped or is due."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.topology import Lane

Image = NDArray[np.uint8]  # BGR, height x width x 3
FINE = 95  # JPEG quality of a picture that will be encoded once more


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as the bytes of its file: what travels to a worker."""

    data: bytes
    content_type: str  # image/jpeg or image/png

    def encoded(self, quality: int) -> "Encoded":
        """Return itself: a JPEG or PNG that nobody touched passes through unchanged."""
        del quality
        return self


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image in memory, encoded only when its turn to be sent comes: replaced frames cost no encoding."""

    image: Image

    def encoded(self, quality: int) -> Encoded:
        """Encode it as a JPEG of `quality` 1-100. Takes milliseconds: call it in a thread."""
        return Encoded(encode_jpeg(self.image, quality), "image/jpeg")


class Picture(Protocol):
    """Whatever can become the bytes of a JPEG or PNG."""

    def encoded(self, quality: int) -> Encoded: ...


@dataclass(frozen=True, slots=True)
class Captured:
    """One frame: when it was captured (Unix seconds), its picture, and the `name` of its file if it came from one.

    `motion` is the share of the picture, 0-1, that has changed since the last one that was sent; None: not looked at.
    """

    timestamp: float
    picture: Picture
    name: str = ""
    motion: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A captured frame with its identity: `<camera_id>:<when it was taken up, in milliseconds>:<counter>`."""

    camera_id: str
    frame_id: str
    timestamp: float
    picture: Picture
    lane: Lane = Lane.LIVE
    model: str | None = None
    motion: float | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Frames that the source itself left out. A `detail` is worth a log line, the first time that it is told."""

    reason: str
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Due:
    """The next picture is due. It is fetched once the source is asked for its next item: when it can be sent."""


class Source(Protocol):
    """Where the frames of one camera come from."""

    @property
    def retries(self) -> bool:
        """True if opening it again later can help: with devices and networks it can, with a broken file it cannot."""

    def frames(self) -> AsyncGenerator[Captured | Skipped | Due]:
        """Opens the source and yields its frames at its pace; ends where the source ends.

        Raises SourceError when it cannot be opened or breaks; may be called again afterwards.
        """


def recompressed(encoded: Encoded, quality: int) -> Encoded:
    """Encode a PNG or JPEG that is too large to be sent as a JPEG of `quality`. Raises ValueError if it is no image."""
    image = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("the picture cannot be decoded")
    return Encoded(encode_jpeg(np.asarray(image, np.uint8), quality), "image/jpeg")


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Encode the image as JPEG. Raises ValueError when OpenCV cannot."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as JPEG")
    return data.tobytes()
