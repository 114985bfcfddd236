"""Names of a model's classes in a text file, one per line, as YOLO's tools write them."""

from pathlib import Path

MAX_BYTES = 1_000_000
MAX_LENGTH = 100


def is_label(text: str) -> bool:
    """Check that it can be shown as it is: a result carries it to every viewer and terminal."""
    return 0 < len(text) <= MAX_LENGTH and text.isprintable()


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels in their order. Raises ValueError that says what is wrong with the file.

    An empty line in between is an error: it would silently give every class after it the name of its neighbour.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path} is too large for a list of labels")
        lines = [line.strip() for line in path.read_text("utf-8-sig").rstrip().splitlines()]
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not is_label(line):
            raise ValueError(
                f"{path}, line {number}: one label of 1 to {MAX_LENGTH} printable characters per line"
            )
    if not lines:
        raise ValueError(f"{path} has no labels")
    return tuple(lines)
