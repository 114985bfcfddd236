"""How models are named, and which of them operators desire for which frames.

A model specification is `NAME`, or several names with the way their detections are merged:
`yunet`, `yunet,haar`, `yunet,haar:vote`.
"""

import re
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contract.errors import InvalidModelSpec
from contract.json import decode

MODEL_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z"
MAX_MODELS = 4
"""The most models that compute one frame."""
MAX_SPEC_LENGTH = 300

ModelSpecText = Annotated[str, Meta(min_length=1, max_length=MAX_SPEC_LENGTH)]

_NAME = re.compile(MODEL_NAME_PATTERN)


class Merge(StrEnum):
    """The way in which the detections of several models on one frame become one list."""

    ALL = "all"
    """Every detection of every model."""
    BEST = "best"
    """The most confident of the detections that lie on each other."""
    VOTE = "vote"
    """The detections that more than half of the models share, at the mean of their boxes."""


class ModelSpec(Struct, frozen=True):
    """One model, or several with a merge strategy. `str()` gives the canonical text."""

    names: tuple[str, ...]
    merge: Merge = Merge.BEST

    def __str__(self) -> str:
        text = ",".join(self.names)
        return text if self.merge is Merge.BEST else f"{text}:{self.merge}"


def parse_model_spec(text: str) -> ModelSpec:
    """Read `NAME[,NAME...][:all|best|vote]`. Raises InvalidModelSpec. The models need not exist."""
    if len(text) > MAX_SPEC_LENGTH:
        raise InvalidModelSpec(f"a model specification has at most {MAX_SPEC_LENGTH} characters")
    given, colon, strategy = text.strip().partition(":")
    names = tuple(name.strip() for name in given.split(","))
    for name in names:
        if not _NAME.match(name):
            raise InvalidModelSpec(
                f"{name!r} is not a model name: letters, digits, `_`, `.` and `-`, at most 64; "
                "several are separated by commas"
            )
    if len(set(names)) != len(names):
        raise InvalidModelSpec(f"{text!r} names a model twice")
    if len(names) > MAX_MODELS:
        raise InvalidModelSpec(f"at most {MAX_MODELS} models on one frame, not {len(names)}")
    try:
        merge = Merge(strategy) if colon else Merge.BEST
    except ValueError:
        raise InvalidModelSpec(f"{strategy!r} is not a merge strategy: all, best or vote") from None
    return ModelSpec(names, merge if len(names) > 1 else Merge.BEST)


class DesiredModels(Struct, frozen=True, kw_only=True, tag_field="kind", tag="models"):
    """The models that operators want, all of them at once, on `control`; the highest `revision` holds.

    Values are model specifications. A frame's model is that of its camera, else that of the worker's lane, else
    that of the cluster, else the worker's own setting; a task that names a model itself gets that one.
    """

    revision: int = 0
    cluster: ModelSpecText | None = None
    lanes: dict[str, ModelSpecText] = {}
    cameras: dict[str, ModelSpecText] = {}


class ModelReport(Struct, frozen=True, kw_only=True):
    """A model as a node knows it. `digest` is the file's SHA-256 in hex, None without a file.

    `state`: `loaded` and in use for some frames; `available`, its file is there (or it needs none); `missing`, its
    file would have to be fetched; `failed`, see `error`.
    """

    name: str
    state: str
    digest: str | None = None
    task: str = "face"
    licence: str | None = None
    error: str | None = None
    size: int | None = None
    """Bytes of its file."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DesiredModels)


def encode_desired(desired: DesiredModels) -> bytes:
    """Write the desired state as JSON for a file; for the wire see `contract.status`."""
    return _encoder.encode(desired)


def parse_desired(body: bytes) -> DesiredModels:
    """Read a desired state. Raises ValueError (msgspec.DecodeError)."""
    return decode(_decoder, body)
