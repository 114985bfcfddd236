"""What `${NAME}` in a file of cameras may stand for: what was meant for cameras, and no service's settings.

Whoever may write a camera's address decides where its variables are sent.
"""

import io
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from producer.errors import FileProblem, InvalidCameraFile

PREFIX = "CAMERA_"
FILE = "cameras.env"
MAX_BYTES = 1024 * 1024


def variables(cameras: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of cameras.env beside the file `cameras`, above those of `environment` that begin with CAMERA_.

    In cameras.env is one NAME='value' a line. Raises InvalidCameraFile if it is there and cannot be read.
    """
    meant = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    try:
        with cameras.with_name(FILE).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode()
    except FileNotFoundError:
        return meant
    except OSError as error:
        raise _unreadable(error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(f"it has more than {MAX_BYTES >> 20} MiB")
    own = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return meant | {name: value for name, value in own.items() if value is not None}


def _unreadable(why: str) -> InvalidCameraFile:
    return InvalidCameraFile([FileProblem(0, f"{FILE} beside it cannot be read: {why}")])
