"""The rig's cameras as a process, asked over real sockets; and the whole cluster behind a few of them."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.ports import answers, free_port
from contract.picture import picture_size
from tests.helpers.components import require
from tests.helpers.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = "127.1.0.1", "127.1.0.2"

pytestmark = pytest.mark.integration


@contextmanager
def cameras(*options: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """The cameras with these options: their port and the process, once they answer."""
    port = free_port()
    command = [sys.executable, "-m", "bench.cameras", "--cameras", "2", "--port", str(port), *options]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        eventually("the cameras answer", lambda: answers(port))
        yield port, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def stalling() -> Iterator[int]:
    """The port of cameras that send half a picture."""
    with cameras("--stalls", "1") as (port, _):
        yield port


def test_cameras_answer_over_a_kept_connection_and_sum_up_at_the_end() -> None:
    with cameras("--kilobytes", "25", "--latency", "5ms") as (port, process):
        client = http.client.HTTPConnection(SECOND, port, timeout=10)
        client.connect()
        kept = client.sock
        for _ in range(3):
            client.request("GET", "/c2.jpg")
            answer = client.getresponse()
            picture = answer.read()
            assert (answer.status, answer.getheader("Content-Type")) == (200, "image/jpeg")
            assert picture_size(picture) == (640, 480)
            assert len(picture) <= 25_000
        assert client.sock is kept
        client.request("GET", "/c3.jpg")
        assert client.getresponse().read() == b""
        client.close()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "4 requests, 3 picture, 1 unknown" in said


def test_a_stalled_camera_sends_half_and_keeps_the_connection(stalling: int) -> None:
    with socket.create_connection((FIRST, stalling), timeout=10) as client:
        client.sendall(b"GET /c1.jpg HTTP/1.1\r\nHost: camera\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        promised = int(head.rpartition(b"Content-Length: ")[2])
        while len(head) + 4 + len(body) < (len(head) + 4 + promised) // 2:
            body += client.recv(65536)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):  # open, and silent
            client.recv(1)
        assert len(body) < promised


def test_a_port_that_is_taken_is_said(stalling: int) -> None:
    command = [sys.executable, "-m", "bench.cameras", "--cameras", "2", "--port", str(stalling)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"port {stalling} cannot be used (Address already in use): choose another --port" in done.stderr


@pytest.mark.calm  # a rate
def test_the_whole_cluster_is_measured_behind_cameras() -> None:
    require("rabbitmq-server")
    load = [
        "--cameras",
        "5",
        "--rate",
        "5",
        "--form",
        "compact",
        "--workers",
        "1",
        "--seconds",
        "3",
        "--warm",
        "3",
    ]
    environment = {**os.environ, "WORKER_DETECTOR": "haar"}  # needs no model file
    command = [sys.executable, "-m", "bench.cluster", *load]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    row = re.search(r"^\| 5 \| compact \| 5 \|(.*)\|$", done.stdout, re.MULTILINE)
    assert row is not None, done.stdout
    asked, analysed, _, p50, p95, *_ = (float(cell.split()[0]) for cell in row[1].split("|"))
    assert 2.5 < analysed < 7.5
    assert 2.5 < asked < 7.5
    assert 0 < p50 <= p95


def test_without_a_model_it_is_said_what_to_do(tmp_path: Path) -> None:
    require("rabbitmq-server")
    command = [sys.executable, "-m", "bench.cluster", "--cameras", "2", "--form", "compact"]
    environment = {**os.environ, "MODEL_DIR": str(tmp_path), "WORKER_DETECTOR": str(tmp_path / "none.onnx")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "the workers do not become ready" in done.stderr
    assert "set MODEL_DIR" in done.stderr
    assert "Traceback" not in done.stderr
