"""The picture of a dead letter, as far as there is one."""

from dataclasses import dataclass
from pathlib import Path

from broker import Delivery
from contract.errors import InvalidTask
from contract.task import parse_task

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes to save; `why_not` says why they are the message's body and no picture."""

    content: bytes
    suffix: str
    why_not: str = ""


def picture_of(delivery: Delivery) -> Picture:
    """The JPEG or PNG of a task in either form; else the body as it came."""
    try:
        image = parse_task(
            delivery.body,
            content_type=delivery.content_type,
            headers=delivery.headers,
            message_id=delivery.message_id,
        ).image
    except InvalidTask as error:
        # A broken task may still be a picture that somebody sent as it is.
        return _recognised(delivery.body) or Picture(delivery.body, ".bin", str(error))
    return _recognised(image) or Picture(image, ".bin", "its image is neither JPEG nor PNG")


def save(picture: Picture, file: Path) -> None:
    """Write a new file. Raises OSError, FileExistsError among them: nothing is overwritten."""
    with file.open("xb") as out:
        out.write(picture.content)


def _recognised(image: bytes) -> Picture | None:
    if image.startswith(JPEG):
        return Picture(image, ".jpg")
    return Picture(image, ".png") if image.startswith(PNG) else None
