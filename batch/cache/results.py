"""What the kept bytes mean: the finding of a picture, or of a whole video."""

from pathlib import Path
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from batch.cache.disk import DiskLevel
from batch.cache.key import key
from batch.cache.levels import CacheLevels
from batch.cache.memory import MemoryLevel
from contract.models import MAX_SPEC_LENGTH
from contract.result import DetectedObject
from runtime.redis_level import redis_level

TTL_SECONDS = 30 * 86_400.0
MOST_DETECTIONS = 10_000
MEMORY_BYTES = 64 << 20
DISK_BYTES = 1 << 30


class PictureFinding(Struct, frozen=True, kw_only=True):
    """What a model found in a picture of `width` x `height` pixels; `model` as results name it."""

    detections: Annotated[list[DetectedObject], Meta(max_length=MOST_DETECTIONS)]
    width: Annotated[int, Meta(gt=0)]
    height: Annotated[int, Meta(gt=0)]
    model: Annotated[str, Meta(min_length=1, max_length=MAX_SPEC_LENGTH * 2)]

    def __post_init__(self) -> None:
        """A box lies in its picture: raises ValueError for one that no worker can have found."""
        for one in self.detections:
            fits = 0 <= one.x <= one.x + one.w <= self.width and 0 <= one.y <= one.y + one.h <= self.height
            if not fits or not 0 <= one.confidence <= 1 or one.w < 0 or one.h < 0:
                raise ValueError("a detection lies outside its picture")


Finding = TypeVar("Finding", bound=Struct)


class KeptFindings(Generic[Finding]):
    """Findings of one kind, by content and recipe. What is damaged, or was written by somebody else, is a miss."""

    def __init__(self, levels: CacheLevels, kind: str, finding: type[Finding]) -> None:
        self._levels = levels
        self._kind = kind
        self._decoder = msgspec.json.Decoder(finding)
        self._encoder = msgspec.json.Encoder()

    def lookup(self, content: bytes, recipe: str, parameters: str = "") -> Finding | None:
        """The finding for a content digest, as that recipe would compute it."""
        name = key(content, recipe, kind=self._kind, parameters=parameters)
        return self._levels.get(name, self._read)

    def store(self, content: bytes, recipe: str, finding: Finding, parameters: str = "") -> None:
        """Keep what that recipe computed."""
        name = key(content, recipe, kind=self._kind, parameters=parameters)
        self._levels.put(name, self._encoder.encode(finding))

    def _read(self, value: bytes) -> Finding:
        try:
            return self._decoder.decode(value)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError("this is not a finding") from error


def picture_findings(levels: CacheLevels) -> KeptFindings[PictureFinding]:
    """The findings of pictures."""
    return KeptFindings(levels, "picture", PictureFinding)


def levels(
    folder: Path | None,
    redis_url: str = "",
    *,
    memory_bytes: int = MEMORY_BYTES,
    disk_bytes: int = DISK_BYTES,
    ttl: float = TTL_SECONDS,
) -> CacheLevels:
    """Memory, the disk unless `folder` is None, and the Redis if there is an address."""
    made: list[MemoryLevel | DiskLevel] = [MemoryLevel(memory_bytes, ttl)]
    if folder is not None:
        made.append(DiskLevel(folder, disk_bytes, ttl))
    return CacheLevels([*made, *([redis_level(redis_url, ttl)] if redis_url else [])])
