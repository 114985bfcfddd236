"""`framefleet up` with real RabbitMQ, Prometheus and services: it starts, mends, and leaves nothing behind."""

import argparse
import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pika
import pytest

from cli.broker_url import broker_urls
from cli.control import ScaleRequest, ask_scale
from cli.doctor import add as add_doctor
from cli.doctor.command import run as run_doctor
from cli.errors import NoBroker
from cli.layout import Layout
from cli.parser import Parser
from cli.ports import answers
from cli.rabbitmq import RabbitMQNode
from cli.survivors import start_time
from cli.why import explain
from tests.helpers.bus import bus
from tests.helpers.components import require
from tests.helpers.dead_proxies import DEAD_PROXIES
from tests.helpers.eventually import eventually
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.native import Native
from tests.helpers.tool import framefleet

StartNative = Callable[..., Native]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[StartNative]:
    """Starts systems in this test's own folder; what one of them leaves behind fails the test."""
    for component in ("rabbitmq-server", "prometheus"):
        require(component)
    systems: list[Native] = []

    def begin(folder: str = "", *, terminal: bool = False, **knobs: str) -> Native:
        (tmp_path / folder).mkdir(exist_ok=True)
        chosen = {"WORKERS": "1", "WORKER_DETECTOR": "haar", "SOURCE": "none", **knobs}
        systems.append(Native(tmp_path / folder, terminal=terminal, **chosen))
        return systems[-1]

    yield begin
    for system in systems:
        system.stop()
    assert processes_of(tmp_path) == []


def others_may_use(path: Path) -> bool:
    """Whether another user has any right to it."""
    with contextlib.suppress(FileNotFoundError):  # what runs makes files and removes them
        return not path.is_symlink() and path.stat().st_mode & 0o077 != 0
    return False


def processes_of(root: Path) -> list[str]:
    """Everything that runs in `root`, or was told of it: command lines, for the report of a failure."""
    mark = os.fsencode(str(root))
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = mark in (folder / "environ").read_bytes() or mark in os.readlink(
                os.fsencode(str(folder / "cwd"))
            )
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if told and command and int(folder.name) != os.getpid():
            found.append(f"{folder.name} {command}")
    return found


def started(system: Native) -> dict[str, int]:
    """Pids by name."""
    entries = json.loads((system.root / ".run" / "processes.json").read_text())
    return {entry["name"]: entry["pid"] for entry in entries}


def answer(url: str, token: str = "") -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310 - http to ourselves
        return json.loads(reply.read())


def nodes(ends: dict[str, Any]) -> tuple[int, int]:
    """How many nodes there are, lost ones included, and how many there should be, as the gateway says."""
    view = answer(f"{ends['gateway']}/api/nodes", ends["token"])
    return len(view["items"]), view["expected"]


def comes_back(system: Native, name: str, before: int) -> bool:
    return started(system).get(name, before) != before


def doctor(system: Native) -> tuple[int, str]:
    """Exit status and words of `framefleet doctor` in that checkout, behind proxies that are dead."""
    parser, words = Parser(), io.StringIO()
    add_doctor(parser)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **DEAD_PROXIES}
    with patch.dict(os.environ, environment, clear=True), contextlib.redirect_stdout(words):
        return run_doctor(parser.parse_args(["--verbose"]), Layout(system.root)), words.getvalue()


def said(system: Native, *words: str) -> bool:
    """Whether one line of what the operator saw has all the words."""
    return any(all(word in line for word in words) for line in system.log.read_text().splitlines())


def test_it_starts_everything_says_where_it_is_and_leaves_nothing(up: StartNative) -> None:
    """Behind a proxy that is dead: a proxy in the environment changes nothing."""
    system = up(WORKERS="2", SOURCE="demo:1", PRODUCER_FPS="1", **DEAD_PROXIES)
    ends = system.endpoints
    run = system.root / ".run"

    pids = started(system)
    assert sorted(pids) == ["epmd", "gateway", "producer", "prometheus", "rabbitmq", "worker-1", "worker-2"]
    assert stat.S_IMODE((run / "endpoints.json").stat().st_mode) == 0o600
    eventually("the address", lambda: said(system, "Open", ends["gateway"]))
    assert said(system, "to sign in", ".venv/bin/framefleet link")
    assert "?code=" not in system.log.read_text()  # it is not a terminal, and may be a log that is shipped
    assert ends["token"] not in system.log.read_text()
    assert ends["token"] not in "".join(path.read_text() for path in (run / "logs").glob("*.log"))

    def rate() -> float:
        metrics = answer(f"{ends['gateway']}/api/metrics", ends["token"])
        return (
            float(metrics["processingRate"] or 0)
            if metrics["source"]["processingRate"] == "prometheus"
            else 0.0
        )

    eventually("Prometheus sees frames processed", rate, 60)
    assert [path for path in (run, *run.rglob("*")) if others_may_use(path)] == []
    targets = answer(f"{ends['prometheus']}/api/v1/targets")["data"]["activeTargets"]
    assert {t["labels"]["job"] for t in targets} == {
        "cv-worker",
        "producer",
        "gateway",
        "rabbitmq",
        "rabbitmq-queues",
        "prometheus",
    }
    assert len([t for t in targets if t["labels"]["job"] == "cv-worker"]) == len(ends["workers"]) == 2
    assert ask_scale(Layout(system.root), ScaleRequest(3)) == "3 workers run: worker-3 started"
    eventually("the third worker", lambda: nodes(ends) == (3, 3), 60)
    assert ask_scale(Layout(system.root), ScaleRequest(2)) == "2 workers run: worker-3 finished and ended"
    eventually("the third is not missed", lambda: nodes(ends) == (2, 2))
    assert said(system, "2 workers run")
    made = subprocess.run(
        [sys.executable, system.root / "deploy" / "ready", ends["gateway"].rpartition(":")[2]],
        env=DEAD_PROXIES, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    eventually("the doctor finds nothing wrong", lambda: doctor(system)[0] == 0, 60)
    assert "7 processes: " in doctor(system)[1]

    assert system.stop() == 0
    status, words = doctor(system)
    assert (status, "no system runs in this checkout" in words) == (1, True)
    assert not (run / "endpoints.json").exists()
    assert [name for name, pid in pids.items() if start_time(pid) is not None] == []


def test_what_dies_comes_back_and_what_a_kill_9_leaves_ends_with_the_next_start(up: StartNative) -> None:
    """A second start beside the next one is refused, and a second Ctrl-C does not wait for what cannot end."""
    killed = up(WORKERS="2", terminal=True)
    ends = killed.endpoints
    eventually("a person gets a link", lambda: said(killed, "Open", f"{ends['gateway']}/?code="))
    what_dies_comes_back(killed)
    left = started(killed)
    killed.process.kill()
    killed.process.wait()
    assert all(start_time(pid) is not None for pid in left.values())
    (killed.root / ".run" / "endpoints.json").unlink()  # the next one is the next system's

    system = up(WORKERS="0")
    assert system.endpoints["token"] == ends["token"]
    # Not always all of them: what writes a log line to nobody ends by itself.
    assert said(system, "Ending", "processes that the last run left behind")
    assert [name for name, pid in left.items() if start_time(pid) is not None] == []
    assert sorted(started(system)) == ["epmd", "gateway", "prometheus", "rabbitmq"]
    assert system.endpoints["workers"] == []

    second = up(WORKERS="0")
    assert second.process.wait(20) == 1
    assert said(second, "runs in this checkout already", f"pid {system.process.pid}")
    assert system.process.poll() is None

    os.kill(started(system)["gateway"], signal.SIGSTOP)  # it cannot end in order any more
    system.process.send_signal(signal.SIGINT)
    eventually("it stops", lambda: said(system, "Stopping"))
    system.process.send_signal(signal.SIGINT)
    assert system.process.wait(10) == 130
    assert said(system, "by force")


def what_dies_comes_back(system: Native) -> None:
    """kill -9 of one part of each kind."""
    ends, before = system.endpoints, started(system)
    dying = ("worker-1", "gateway", "prometheus", "rabbitmq")
    for name in dying:
        os.kill(before[name], signal.SIGKILL)
    for name in dying:
        eventually(f"{name} is mentioned", partial(said, system, f"{name} ended (signal 9", "again"))
        eventually(f"{name} is back", partial(comes_back, system, name, before[name]))
    eventually("the broker speaks", lambda: answers(int(ends["amqp"].rpartition(":")[2].strip("/"))), 60)

    def running() -> bool:
        try:
            items = answer(f"{ends['gateway']}/api/nodes", ends["token"])["items"]
        except OSError:
            return False
        return any(node["state"] == "running" and node["node_id"].endswith("-1") for node in items)

    eventually("the worker is seen by the gateway", running, 60)


def test_a_checkout_that_was_renamed_computes_what_waits_and_a_copy_leaves_it_alone(
    up: StartNative, tmp_path: Path
) -> None:
    first = up("first", WORKERS="0")
    send(first, "waits-1", "waits-2")
    assert first.stop() == 0
    (tmp_path / "first").rename(tmp_path / "renamed")

    renamed = up("renamed")
    assert renamed.endpoints["workers"]
    before = started(renamed)
    eventually("it is announced", lambda: said(renamed, "Open"))
    assert sorted(events(renamed, 2)) == ["waits-1", "waits-2"]

    shutil.copytree(
        tmp_path / "renamed", tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("*.sock")
    )
    with pytest.raises(NoBroker, match=f"copy, and the system runs in the original: {tmp_path}/renamed"):
        broker_urls({}, Layout(tmp_path / "copy"))
    (tmp_path / "copy" / ".run" / "endpoints.json").unlink()  # the next one is the copy's
    copy = up("copy")
    assert copy.endpoints["amqp"] != renamed.endpoints["amqp"]
    send(copy, "of-the-copy")
    assert "of-the-copy" in events(copy, 3)
    send(renamed, "of-the-original")
    assert sorted(events(renamed, 3)) == ["of-the-original", "waits-1", "waits-2"]
    assert explained(renamed, "waits-1") in (0, 4)  # it has waited for longer than it was worth, perhaps
    assert explained(renamed, "of-the-copy") == 3
    assert started(renamed) == before
    assert all(start_time(pid) is not None for pid in before.values())
    assert not (tmp_path / "first").exists()


def send(system: Native, *frame_ids: str) -> None:
    """Frames, confirmed."""
    with pika.BlockingConnection(pika.URLParameters(system.endpoints["amqp"])) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for frame_id in frame_ids:
            body = task(jpeg(astronaut()), camera_id="gate-3", frame_id=frame_id)
            json_task = pika.BasicProperties(content_type="application/json", delivery_mode=2)
            channel.basic_publish("", "frame_queue", body, json_task, mandatory=True)


def events(system: Native, number: int) -> list[str]:
    """The frames whose results the gateway has stored, when there are so many."""
    ends = system.endpoints

    def stored() -> list[str]:
        found = []
        for frame_id in ("waits-1", "waits-2", "of-the-copy", "of-the-original"):
            with contextlib.suppress(urllib.error.HTTPError):
                answer(f"{ends['gateway']}/api/frames/{frame_id}", ends["token"])
                found.append(frame_id)
        return found

    eventually(f"{number} results are stored", lambda: len(stored()) >= number, 60)
    return stored()


def explained(system: Native, frame_id: str) -> int:
    """The exit status of `framefleet why` in that checkout."""
    asked = argparse.Namespace(frame_id=frame_id, json=False, url=None, token=None)
    return explain(asked, Layout(system.root))


def test_somebody_elses_broker_is_used_and_a_queue_of_it_that_is_down_named_and_repaired(
    up: StartNative, rabbitmq: str, shared_rabbitmq: RabbitMQNode
) -> None:
    """The rest runs meanwhile. SIGTERM ends it as Ctrl-C does."""
    asyncio.run(declared(rabbitmq))
    vhost = rabbitmq.rpartition("/")[2]
    shared_rabbitmq.ctl(
        "eval",
        f'{{ok, Q}} = rabbit_amqqueue:lookup({{resource, <<"{vhost}">>, queue, <<"frame_queue">>}}), '
        "ra:stop_server(quorum_queues, amqqueue:get_pid(Q)).",
    )
    system = up(AMQP_URL=rabbitmq)
    gateway = system.endpoints["gateway"]
    assert system.endpoints["amqp"] == rabbitmq
    assert sorted(started(system)) == ["gateway", "prometheus", "worker-1"]
    assert not (system.root / ".run" / "rabbitmq").exists()
    assert said(system, "queue frame_queue: it is down", "`framefleet queues repair`")
    eventually("the gateway says so", lambda: not _ready(gateway), 60)
    assert asyncio.run(framefleet(rabbitmq, "queues", "repair", "--yes")).status == 0
    eventually("all is well", lambda: _ready(gateway), 30)
    system.process.terminate()
    assert system.process.wait(30) == 0


def _ready(gateway: str) -> bool:
    try:
        return bool(answer(f"{gateway}/readyz")["status"] == "ready")
    except urllib.error.HTTPError as error:
        error.close()
        return False


async def declared(url: str) -> None:
    async with bus(url):
        pass


def test_ctrl_c_while_it_starts(up: StartNative) -> None:
    system = up()
    eventually("RabbitMQ is started", (system.root / ".run" / "processes.json").exists)
    assert system.stop() == 0


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(up: StartNative) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        system = up(PORT=str(port))
        assert system.process.wait(20) == 1
    assert said(system, f"PORT={port} is taken by", str(os.getpid()))
    assert not (system.root / ".run" / "processes.json").exists()


def test_a_misspelt_setting_of_a_service_ends_the_start_with_its_words(
    up: StartNative, rabbitmq: str
) -> None:
    system = up(AMQP_URL=rabbitmq, WORKER_DETECTR="yunet")
    assert system.process.wait(40) == 1
    assert said(system, "worker-1 does not accept its settings")
    assert said(system, "did you mean WORKER_DETECTOR?")


def test_a_broker_that_does_not_answer_is_said_before_anything_starts(up: StartNative) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    system = up(AMQP_URL=f"amqp://me:hush@127.0.0.1:{port}/")
    assert system.process.wait(20) == 1
    assert said(system, f"nobody answers at 127.0.0.1:{port}")
    assert "hush" not in system.log.read_text()
