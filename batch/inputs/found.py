"""What listing finds."""

from dataclasses import dataclass

from batch.inputs.kinds import PICTURE


@dataclass(frozen=True, slots=True)
class Found:
    """An item, or with a `reason` what could not be one. `changed` is its file's time of change in nanoseconds."""

    path: bytes
    size: int | None = None
    changed: int | None = None
    archive: bytes | None = None
    member: str | None = None
    reason: str | None = None
    error: str | None = None
    kind: str = PICTURE
