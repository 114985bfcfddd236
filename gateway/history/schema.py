"""Brings a database to the version that this Framefleet knows, at start, while nobody else does."""

import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.errors import WrongVersion

HEAD = "0006"
SQLITE_VERSIONS = (0, 1, 2)
"""PRAGMA user_version: a new file, Framefleet 0.1, and since Alembic counts."""
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_305_112_004
"""PostgreSQL's advisory lock of this, any number that nothing else uses."""
_one_at_a_time = threading.Lock()
"""Alembic's `op` is the process's: of two upgrades at once one would write on the other's connection."""


def migrate(connection: Connection) -> None:
    """Make or change the tables, in one transaction; nothing is done if they are as they should be.

    Raises WrongVersion for a database that a newer Framefleet wrote, and sqlalchemy's errors.
    """
    postgresql = connection.dialect.name == "postgresql"
    with connection.begin():
        if postgresql:  # several gateways start at once
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        tables = set(inspect(connection).get_table_names())
        version = _version(connection, tables)
        if version == HEAD:
            return
        with _one_at_a_time:
            _upgrade(connection, stamp=version is None and "results" in tables)


def _version(connection: Connection, tables: set[str]) -> str | None:
    """The revision of the database; None: it has none."""
    if connection.dialect.name == "sqlite":
        number = connection.execute(text("PRAGMA user_version")).scalar_one()
        if number not in SQLITE_VERSIONS:
            raise WrongVersion(_refusal(f"its user_version is {number}"))
    if "alembic_version" not in tables:
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and version > HEAD:
        raise WrongVersion(_refusal(f"it has version {version}, this one knows {HEAD}"))
    return version


def _upgrade(connection: Connection, *, stamp: bool) -> None:
    from alembic import command  # 0.2 s and 15 MB, which a start with nothing to do saves
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if stamp:  # Framefleet 0.1 made it
        command.stamp(config, "0001")
    command.upgrade(config, HEAD)


def _refusal(why: str) -> str:
    return (
        f"the history was written by another version of Framefleet ({why}): "
        "use that version, or move the history away and a new one is made"
    )
