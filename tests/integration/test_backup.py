"""The history is saved and restored as docs/backup.md says, while a gateway runs; tokens go along."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pika
import pytest

from cli.ports import free_port
from contract.result import encode_result
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.postgres import Postgres
from tests.helpers.processes import ROOT, Service
from tests.helpers.results import result

pytestmark = pytest.mark.integration

NOW = 1_795_000_000.0
SPAN = f"from={NOW - 60:.0f}&to={NOW + 3600:.0f}"
COUNT = 30


def documented(command: str) -> str:
    """The page's line with this command in it."""
    page = (ROOT / "docs" / "backup.md").read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    return next(line for line in blocks.splitlines() if command in line and "docker" not in line)


class SavedGateway:
    """A gateway as a process, with its data in a folder and perhaps a database."""

    def __init__(self, start: StartService, rabbitmq: str, folder: Path, database: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.service: Service = start(
            "gateway",
            AMQP_URL=rabbitmq,
            GATEWAY_PORT=str(self.port),
            GATEWAY_DATA_DIR=str(folder),
            GATEWAY_HISTORY_DAYS="365",
            GATEWAY_HISTORY_ACTIVITY_DAYS="365",
            **({"DATABASE_URL": database} if database else {}),
        ).ready()

    def get(self, path: str) -> Any:
        """An answer of its API, signed in with the token of its folder."""
        headers = {"Authorization": f"Bearer {(self.folder / 'token').read_text().strip()}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http, on loopback
            return json.load(answer)

    def frames(self) -> int:
        """How many frames it has stored."""
        return sum(minute["frames"] for minute in self.get(f"activity?{SPAN}")["items"])

    def events(self) -> list[dict[str, Any]]:
        """The events that it has stored."""
        found: list[dict[str, Any]] = self.get(f"events?{SPAN}")["items"]
        return found


def publish(rabbitmq: str, start: int) -> None:
    """COUNT results of a camera, a second apart, as a worker publishes them."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq))
    channel = connection.channel()
    channel.confirm_delivery()
    for number in range(start, start + COUNT):
        channel.basic_publish("results", "gate", encode_result(result(NOW + number, camera_id="gate")))
    connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> tuple[str, str]:
    """DATABASE_URL of the gateway that is saved, and of the one that is restored; empty for SQLite."""
    if request.param == "sqlite":
        return "", ""
    server: Postgres = request.getfixturevalue("shared_postgres")
    return server.create("saved"), server.create("restored")


def test_a_copy_made_under_way_is_whole(
    databases: tuple[str, str], start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    saved, restored = tmp_path / "saved", tmp_path / "restored"
    before = SavedGateway(start, rabbitmq, saved / ".run" / "gateway", databases[0])
    publish(rabbitmq, 0)
    eventually("all results are stored", lambda: before.frames() == COUNT)

    run(documented("gateway/token"), saved)
    if databases[0]:
        run(documented("pg_dump"), saved, databases[0])
    else:
        run(documented(".backup("), saved)
    publish(rabbitmq, COUNT)  # after the copy: not in it
    eventually("the later ones are stored", lambda: before.frames() == 2 * COUNT)
    assert before.service.stop() == 0

    folder = restored / ".run" / "gateway"
    folder.mkdir(parents=True)
    for file in (saved / "backup").glob("*"):
        if file.name != "history.dump":
            shutil.copy(file, folder)
    if databases[1]:
        run(documented("pg_restore"), saved, databases[1])
    after = SavedGateway(start, rabbitmq, folder, databases[1])
    assert after.frames() == COUNT
    assert [event["frames"] for event in after.events()] == [COUNT]


def run(command: str, folder: Path, database: str = "") -> None:
    """Run a line of the page there."""
    environment = {**os.environ, "DATABASE_URL": database}
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
