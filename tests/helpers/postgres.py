"""A private PostgreSQL on a free port of loopback: made, broken and restarted by a test; never the machine's own."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from cli.ports import free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually

USER = "framefleet"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "logging_collector": "off",
}


@contextmanager
def private_postgres(**settings: str) -> "Iterator[Postgres]":
    """A running one; gone at the end. Not below pytest's folders, which only the tests' own account may enter."""
    with tempfile.TemporaryDirectory(prefix="framefleet-postgres-") as folder:
        server = Postgres(Path(folder), **settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Postgres:
    """One cluster in `folder`, which the account `postgres` must be able to enter where the tests run as root."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._bin = Path(require("postgresql")).parent
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._settings = SETTINGS | settings
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "password"
        secret.write_text(self._password)
        if os.geteuid() == 0:  # it refuses to run as root
            for place in (folder, secret):
                shutil.chown(place, "postgres", "postgres")
        self._run(
            *("initdb", "-D", str(self._data), "-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret)),
            *("-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"),
        )

    @property
    def pid(self) -> int | None:
        """Of the process that has started all others."""
        return None if self._process is None else self._process.pid

    def url(self, database: str = "postgres") -> str:
        """For DATABASE_URL."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> "Postgres":
        """Start it, and return when it takes connections."""
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self._data), "-p", str(self.port), *settings),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        eventually("PostgreSQL", self._answers, 30)
        return self

    def stop(self) -> None:
        """At once, as a crash: it recovers at the next start. Returns when it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None

    def create(self, database: str, encoding: str = "UTF8") -> str:
        """An empty database; its URL."""
        locale = "" if encoding == "UTF8" else "LC_COLLATE 'C' LC_CTYPE 'C'"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING '{encoding}' {locale}"
            )
        return self.url(database)

    def emptied(self, database: str) -> str:
        """The database without anything in it, made if need be: quicker than a new one. Its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if known is None:
            return self.create(database)
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url(database)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended:\n{self._log.read_text()[-2000:]}")
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, *words: str) -> None:
        done = subprocess.run(self._command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _command(self, program: str, *words: str) -> list[str]:
        # setpriv becomes the program: the signals above reach PostgreSQL itself.
        user = (
            ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
        )
        return [*user, str(self._bin / program), *words]
