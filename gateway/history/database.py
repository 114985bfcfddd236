"""The database behind the history: one SQLite file for one gateway, or PostgreSQL for several.

A writer (the recorder's thread) and some readers, each with connections of their own. Blocking: not on the event loop.
"""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from gateway.errors import (
    HistoryDamaged,
    HistoryMoved,
    HistoryOccupied,
    HistoryTooSlow,
    HistoryUnavailable,
    WrongEncoding,
)
from gateway.history.faults import HistoryFault, fault, is_damage, reason
from gateway.history.schema import migrate

READERS = 4
BUSY_SECONDS = 10
CONNECT_SECONDS = 5
WRITE_SECONDS = 60
QUERY_CANCELED = "57014"
ENCODINGS = ("UTF8", "SQL_ASCII")
"""SQL_ASCII, what a cluster made without a locale has, holds any bytes."""
# A gateway that vanishes from the network must not keep its locks: the server looks after ten seconds, not two hours.
WRITER_OPTIONS = (
    f"-c statement_timeout={WRITE_SECONDS}s -c idle_in_transaction_session_timeout={WRITE_SECONDS}s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


Version = tuple[int, int, int, int] | None


class Database:
    """`url` names a PostgreSQL (`postgresql://user:password@host/name`); if it is empty, `path` is the SQLite file."""

    def __init__(self, url: str, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._file: tuple[int, int] | None = None
        self._damage: tuple[str, Version] | None = None
        self.opened = False
        self.postgresql = bool(url)
        if url:
            server = make_url(url).set(drivername="postgresql+psycopg")
            self._writer = _postgresql(server, WRITER_OPTIONS, "recorder", 2)
            self._readers = _postgresql(server, "-c default_transaction_read_only=on", "reader", READERS)
        else:
            self._writer = _sqlite(path, readonly=False)
            self._readers = _sqlite(path, readonly=True)

    def claim(self) -> None:
        """Take the SQLite file for this process. Raises HistoryOccupied, and OSError where it cannot be.

        The lock goes with the process, whatever ends it.
        """
        if self.postgresql or self._lock is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # the token's folder, too
        lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise HistoryOccupied(
                f"another gateway writes the history {self._path}, and a SQLite file is for one: stop that one, give "
                "this one a GATEWAY_DATA_DIR of its own, or let all share a PostgreSQL "
                "(DATABASE_URL=postgresql://user:password@host/name)"
            ) from None
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    def open(self) -> None:
        """Make it ready: the file, the tables. Nothing happens the second time.

        Raises OSError, HistoryError and sqlalchemy's errors; may be called again.
        """
        if self.opened:
            return
        if self._damage is not None:
            said, version = self._damage
            if _version(self._path) == version:
                raise HistoryDamaged(said)
            self._damage = None
        self.claim()
        with self._letting_go():
            with self._writer.connect() as connection:
                _check_encoding(connection)
                migrate(connection)
            self._file = None if self.postgresql else _identity(self._path)
        self.opened = True

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, on disk then."""
        with self._letting_go(), self._writer.begin() as connection:
            yield connection
            # Else what is acknowledged would be in a file that nobody finds again.
            if self._file is not None and _identity(self._path) != self._file:
                raise HistoryMoved

    @property
    def damage(self) -> HistoryFault | None:
        """Set once the SQLite file was found damaged, by whoever used it, until there is another one."""
        return None if self._damage is None else fault(HistoryDamaged(self._damage[0]), self._path)

    def fault(self, error: Exception) -> HistoryFault:
        """What an error of this database means, for the operator."""
        return fault(error, self._path)

    @contextmanager
    def reading(self, seconds: float) -> Iterator[Connection]:
        """A connection that sees one state of the database. Raises HistoryTooSlow, HistoryUnavailable."""
        if (damage := self.damage) is not None:
            raise HistoryUnavailable(f"the history cannot be read: {damage.sentence}")
        if not self.opened:
            raise HistoryUnavailable("the history is not open yet: /readyz says what is missing")
        try:
            with self._readers.connect() as connection, _deadline(connection, seconds):
                yield connection
        except DBAPIError as error:
            if _interrupted(error):
                raise HistoryTooSlow from None
            self._note_damage(error)
            raise HistoryUnavailable(f"the history cannot be read: {self.fault(error).sentence}") from None
        except SQLAlchemyError as error:
            raise HistoryUnavailable(f"the history cannot be read: {reason(error)}") from None

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections are used now, and how many are idle. May be asked from any thread."""
        pools = [engine.pool for engine in (self._writer, self._readers)]
        queues = [pool for pool in pools if isinstance(pool, QueuePool)]
        return sum(each.checkedout() for each in queues), sum(each.checkedin() for each in queues)

    def free(self) -> int | None:
        """Bytes that are left on the disk of the SQLite file; None for PostgreSQL. Raises OSError."""
        return None if self.postgresql else shutil.disk_usage(self._path.parent).free

    def close(self) -> None:
        """Close all connections and let go of the file."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _disconnect(self) -> None:
        self._writer.dispose()
        self._readers.dispose()
        self.opened = False

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """After a failure SQLite connects anew: a connection stays with the file and the rights that it began with."""
        try:
            yield
        except HistoryMoved:
            self._disconnect()
            raise
        except (sqlite3.Error, DBAPIError) as error:
            if not self.postgresql and not isinstance(error, IntegrityError | DataError):
                self._writer.dispose()
                self._note_damage(error)
            raise

    def _note_damage(self, error: Exception) -> None:
        if is_damage(error):
            self._disconnect()
            self._damage = reason(error), _version(self._path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at `path`."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _version(path: Path) -> Version:
    """EventChanges with every file at `path`, and with whatever is done to it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _sqlite(path: Path, *, readonly: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=READERS if readonly else 1,
        max_overflow=0,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin as we say below
        connection.execute("PRAGMA journal_mode = WAL")
        # An acknowledged result must survive a power cut: the broker forgets it.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")  # 16 MB
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute(f"PRAGMA query_only = {int(readonly)}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


def _postgresql(server: URL, options: str, name: str, connections: int) -> Engine:
    own = server.query.get("options")  # such as a search_path: ours must not push it aside
    return create_engine(
        server.difference_update_query(["options"]),
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": f"framefleet {name}",
            "client_encoding": "utf8",  # else psycopg gives bytes where the server says SQL_ASCII
            "options": f"{own} {options}" if own else options,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
    )


def _check_encoding(connection: Connection) -> None:
    """A camera named in letters that the database lacks could not be stored, and its results would be lost."""
    if connection.dialect.name != "postgresql":
        return
    with connection.begin():
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding not in ENCODINGS:
        raise WrongEncoding(
            f"the database has the encoding {encoding}: make one for the history with createdb -E UTF8 -T template0"
        )


@contextmanager
def _deadline(connection: Connection, seconds: float) -> Iterator[None]:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET statement_timeout = {int(seconds * 1000)}")
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: time.monotonic() > end, 20_000)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def _interrupted(error: DBAPIError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return "interrupted" in str(original)
    return getattr(original, "sqlstate", None) == QUERY_CANCELED
