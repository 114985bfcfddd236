"""Where models come from: MODEL_DIR, the cache, or a download whose digest is checked."""

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

Report = Callable[[str], None]

TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class ModelFile:
    """A model as a file that can be fetched: its digest is pinned."""

    name: str
    filename: str
    sha256: str
    size: int
    urls: tuple[str, ...]


_ZOO = "47534e27c9851bb1128ccc0102f1145e27f23f98"
_YUNET = "face_detection_yunet_2026may.onnx"

YUNET = ModelFile(
    name="yunet",
    filename=_YUNET,
    sha256="ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    size=229_738,
    urls=(
        f"https://media.githubusercontent.com/media/opencv/opencv_zoo/{_ZOO}/models/face_detection_yunet/{_YUNET}",
        f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{_YUNET}",
    ),
)


class ModelUnavailable(RuntimeError):
    """The model is nowhere to be had; the message says where was looked and what to do."""


def locate(model: ModelFile, *, model_dir: Path | None, cache: Path, report: Report) -> Path:
    """The model's file: from `model_dir`, else the cache, else downloaded into the cache.

    A file with another digest is not used. Raises ModelUnavailable.
    """
    tried = []
    for folder in (model_dir, cache):
        if folder is None:
            continue
        path = folder / model.filename
        if path.is_file():
            if digest(path) == model.sha256:
                return path
            tried.append(f"{path} has another SHA-256 than expected")
        else:
            tried.append(f"not in {folder}")
    report(f"downloading {model.name} ({model.size // 1024} KB)")
    for url in model.urls:
        try:
            return download(model, url, cache)
        except (OSError, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) else error
            tried.append(f"{url.split('/')[2]}: {cause}")
    raise ModelUnavailable(
        f"model {model.name}: {'; '.join(tried)}. Put {model.filename} (SHA-256 {model.sha256}) into a folder "
        "and name it in MODEL_DIR"
    )


def download(model: ModelFile, url: str, cache: Path) -> Path:
    """Fetch into the cache; the file appears there only whole and with the right digest.

    Raises OSError if it cannot be fetched, ValueError if the digest is another.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "framefleet"})  # noqa: S310 - https, pinned
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        data = answer.read(model.size + 1)
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise ValueError(f"{len(data)} bytes with another SHA-256 than expected")
    cache.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=cache)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    path = cache / model.filename
    Path(temporary).replace(path)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
