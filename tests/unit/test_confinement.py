"""What a confined process can do and what it cannot, tried by one."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.confinement import REMEDIES, bare, lacking

SOMEBODY = 12_345
EVERYBODYS = 0o777
NEEDED = [name for name in REMEDIES if name in lacking()]

pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"this machine lacks {', '.join(NEEDED)}")


def users() -> list[Any]:
    """Root, where that is us, and an ordinary user."""
    me = os.geteuid()
    return (
        [pytest.param(0, id="root"), pytest.param(SOMEBODY, id="user")]
        if me == 0
        else [pytest.param(me, id="user")]
    )


def started(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.helpers.deeds", *arguments],
        env=bare({**os.environ, "AMQP_URL": "amqp://u:hunter2@h/"}, network=False),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may read and write: its permissions keep nobody out, nor do those above it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(EVERYBODYS)
        (folder / "secret").write_text("hunter2")
        (folder / "secret").chmod(0o666)
        yield folder


@pytest.mark.parametrize("user", users())
@pytest.mark.parametrize("network", [True, False], ids=["network", "alone"])
def test_it_can_compute_and_nothing_else(folder: Path, network: bool, user: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = started("network" if network else "alone", str(user), str(folder), str(port))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    deeds = told.pop("deeds")
    assert told == {
        "failed": [],
        "threads": 1,
        "uid": 65534 if user == 0 else user,
        "capabilities": 0,
        "no new privileges": "1",
        "core": [0, 0],
        "dumpable": 0,
        "dies with us": signal.SIGKILL,
    }
    allowed = {"read code", "read a library's data", "start a thread", "have memory", "reserve addresses"}
    allowed |= {"look a host up", *(["reach the internet"] if network else [])}
    assert {name for name, outcome in deeds.items() if outcome == "done"} == allowed
    assert deeds["have too much memory"] == "MemoryError"
    assert (folder / "secret").read_text() == "hunter2"


def test_one_that_computes_for_ever_is_ended() -> None:
    assert started("burn").returncode == -signal.SIGXCPU


def test_it_gets_no_secret_of_the_environment() -> None:
    given = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "AMQP_URL": "amqp://u:hunter2@h/",
        "CAMERA_GATE_PASSWORD": "hunter2",
        "GATEWAY_TOKEN": "hunter2",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "http_proxy": "http://proxy:3128",
    }
    alone = bare(given, network=False)
    assert "hunter2" not in str(alone)
    assert alone.keys() == {"PATH", "LC_ALL", "PYTHONPATH", "PYTHONSAFEPATH", "OPENBLAS_NUM_THREADS"}
    streams = bare(given, network=True)
    assert streams.keys() - alone.keys() == {"http_proxy", "no_proxy"}


def test_what_a_machine_lacks_is_done_without_and_told() -> None:
    """Told by the services in one line; a confined process says nothing of it."""
    program = """
import json, sys
from pathlib import Path
from runtime import confinement, landlock, seccomp
from runtime.logs import configure_logs, get_logger
seccomp.LIBRARY = "libnowhere.so.1"
landlock.CREATE_RULESET = 100_000  # a kernel that does not know it
configure_logs("producer", "info", "json")
absent = confinement.report_lacking(get_logger("producer"))
failed = confinement.confine(memory=300_000_000, network=True)
status = Path("/proc/self/status").read_text()
print(json.dumps([absent, failed, "NoNewPrivs:\\t1" in status]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=bare(os.environ, network=False),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [["landlock", "seccomp"], [], True]
    [line] = map(json.loads, done.stderr.splitlines())
    assert (line["event"], line["seccomp"], line["landlock"]) == (
        "confinement is not whole",
        REMEDIES["seccomp"],
        REMEDIES["landlock"],
    )
