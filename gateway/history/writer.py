"""The history as the recorder writes it. Synchronous: one object, used by one thread at a time."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DataError, IntegrityError

from contract.result import Result
from contract.status import CameraLabels
from gateway.errors import Unstorable
from gateway.history.database import Database
from gateway.history.faults import HistoryFault
from gateway.history.retention import Pruner, RetentionLimits, size
from gateway.history.store import Labels, Repeat, Stored, ThumbnailRequest, store
from gateway.history.tables import results
from gateway.history.thumbnail_store import Thumbnail, store_thumbnails

RACES = 3
T = TypeVar("T")


def nameless(_camera_id: str) -> CameraLabels:
    """For a history that knows no cameras' labels."""
    return CameraLabels()


class HistoryWriter:
    """Raises OSError, HistoryError and sqlalchemy's errors: the batch is not written then."""

    def __init__(
        self,
        database: Database,
        *,
        labels: Labels = nameless,
        gap: float = 5.0,
        limits: RetentionLimits | None = None,
    ) -> None:
        self.unstorable = 0
        """Results left out because no database could hold them."""
        self._database = database
        self._labels = labels
        self._gap = gap
        self._pruner = Pruner(limits or RetentionLimits())

    @property
    def damage(self) -> HistoryFault | None:
        """Why nothing is written until somebody acts, if the file is damaged."""
        return self._database.damage

    def fault(self, error: Exception) -> HistoryFault:
        """What an error of a method means, for the operator."""
        return self._database.fault(error)

    def open(self) -> None:
        """Make the database ready; nothing happens the second time."""
        self._database.open()

    def store(self, batch: Sequence[Result], wall: float, unlisted: Collection[str] = ()) -> Stored:
        """Write results in one transaction; known frame_ids are left as they are, and `unlisted` cameras have results
        only."""
        self.open()
        try:
            return self._store(batch, wall, unlisted)
        except (Unstorable, DataError):  # one of them, and the others must not wait for it
            return self._one_by_one(batch, wall, unlisted)

    def store_thumbnails(self, thumbnails: Sequence[Thumbnail]) -> int:
        """Keep pictures whose cameras' events are there and have none as good; how many that were."""
        self.open()
        with self._database.writing() as connection:
            return store_thumbnails(connection, thumbnails, self._gap)

    def change(self, deed: Callable[[Connection], T]) -> T:
        """Do something of an operator's to the history, in one transaction."""
        self.open()
        with self._database.writing() as connection:
            return deed(connection)

    def prune(self, wall: float) -> dict[str, int]:
        """Delete some of what is too old or too much; how many by kind, nothing when done."""
        self.open()
        with self._database.writing() as connection:
            return self._pruner.step(connection, wall)

    def count(self) -> int:
        """How many results are kept."""
        self.open()
        with self._database.writing() as connection:
            return connection.scalar(select(func.count()).select_from(results)) or 0

    def size(self) -> int:
        """Bytes that the history takes, free room for reuse left out where the database can tell."""
        self.open()
        with self._database.writing() as connection:
            return size(connection)

    def free(self) -> int | None:
        """Bytes that are left on its disk; None where that is not ours to know. Raises OSError."""
        return self._database.free()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _store(self, batch: Sequence[Result], wall: float, unlisted: Collection[str]) -> Stored:
        for _ in range(RACES):
            try:
                with self._database.writing() as connection:
                    return store(connection, batch, wall, self._labels, self._gap, unlisted)
            except IntegrityError:  # a batch that was delivered to another gateway meanwhile: look again
                continue
        with self._database.writing() as connection:
            return store(connection, batch, wall, self._labels, self._gap, unlisted)

    def _one_by_one(self, batch: Sequence[Result], wall: float, unlisted: Collection[str]) -> Stored:
        new = 0
        requests: list[ThumbnailRequest] = []
        repeats: list[Repeat] = []
        for result in batch:
            try:
                stored = self._store([result], wall, unlisted)
            except (Unstorable, DataError):
                self.unstorable += 1
            else:
                new += stored.new
                requests += stored.requests
                repeats += stored.repeats
        return Stored(new, requests, repeats)
