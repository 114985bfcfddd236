"""A dead letter's picture as a file."""

from pathlib import Path

from broker import Delivery
from contract.letter_picture import LetterPicture, letter_picture


def picture_of(delivery: Delivery) -> LetterPicture:
    """Return the JPEG or PNG of a task in either form; else the body as it came."""
    return letter_picture(
        delivery.body,
        content_type=delivery.content_type,
        headers=delivery.headers,
        message_id=delivery.message_id,
    )


def save(picture: LetterPicture, file: Path) -> None:
    """Write a new file. Raises OSError, FileExistsError among them: nothing is overwritten."""
    with file.open("xb") as out:
        out.write(picture.content)
