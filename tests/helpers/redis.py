"""A private Redis on a free port of loopback, which a test starts, stops, freezes and restarts; never the machine's."""

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import BusyLoadingError

from cli.ports import answers, free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.freezing import frozen


@contextmanager
def private_redis(*settings: str, password: str = "", tls: "Tls | None" = None) -> "Iterator[PrivateRedis]":
    """A running one; gone at the end. `settings` are words of its command line: `"--maxmemory", "10mb"`."""
    with tempfile.TemporaryDirectory(prefix="framefleet-redis-") as folder:
        server = PrivateRedis(Path(folder), *settings, password=password, tls=tls)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@dataclass(frozen=True)
class Tls:
    """Files of a server's certificate, and of the authority that its clients trust."""

    certificate: Path
    key: Path
    authority: Path


class PrivateRedis:
    """One server, which keeps its data in memory, and on the disk from an orderly stop to the next start."""

    def __init__(self, folder: Path, *settings: str, password: str = "", tls: Tls | None = None) -> None:
        self._folder = folder
        self._settings = settings
        self._password = password
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """For REDIS_URL."""
        secret = f":{self._password}@" if self._password else ""
        if self._tls is not None:
            return f"rediss://{secret}127.0.0.1:{self.port}/0?ssl_ca_certs={self._tls.authority}"
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    def start(self) -> "PrivateRedis":
        """Start it, and return when it answers."""
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [require("redis-server"), *self._words()], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        eventually("Redis", self._answers, 20)
        return self

    def stop(self) -> None:
        """In order: what it has is there again after `start`. Returns when it is gone."""
        if self._process is not None:
            with self.client() as client:
                client.save()
            self.kill()

    def freeze(self) -> None:
        """It answers nothing from now on, until it is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """At once, as a crash: what it had since the last `stop` is gone. Returns when the process is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def frozen(self) -> AbstractContextManager[float]:
        """SIGSTOP within the `with`: it takes connections and says nothing."""
        assert self._process is not None
        return frozen(self._process.pid)

    def client(self) -> Redis:
        """A client of the test's own, to look into it; close it, or use it in a `with`."""
        return Redis.from_url(self.url, socket_timeout=10, protocol=2)

    def _words(self) -> list[str]:
        words = ["--bind", "127.0.0.1", "--dir", str(self._folder), "--save", "", "--appendonly", "no"]
        if self._tls is None:
            words += ["--port", str(self.port)]
        else:
            words += ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            words += ["--tls-cert-file", str(self._tls.certificate), "--tls-key-file", str(self._tls.key)]
            words += ["--tls-ca-cert-file", str(self._tls.authority)]
        if self._password:
            words += ["--requirepass", self._password]
        return [*words, *self._settings]

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"Redis ended:\n{(self._folder / 'redis.log').read_text()[-2000:]}")
        if not answers(self.port):
            return False
        with self.client() as client, contextlib.suppress(BusyLoadingError):
            return bool(client.ping())
        return False
