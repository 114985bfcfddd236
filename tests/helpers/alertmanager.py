"""A real Alertmanager with the route of deploy/alertmanager, and a webhook that keeps what it is told."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cli.ports import LOOPBACK, answers, free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.processes import ROOT

ROUTE = ROOT / "deploy/alertmanager/alertmanager.yml"
KNOWS_URL_FILE = (0, 26)


@dataclass
class Webhook:
    """What came to each receiver's address, oldest first."""

    url: str = ""
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, receiver: str) -> list[dict[str, Any]]:
        """The messages for one receiver."""
        return [message for path, message in list(self.told) if path == receiver]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A server on loopback that accepts every message."""
    kept = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.told.append((self.path.strip("/"), json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: tests read what came."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    kept.url = f"http://{LOOPBACK}:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def version() -> tuple[int, ...]:
    """Of the Alertmanager that is installed."""
    done = subprocess.run([require("amtool"), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)", done.stdout + done.stderr)
    assert found, done
    return tuple(map(int, found.groups()))


def quick(text: str) -> str:
    """A route that waits for a second where ours waits for seconds or minutes."""
    return re.sub(
        r"(group_wait|group_interval|repeat_interval): (\d+[smh])",
        lambda found: (
            f"{found[1]}: {'1s' if found[1] == 'group_wait' or found[2] in ('5m', '1m', '50s') else '1h'}"
        ),
        text,
    )


def configured(folder: Path, address: str) -> Path:
    """Our route with addresses at `address`: in files, or in the text of an Alertmanager too old for that."""
    text = quick(ROUTE.read_text())
    for receiver in ("team", "pager", "watchdog"):
        (folder / receiver).write_text(f"{address}/{receiver}\n")
        line = f"url_file: /etc/alertmanager/urls/{receiver}\n"
        assert line in text
        here = (
            f"url_file: {folder / receiver}" if version() >= KNOWS_URL_FILE else f"url: {address}/{receiver}"
        )
        text = text.replace(line, f"{here}\n")
    file = folder / "alertmanager.yml"
    file.write_text(text)
    return file


@contextmanager
def alertmanager(folder: Path, address: str) -> Iterator[str]:
    """The URL of a running one, alone and on loopback."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                require("prometheus-alertmanager"),
                f"--config.file={configured(folder, address)}",
                f"--storage.path={folder}/data",
                f"--web.listen-address={LOOPBACK}:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        eventually("Alertmanager answers", lambda: process.poll() is None and answers(port))
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(10)


def post(url: str, alerts: list[dict[str, Any]]) -> None:
    """Hand alerts to it, as Prometheus does."""
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
