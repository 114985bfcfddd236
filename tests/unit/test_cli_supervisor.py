"""The supervisor, with parts that end when the test says so, and with real child processes."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from cli import supervisor as module
from cli.child import ChildProcess, Command
from cli.errors import SettingsRefused, StartFailed
from cli.part import Exit
from cli.supervisor import Supervisor
from cli.survivors import Register, start_time
from tests.helpers.eventually import aeventually


class Puppet:
    """A part whose life the test decides."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name = name
        self.pids: dict[str, int] = {}
        self._journal = journal
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.starts_fail = 0

    async def start(self) -> None:
        if self.starts_fail:
            self.starts_fail -= 1
            raise StartFailed("no memory")
        self._journal.append(f"{self.name} started")
        self._ended = asyncio.get_running_loop().create_future()

    async def ended(self) -> Exit:
        return await self._ended

    async def stop(self) -> None:
        self._journal.append(f"{self.name} stopped")

    def kill(self) -> None:
        self._journal.append(f"{self.name} killed")

    def die(self, code: int, *last_lines: str) -> None:
        self._ended.set_result(Exit(code, last_lines))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of the right kind and no length."""
    monkeypatch.setattr(module, "compute_backoff", lambda failures, **_: 0.001 * (failures + 1))


@pytest.fixture
def journal() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, journal: list[str]) -> Supervisor:
    return Supervisor(Register(tmp_path / "processes.json"), journal.append)


async def test_what_dies_is_started_again_and_the_reason_is_said(
    supervisor: Supervisor, journal: list[str]
) -> None:
    part = Puppet("worker-1", journal)
    await supervisor.start(part)
    part.die(1, "MemoryError")
    await aeventually("started again", lambda: journal.count("worker-1 started") == 2)
    assert any("worker-1 ended (exit code 1: MemoryError)" in line for line in journal)
    part.die(-9)
    await aeventually("and again", lambda: journal.count("worker-1 started") == 3)
    assert any("signal 9" in line for line in journal)
    await supervisor.stop(["worker-1"])


async def test_a_start_that_fails_is_tried_again(supervisor: Supervisor, journal: list[str]) -> None:
    part = Puppet("gateway", journal)
    await supervisor.start(part)
    part.starts_fail = 2
    part.die(1)
    await aeventually("started again", lambda: journal.count("gateway started") == 2)
    assert any("no memory" in line for line in journal)
    await supervisor.stop(["gateway"])


async def test_parts_end_in_the_order_asked_for_and_stay_ended(
    supervisor: Supervisor, journal: list[str]
) -> None:
    parts = [Puppet(name, journal) for name in ("rabbitmq", "worker-1")]
    for part in parts:
        await supervisor.start(part)
    for name in ("producer", "worker-1", "rabbitmq"):
        await supervisor.stop([name])
    assert journal[2:] == ["worker-1 stopped", "rabbitmq stopped"]


async def test_one_that_is_ended_stays_ended_while_the_others_go_on(
    supervisor: Supervisor, journal: list[str]
) -> None:
    first, second = Puppet("first", journal), Puppet("second", journal)
    await supervisor.start(first)
    await supervisor.start(second)
    await supervisor.end(["second"])
    first.die(1)
    await aeventually("the other comes back", lambda: journal.count("first started") == 2)
    assert journal.count("second started") == 1
    supervisor.kill()
    assert "second killed" not in journal


async def test_what_dies_while_the_rest_ends_is_not_started_again(
    supervisor: Supervisor, journal: list[str]
) -> None:
    gateway = Puppet("gateway", journal)
    await supervisor.start(gateway)
    await supervisor.stop(["producer"])
    gateway.die(1)
    await supervisor.stop(["gateway"])
    assert journal == ["gateway started", "gateway stopped"]


async def test_wrong_settings_are_not_tried_again(supervisor: Supervisor, journal: list[str]) -> None:
    part = Puppet("worker-1", journal)
    await supervisor.start(part)
    part.die(2, "WORKER_DETECTR is not a setting: did you mean WORKER_DETECTOR?")
    with pytest.raises(SettingsRefused, match="did you mean WORKER_DETECTOR"):
        await asyncio.wait_for(supervisor.refused, 5)
    assert journal == ["worker-1 started"]


async def test_a_producer_that_has_sent_all_is_left_in_peace(
    supervisor: Supervisor, journal: list[str]
) -> None:
    part = Puppet("producer", journal)
    await supervisor.start(part)
    part.die(0)
    await aeventually("said", lambda: any("sent all" in line for line in journal))
    assert journal.count("producer started") == 1


async def test_who_started_it_hears_of_it(supervisor: Supervisor, journal: list[str]) -> None:
    producer, worker = Puppet("producer", journal), Puppet("worker", journal)
    await supervisor.start(producer, finished=lambda: journal.append("producer finished"))
    await supervisor.start(worker, finished=lambda: journal.append("worker finished"))
    worker.die(0)
    producer.die(0)
    await aeventually("it is told", lambda: "producer finished" in journal)
    await aeventually("the worker is back", lambda: journal.count("worker started") == 2)
    assert "worker finished" not in journal


async def test_force_ends_everything_at_once(supervisor: Supervisor, journal: list[str]) -> None:
    for name in ("worker-1", "worker-2"):
        await supervisor.start(Puppet(name, journal))
    supervisor.kill()
    assert journal[2:] == ["worker-1 killed", "worker-2 killed"]


# Real processes


def child(script: str, tmp_path: Path, heard: list[str], grace: float = 10) -> ChildProcess:
    command = Command(
        name="child",
        arguments=[sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        log=tmp_path / "child.log",
        cwd=tmp_path,
        grace=grace,
    )
    return ChildProcess(command, lambda name, line: heard.append(f"{name}: {line}"))


async def test_a_childs_output_is_logged_heard_and_remembered(tmp_path: Path) -> None:
    heard: list[str] = []
    part = child("print('one'); print('two', end=''); raise SystemExit(4)", tmp_path, heard)
    await part.start()
    assert await part.ended() == Exit(4, ("one", "two"))
    assert heard == ["child: one", "child: two"]
    assert (tmp_path / "child.log").read_text() == "one\ntwo"


async def test_a_child_takes_its_children_along(tmp_path: Path) -> None:
    heard: list[str] = []
    sleeper = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    script = f"import subprocess, sys; print({sleeper}.pid)"
    part = child(script, tmp_path, heard)
    await part.start()
    await asyncio.wait_for(part.ended(), 10)
    grandchild = int(heard[0].split()[1])
    await aeventually("gone", lambda: start_time(grandchild) is None)


async def test_a_child_that_does_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    heard: list[str] = []
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); time.sleep(600)"
    )
    part = child(script, tmp_path, heard, grace=0.1)
    await part.start()
    await aeventually("ready", lambda: heard)
    pid = part.pids["child"]
    await part.stop()
    assert start_time(pid) is None
    assert any("did not end within" in line for line in heard)


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    part = ChildProcess(Command("x", ["/no/such/program"], {}, tmp_path / "x.log", tmp_path), lambda *_: None)
    with pytest.raises(StartFailed, match="/no/such/program"):
        await part.start()


def test_what_was_killed_has_given_no_reason() -> None:
    assert str(Exit(-9, ("a job is over",))) == "signal 9"
    assert str(Exit(-11, ("Fatal Python error",))) == "signal 11: Fatal Python error"
    assert str(Exit(3, ("one", "two"))) == "exit code 3: two"
    assert str(Exit(3)) == "exit code 3"
