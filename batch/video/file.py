"""Opens the file of a video, and says what is wrong with a path."""

import io
from pathlib import Path

from batch.video.errors import VideoError


def video_file(path: Path, shown: str, *, growing: bool = False) -> io.BufferedReader:
    """The open file; an empty one is an error unless it is `growing`. Raises VideoError."""
    try:
        # Opening a pipe would wait for its other end.
        if path.exists() and not path.is_file():
            raise VideoError("not_a_video", f"{shown} is not a file")
        file = path.open("rb")
        if not growing and not file.seek(0, io.SEEK_END):
            file.close()
            raise VideoError("empty", f"{shown} is empty")
        file.seek(0)
    except FileNotFoundError:
        raise VideoError("missing", f"{shown} does not exist: check its path") from None
    except PermissionError:
        raise VideoError("forbidden", f"{shown} may not be read by this user") from None
    except (OSError, ValueError) as error:
        raise VideoError("io_error", f"{shown} cannot be read: {getattr(error, 'strerror', error)}") from None
    return file
