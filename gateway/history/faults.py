"""What ails the history's database, and what to do about it. The driver's words alone tell neither."""

import getpass
import sqlite3
import sys
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from gateway.errors import HistoryDamaged, HistoryMoved, WrongEncoding, WrongVersion
from gateway.history.reasons import unreachable

KINDS = ("damaged", "foreign", "unwritable", "full", "locked", "moved", "disk", "silent", "unavailable")
"""The values of the metric's label. The first three last until somebody does something."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DISK = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS)


class HistoryFault(NamedTuple):
    """`kind` is one of KINDS; `sentence` says what is wrong and what to do."""

    kind: str
    sentence: str


def is_damage(error: Exception) -> bool:
    """Return whether SQLite found its file damaged: waiting or trying again mends nothing."""
    return _code(error) in _DAMAGED


def reason(error: Exception) -> str:
    """Return what the database said, in one line, without our SQL and the values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = str(cause)
    driver = sys.modules.get("psycopg")  # whoever has SQLite does without it
    if driver is not None and isinstance(cause, driver.OperationalError) and cause.sqlstate is None:
        return unreachable(said)
    return (said.strip() or type(error).__name__).splitlines()[0]


def fault(error: Exception, path: Path) -> HistoryFault:
    """Say what `error` means. `path` is the SQLite file, its folder named by the setting: /readyz is for everybody."""
    said, code, name = reason(error), _code(error), path.name
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror  # without the path
    here = f"{name} in GATEWAY_DATA_DIR"
    if isinstance(error, HistoryDamaged) or code in _DAMAGED:
        return HistoryFault(
            "damaged",
            f"{here} is damaged ({said}) and does not mend by itself: move it, {name}-wal and {name}-shm to another "
            "folder, and a new history begins by itself; docs/history.md says how to save what is in the old one",
        )
    if isinstance(error, HistoryMoved):
        return HistoryFault("moved", f"{here} was moved or deleted while it was in use: a new one is begun")
    if isinstance(error, (WrongVersion, WrongEncoding)):
        return HistoryFault("foreign", said)
    if code == sqlite3.SQLITE_ERROR:  # such as: no such table
        return HistoryFault(
            "foreign",
            f"{here} has not the tables of a history ({said}): move it away, and a new one begins by itself",
        )
    if code == sqlite3.SQLITE_FULL:
        return HistoryFault("full", f"no room for {here} ({said}): free some, and it goes on by itself")
    if code in _LOCKED:
        return HistoryFault(
            "locked",
            f"another program holds {here} locked: end it (a backup, a sqlite3 shell), and it goes on by itself",
        )
    if code in _UNWRITABLE or isinstance(error, OSError):
        return HistoryFault("unwritable", _unwritable(path, here, said))
    if code in _DISK:
        return HistoryFault(
            "disk", f"the disk refuses {here} ({said}): look at it; it goes on by itself once that is mended"
        )
    return HistoryFault("unavailable", said)


def _unwritable(path: Path, here: str, said: str) -> str:
    if path.is_dir():
        return f"{here} is a folder: move it away, and a new history begins by itself"
    if path.parent.exists() and not path.parent.is_dir():
        return "GATEWAY_DATA_DIR is a file and must be a folder: move it away or choose another one"
    return (
        f"{here} cannot be written ({said}): let the user {_user()} write the folder and the files in it, or choose "
        "another folder; it goes on by itself then"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "of the gateway"


def _code(error: Exception) -> int | None:
    """Return SQLite's primary result code; None if it is not SQLite that failed."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, sqlite3.Error):
        return None
    code = getattr(original, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
