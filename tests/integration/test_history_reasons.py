"""What a gateway says of a PostgreSQL that it cannot use: to everybody, so without the driver's words."""

from pathlib import Path

import pytest

from gateway.history.database import Database
from gateway.history.faults import reason
from tests.helpers.postgres import Postgres

pytestmark = pytest.mark.integration


def why(url: str, folder: Path) -> str:
    database = Database(url, folder)
    try:
        with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is, it is told
            database.open()
    finally:
        database.close()
    return reason(failed.value)


def test_the_reason_is_told_and_the_address_is_not(shared_postgres: Postgres, tmp_path: Path) -> None:
    url = shared_postgres.emptied("suite")
    server = url.rpartition("@")[2].partition("/")[0]
    for wrong, words in (
        (url.replace("/suite", "/hunter2"), "has no such database"),
        (f"postgresql://hunter2:hunter2@{server}/suite", "check DATABASE_URL"),
        ("postgresql://hunter2:hunter2@127.0.0.1:1/hunter2", "connection refused"),
        ("postgresql://hunter2:hunter2@hunter2.invalid/x", "the name of PostgreSQL's host is not known"),
        ("postgresql://u@127.0.0.1:1/x?sslmode=hunter2", "PostgreSQL"),
    ):
        said = why(wrong, tmp_path)
        assert words in said
        assert "hunter2" not in said
        assert "127.0.0.1" not in said
