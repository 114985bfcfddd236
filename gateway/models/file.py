"""The desired models in a file, so that they outlive the gateway.

A file of its own, and not a table of the history: it is small, replaced as a whole, must be there when the history
is moved away or full, and a person can read it.
"""

from pathlib import Path

from contract.models import DesiredModels, encode_desired, parse_desired
from gateway.models.revision import check
from runtime.followed_files import replace_whole
from runtime.logs import get_logger

log = get_logger("gateway")

FILE = "desired-models.json"


def load_desired(folder: Path) -> DesiredModels:
    """What was kept; nothing desired if there is no file, or (logged) none that can be read."""
    path = folder / FILE
    try:
        desired = parse_desired(path.read_bytes())
        check(desired)
    except FileNotFoundError:
        return DesiredModels()
    except (OSError, ValueError) as error:
        log.warning(
            "the desired models cannot be read: nothing is desired until somebody switches again",
            file=str(path),
            error=str(error),
        )
        return DesiredModels()
    return desired


def save_desired(folder: Path, desired: DesiredModels) -> None:
    """Replace what was kept, at once and for good: after a crash the file is the old one or the new one.

    Blocks for the disk. Raises OSError.
    """
    replace_whole(folder / FILE, encode_desired(desired))
