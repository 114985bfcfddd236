"""The desired models in a file, so that they outlive the gateway.

A file of its own, and not a table of the history: it is small, replaced as a whole, must be there when the history
is moved away or full, and a person can read it.
"""

import os
import tempfile
from pathlib import Path

from contract.models import DesiredModels, encode_desired, parse_desired
from gateway.models.revision import check
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
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A name of its own: two gateways may share the folder.
    descriptor, written = tempfile.mkstemp(prefix=f"{FILE}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode_desired(desired))
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(folder / FILE)
    except OSError:
        Path(written).unlink(missing_ok=True)
        raise
    # The name, too, must be on the disk.
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
