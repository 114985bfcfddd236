"""What keeps objects by their names. A name is of `/`, letters, digits and `._-`, and says whose it is first."""

from pathlib import Path
from typing import Protocol


class ObjectsUnavailable(Exception):
    """The store does not answer, or does not take it; the sentence says what to do."""


class NoSuchObject(Exception):
    """There is no object of that name."""


class ObjectStore(Protocol):
    """Keeps objects. All of it waits, and raises ObjectsUnavailable."""

    def put(self, name: str, file: Path) -> None:
        """Keep what the file holds; the file is gone afterwards."""

    def get(self, name: str) -> bytes:
        """The object. Raises NoSuchObject."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with that, which ends with `/`."""

    def delete(self, prefix: str) -> None:
        """Delete all whose names begin with that, which ends with `/`."""


class MovingStore(ObjectStore, Protocol):
    """A store that can also give an object another name."""

    def move(self, name: str, to: str) -> None:
        """Call the object so; it is there under one of both names, or both, at any time. Raises NoSuchObject."""


def of_job(job_id: str) -> str:
    """What the names of a job's objects begin with: spread over 256 folders."""
    return f"{job_id[:2]}/{job_id}/"
