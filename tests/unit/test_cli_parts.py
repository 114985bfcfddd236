"""Small parts of the operator's command."""

import contextlib
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cli import lock, probe, secret
from cli.addresses import GATEWAY, Addresses, choose
from cli.display import Display
from cli.down import down
from cli.errors import AlreadyRuns, KnobError
from cli.knobs import Knobs
from cli.layout import Layout
from cli.logfile import LogFile
from cli.notices import Repetitions, notice
from cli.ports import BLOCK, LOOPBACK, OWN, answers, free_port, is_free, listener
from cli.survivors import Register, Started, end, original, start_time, survivors
from cli.wait import wait_until
from tests.helpers.processes import ROOT

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def knobs(workers: int = 2, port: int | None = None, source: str = "demo", amqp_url: str = "") -> Knobs:
    return Knobs(workers, source, port, None, amqp_url)


Choose = Callable[[Knobs], Addresses]


@pytest.fixture
def chosen() -> Iterator[Choose]:
    """Chooses ports as a run does, and lets them go after the test."""
    made: list[Addresses] = []

    def remember(given: Knobs) -> Addresses:
        made.append(choose(given))
        return made[-1]

    yield remember
    for addresses in made:
        addresses.release()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    server = socket.create_server((LOOPBACK, 0))
    yield server
    server.close()


# Ports


def test_a_taken_port_is_seen_named_and_skipped(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    assert not is_free(port)
    assert answers(port)
    assert f"(pid {os.getpid()})" in (listener(port) or "")
    assert free_port(port) > port


def test_ports_of_this_run_are_skipped() -> None:
    first = free_port(20000)
    assert free_port(first, taken={first}) > first


def test_a_port_of_ones_own_is_below_those_that_the_kernel_gives_away_and_nobody_elses() -> None:
    given_away = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    mine = [free_port() for _ in range(2 * BLOCK + 1)]
    assert len(set(mine)) == len(mine)
    assert max(mine) < max(given_away, OWN + 100 * BLOCK)
    code = f"from cli.ports import free_port; print([free_port() for _ in range({BLOCK})])"
    others = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for other in others:
        theirs = json.loads(other.communicate(timeout=20)[0])
        assert not set(theirs) & set(mine)


def test_a_port_of_ones_own_that_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.ports._ports", iter((first := free_port(), second := free_port())))
    with socket.create_server((LOOPBACK, first)):
        assert free_port() == second


def test_where_the_kernel_gives_away_nearly_all_ports_there_still_are_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "range").write_text("1024\t65535\n")
    monkeypatch.setattr("cli.ports.EPHEMERAL", tmp_path / "range")
    monkeypatch.setattr("cli.ports._ports", iter(()))
    assert OWN <= free_port() < OWN + 100 * BLOCK


def test_every_part_gets_a_port_of_its_own(chosen: Choose) -> None:
    ends = chosen(knobs(workers=30))
    ports = [ends.gateway, ends.gateway_metrics, ends.prometheus, ends.amqp, ends.rabbitmq_metrics]
    ports += [ends.producer_metrics, *ends.workers]
    assert len(set(ports)) == len(ports) == 36
    assert 0 not in ports


def test_two_runs_that_start_at_once_get_different_ports(chosen: Choose) -> None:
    first, second = chosen(knobs()), chosen(knobs())
    assert not {first.gateway, first.amqp, *first.workers} & {second.gateway, second.amqp, *second.workers}
    assert any(f"uses {second.gateway}" in change for change in second.changes)


def test_a_port_that_was_asked_for_is_not_changed_silently(chosen: Choose, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with pytest.raises(KnobError, match=f"PORT={port} is taken by .*pid {os.getpid()}"):
        chosen(knobs(port=port))


def test_a_default_port_that_is_taken_is_replaced_and_said(chosen: Choose) -> None:
    # Where somebody else has it already, so much the better.
    with contextlib.suppress(OSError), socket.create_server((LOOPBACK, GATEWAY)):
        ends = chosen(knobs())
        assert ends.gateway != GATEWAY
        assert any(f"port {GATEWAY} is taken" in said and str(ends.gateway) in said for said in ends.changes)


def test_what_does_not_run_needs_no_port(chosen: Choose) -> None:
    ends = chosen(knobs(workers=0, source="none", amqp_url="amqp://host/"))
    assert (ends.amqp, ends.rabbitmq_metrics, ends.producer_metrics, ends.workers) == (0, 0, 0, [])


# Waiting


def test_waiting_returns_the_answer_or_none() -> None:
    given = iter([None, 0, "there"])
    assert wait_until(lambda: next(given), 1, interval=0) == "there"
    assert wait_until(lambda: None, 0) is None


def test_a_probe_ends_the_wait_by_raising() -> None:
    def hopeless() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        wait_until(hopeless, 60)


# Logs


def test_a_log_keeps_its_newest_part(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "worker.log", limit=100)
    for number in range(100):
        log.write(f"line {number}\n".encode())
    log.close()
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["worker.log", "worker.log.1", "worker.log.2"]
    assert all(path.stat().st_size <= 100 for path in kept)
    assert "line 99" in (tmp_path / "worker.log").read_text()


def test_a_log_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    for word in (b"one\n", b"two\n"):
        log = LogFile(tmp_path / "log")
        log.write(word)
        log.close()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"level": "warning", "event": "camera lost", "camera_id": "gate"}',
            "warning: camera lost camera_id=gate",
        ),
        ('{"level": "error", "event": "no broker", "timestamp": "x"}', "error: no broker"),
        ('{"level": "info", "event": "frame"}', None),
        ('ts=2026-01-01 caller=x level=warn msg="slow rule" n=1', "warning: slow rule"),
        (
            'ts=1 caller=x level=error component=tsdb msg="no space" err="disk full"',
            "error: no space: disk full",
        ),
        ('level=info msg="all is well"', None),
        ("Traceback (most recent call last):", None),
        ("{broken", None),
    ],
)
def test_warnings_and_errors_reach_the_operator(line: str, said: str | None) -> None:
    assert notice(line) == said


def test_what_is_said_again_and_again_is_shown_once_in_a_while() -> None:
    now = 0.0
    seen = Repetitions(clock=lambda: now)
    assert seen.is_new("retry in 1.5 s")
    assert not seen.is_new("retry in 2.5 s")
    assert seen.is_new("something else")
    now = 31.0
    assert seen.is_new("retry in 9.5 s")


def test_progress_without_a_terminal_is_lines_and_only_for_long_waits() -> None:
    out = io.StringIO()
    wait = Display(out).wait("RabbitMQ starts")
    for elapsed in (0.5, 1.9, 2.1, 3.0, 16.9, 17.1):
        wait(elapsed)
    assert out.getvalue().splitlines() == ["  RabbitMQ starts … 2 s", "  RabbitMQ starts … 17 s"]


# Secrets


def test_the_token_is_made_once_and_only_for_our_eyes(tmp_path: Path) -> None:
    made = secret.token(tmp_path, {})
    assert len(made) >= 32
    assert secret.token(tmp_path, {}) == made
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert secret.token(tmp_path, {"GATEWAY_TOKEN": "given"}) == "given"


def test_a_private_file_is_replaced_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text("old")
    file.chmod(0o644)
    secret.write_private(file, "new")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


# One run at a time, and what a killed one leaves


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    assert lock.holder(file) is None
    with lock.acquire(file):
        assert lock.holder(file) == os.getpid()
        with pytest.raises(AlreadyRuns, match=f"pid {os.getpid()}"):
            lock.acquire(file)
    assert lock.holder(file) is None


def test_who_is_gone_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "processes.json"
    register = Register(file)
    with subprocess.Popen(SLEEPER) as ended:
        register.add("here", os.getpid())
        register.add("ended", ended.pid)
        assert [each["name"] for each in json.loads(file.read_text())] == ["here", "ended"]
        ended.kill()
    register.tidy()
    assert [each["name"] for each in json.loads(file.read_text())] == ["here"]


def test_a_start_time_tells_a_process_from_a_later_one() -> None:
    assert start_time(os.getpid()) == start_time(os.getpid())
    assert (start_time(1) or 0) < (start_time(os.getpid()) or 0)
    assert start_time(2**22 + 1) is None


def test_a_start_time_stays_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel computes the time of the boot from the clock; psutil adds it to what it read before."""
    before, boot = start_time(os.getpid()), psutil.boot_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 1)
    assert start_time(os.getpid()) == before


def test_survivors_are_ended_and_nothing_else(tmp_path: Path) -> None:
    ours = subprocess.Popen(SLEEPER, start_new_session=True)
    theirs = subprocess.Popen(SLEEPER, start_new_session=True)
    try:
        file = tmp_path / "processes.json"
        register = Register(file)
        register.add("worker-1", ours.pid)
        register.add("gone", 2**22 + 1)
        entries = json.loads(file.read_text())
        # A pid that was given to somebody else since: the same number, another start time.
        entries.append({"name": "worker-2", "pid": theirs.pid, "start_time": 1})
        file.write_text(json.dumps(entries))
        left = survivors(file, Path.cwd())
        assert [(s.name, s.pid) for s in left] == [("worker-1", ours.pid)]
        end(left)
        assert ours.wait(5) == -signal.SIGTERM
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


def test_a_copy_of_the_register_names_nobody_and_tells_of_the_original(tmp_path: Path) -> None:
    first, copy = tmp_path / "first", tmp_path / "copy"
    first.mkdir()
    copy.mkdir()
    process = subprocess.Popen(SLEEPER, start_new_session=True, cwd=first)
    try:
        Register(first / "processes.json").add("worker-1", process.pid)
        (copy / "processes.json").write_bytes((first / "processes.json").read_bytes())
        assert survivors(copy / "processes.json", copy) == []
        assert original(copy / "processes.json", copy) == first
        renamed = first.rename(tmp_path / "renamed")
        assert [s.pid for s in survivors(renamed / "processes.json", renamed)] == [process.pid]
        assert original(renamed / "processes.json", renamed) is None
    finally:
        process.kill()
        process.wait()


def test_a_survivor_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    script = deaf + "print('on', flush=True); time.sleep(99)"
    stubborn = subprocess.Popen(
        [sys.executable, "-c", script], start_new_session=True, stdout=subprocess.PIPE
    )
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    end([Started("stubborn", stubborn.pid, start_time(stubborn.pid) or 0)], grace=0.1)
    assert stubborn.wait(5) == -signal.SIGKILL
    stubborn.stdout.close()


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"pid": 1}]'])
def test_a_damaged_register_names_nobody(content: str, tmp_path: Path) -> None:
    file = tmp_path / "processes.json"
    file.write_text(content)
    assert survivors(file, tmp_path) == []


def test_what_the_gateway_lacks_is_said_in_words() -> None:
    assert probe.missing((503, '{"missing": ["broker", "prometheus"]}')) == "broker, prometheus"
    assert probe.missing((200, "{}")) == ""
    assert probe.missing((500, "oops")) == "status 500"
    assert probe.missing(None) == "an answer"


def test_down_ends_what_a_killed_run_left_behind_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    layout.create()
    assert down(layout) == 0
    assert "does not run in this checkout" in capsys.readouterr().out
    process = subprocess.Popen(SLEEPER, start_new_session=True, cwd=tmp_path)
    try:
        Register(layout.processes).add("worker-1", process.pid)
        layout.endpoints.write_text("{}")
        assert down(layout) == 0
        assert process.wait(5) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert "was killed and left 1 running: worker-1." in capsys.readouterr().out
    assert not layout.processes.exists()
    assert not layout.endpoints.exists()
