"""Pictures as they leave the producer: masked, perhaps smaller. What cannot be masked does not leave."""

from dataclasses import dataclass

import cv2
import numpy as np

from contract.picture import MAX_PIXELS
from producer.frames import FINE, Encoded, Picture, Pixels, encode_jpeg
from producer.inspection.luma import MAX_REDUCED_PIXELS, Image, readable_size, reduction
from producer.inspection.masks import Mask
from producer.inspection.unreadable import undecodable

REDUCED_COLOUR = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class Outgoing:
    """How one camera's pictures leave.

    mask: filled with black. longer_side: pixels; larger pictures are made smaller. quality: JPEG 1-100 of what is
    encoded here. recompress: encode JPEGs that need no change too, to save bandwidth.
    """

    mask: Mask | None = None
    longer_side: int | None = None
    quality: int = 85
    recompress: bool = False

    @property
    def changes(self) -> bool:
        """True if any picture can be changed at all."""
        return bool(self.mask) or self.longer_side is not None or self.recompress

    @property
    def max_pixels(self) -> int:
        """How many a picture may have: more if no more than usual are left of them as it is decoded."""
        if self.longer_side is None or (2 * self.longer_side) ** 2 > MAX_PIXELS:
            return MAX_PIXELS
        return MAX_REDUCED_PIXELS

    def altered(self, image: Image) -> Image:
        """The image (BGR or grey, uint8) as it may be seen: smaller first, then masked, so that edges stay black."""
        height, width = image.shape[:2]
        if self.longer_side is not None and max(height, width) > self.longer_side:
            scale = self.longer_side / max(height, width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return self.mask.filled(image) if self.mask else image

    def encoded(self, picture: Encoded) -> Encoded:
        """The picture, byte for byte the same if nothing is to be done to it; else a JPEG without metadata.

        (A thumbnail in the metadata would show what the mask hides.) Takes milliseconds: call it in a thread. Raises
        Unreadable, a ValueError, for a picture that cannot be decoded or has more than `max_pixels`.
        """
        if not self.changes:
            return picture
        width, height = readable_size(picture.data, self.max_pixels)
        shrinks = self.longer_side is not None and max(width, height) > self.longer_side
        if not (self.mask or shrinks or self.recompress):
            return picture
        image = _decoded(picture, reduction(max(width, height), self.longer_side))
        data = encode_jpeg(self.altered(image), self.quality)
        if not (self.mask or shrinks) and len(data) >= len(picture.data):
            return picture
        return Encoded(data, "image/jpeg")


@dataclass(frozen=True, slots=True)
class Altered:
    """A picture that is changed when its turn to be sent comes: one that is replaced before costs nothing."""

    picture: Picture
    outgoing: Outgoing

    def encoded(self, quality: int) -> Encoded:
        """As JPEG of `quality`, or of the outgoing's own where the source had a file. Takes milliseconds."""
        if isinstance(self.picture, Pixels):
            return Pixels(self.outgoing.altered(self.picture.image)).encoded(quality)
        return self.outgoing.encoded(self.picture.encoded(FINE))


def _decoded(picture: Encoded, factor: int) -> Image:
    """A JPEG at an n-th of its size; a PNG cannot be decoded smaller."""
    flags = REDUCED_COLOUR[factor if picture.content_type == "image/jpeg" else 1]
    try:
        image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise undecodable(picture.data)
    return np.asarray(image, np.uint8)
