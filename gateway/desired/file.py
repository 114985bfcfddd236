"""What is desired in a file, so that it outlives the gateway.

A file of its own, and not a table of the history: it is small, replaced as a whole, must be there when the history
is moved away or full, and a person can read it.
"""

from pathlib import Path

from gateway.desired.wish import Desired, Wish
from runtime.followed_files import replace_whole
from runtime.logs import get_logger

log = get_logger("gateway")


def load(folder: Path, wish: Wish[Desired]) -> Desired:
    """What was kept; nothing desired if there is no file, or (logged) none that can be read."""
    path = folder / wish.file
    try:
        desired = wish.parse(path.read_bytes())
        wish.check(desired)
    except FileNotFoundError:
        return wish.nothing
    except (OSError, ValueError) as error:
        log.warning(
            f"the desired {wish.name} cannot be read: nothing is desired until somebody asks again",
            file=str(path),
            error=str(error),
        )
        return wish.nothing
    return desired


def save(folder: Path, wish: Wish[Desired], desired: Desired) -> None:
    """Replace what was kept, at once and for good: after a crash the file is the old one or the new one.

    Blocks for the disk. Raises OSError.
    """
    replace_whole(folder / wish.file, wish.encode(desired))
