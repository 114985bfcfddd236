"""The picture of a dead letter, as far as there is one, and the part of it that a browser may be given. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from contract.envelope import unwrap
from contract.errors import InvalidTask, PictureCutOff, PictureError
from contract.picture import (
    JPEG_SIGNATURE,
    MAX_PIXELS,
    PNG_SIGNATURE,
    ContentType,
    picture_extent,
    picture_size,
)
from contract.task import MAX_BODY_BYTES, parse_task


@dataclass(frozen=True, slots=True)
class LetterPicture:
    """The bytes to save; `why_not` says why they are the message's body and no picture."""

    content: bytes
    suffix: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A JPEG or PNG and nothing besides; `damage` says what is wrong with it, else it is empty."""

    content: bytes
    content_type: ContentType
    width: int
    height: int
    damage: str = ""


def letter_picture(
    body: bytes, *, content_type: str | None, headers: Mapping[str, Any], message_id: str | None
) -> LetterPicture:
    """Return the JPEG or PNG of a task in either form, otherwise wrong or not; else the body as it came."""
    try:
        image = parse_task(body, content_type=content_type, headers=headers, message_id=message_id).image
    except InvalidTask as error:
        # A broken task may still be a picture that somebody sent as it is, or have one in its field.
        return _recognised(body) or _in_field(body) or LetterPicture(body, ".bin", str(error))
    return _recognised(image) or LetterPicture(image, ".bin", "its image is neither JPEG nor PNG")


def shown_picture(picture: LetterPicture) -> ShownPicture:
    """Return what a browser may be given as an image: from the first byte to the last a JPEG or PNG of a bounded size.

    One without its end is given as far as it goes, which browsers draw. Raises PictureError for what is not a picture.
    """
    content = picture.content
    if picture.why_not:
        raise PictureError(picture.why_not)
    kind: ContentType = "image/jpeg" if content.startswith(JPEG_SIGNATURE) else "image/png"
    damage = ""
    try:
        extent = picture_extent(content)
        content, width, height = extent.cut(content), extent.width, extent.height
    except PictureCutOff as error:
        (width, height), damage = picture_size(content), str(error)
    if width <= 0 or height <= 0 or width * height > MAX_PIXELS:
        raise PictureError(f"it claims {width} × {height} pixels, more than is shown: save it instead")
    return ShownPicture(content, kind, width, height, damage)


def _recognised(image: bytes) -> LetterPicture | None:
    if image.startswith(JPEG_SIGNATURE):
        return LetterPicture(image, ".jpg")
    return LetterPicture(image, ".png") if image.startswith(PNG_SIGNATURE) else None


class _Frame(msgspec.Struct):
    frame: bytes  # base64


def _in_field(body: bytes) -> LetterPicture | None:
    try:
        return _recognised(msgspec.json.decode(unwrap(body, MAX_BODY_BYTES), type=_Frame).frame)
    except (InvalidTask, msgspec.MsgspecError, ValueError, RecursionError):
        return None
