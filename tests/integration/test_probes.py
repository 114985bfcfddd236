"""The metrics port among clients that hold it open: whoever asks gets an answer, and nobody stays for ever."""

import contextlib
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily

from runtime.probes import AT_ONCE, MAX_HEAD_BYTES, ProbeServer, serve_probes
from tests.helpers.eventually import eventually

HALF = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"

Serve = Callable[..., ProbeServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts metrics ports of this test."""
    with contextlib.ExitStack() as stack:

        def begin(*collectors: object, **options: Any) -> ProbeServer:
            registry = CollectorRegistry()
            Counter("seen", "Of the test.", registry=registry).inc()
            for each in collectors:
                registry.register(each)  # type: ignore[arg-type]
            server = serve_probes("127.0.0.1", 0, list, registry, **options)
            return stack.enter_context(contextlib.closing(server))

        yield begin


@contextlib.contextmanager
def clients(
    port: int, number: int, words: bytes, address: str = "127.0.0.1"
) -> Iterator[list[socket.socket]]:
    """So many connections that have said this much."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind((address, 0))
            client.connect(("127.0.0.1", port))
            client.sendall(words)
            opened.append(client)
        yield opened


def answer(port: int, request: bytes = WHOLE) -> bytes:
    """All that is answered; empty if the connection was refused a place."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(5)
        client.sendall(request)
        return read(client)


def read(client: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            said += piece
    return said


class Asked:
    """Counts how often it is collected."""

    times = 0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self.times += 1
        yield GaugeMetricFamily("asked", "Of the test.", self.times)


def test_a_scrape_gets_through_while_a_hundred_slow_clients_try(serve: Serve) -> None:
    port = serve(asked := Asked()).port
    threads = threading.active_count()
    with clients(port, 100, HALF):
        for _ in range(20):
            said = answer(port)
            assert said.startswith(b"HTTP/1.0 200 OK"), said
            assert b"seen_total 1.0" in said
        eventually("those that had to go are gone", lambda: threading.active_count() <= threads + AT_ONCE)
        assert asked.times == 20  # nothing is computed for those who never asked
        cut = re.search(rb'probe_connections_cut_total{reason="room"} (\S+)', answer(port))
        assert cut is not None
        assert float(cut[1]) >= 100 - AT_ONCE


def test_the_address_that_holds_most_makes_room(serve: Serve) -> None:
    port = serve().port
    with clients(port, 1, HALF) as (slow,), clients(port, 3 * AT_ONCE, HALF, "127.0.0.2"):
        slow.settimeout(5)
        slow.sendall(b"\r\n")
        assert read(slow).startswith(b"HTTP/1.0 200 OK")


def test_a_request_has_a_deadline_however_often_something_comes(serve: Serve) -> None:
    port = serve(request_seconds=0.5).port
    begun = time.monotonic()
    with clients(port, 1, HALF) as (slow,):
        slow.settimeout(0.05)
        assert ended(slow, lambda: slow.sendall(b"x"))
    assert 0.3 < time.monotonic() - begun < 5


def ended(client: socket.socket, say: Callable[[], None]) -> bool:
    """Say it again and again; whether the connection ends within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            say()
            if client.recv(1) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


class Large:
    """More than the buffers of a connection hold."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("large", "x" * 8_000_000)


def test_who_reads_no_answer_makes_room_and_has_a_deadline(serve: Serve) -> None:
    port = serve(Large(), request_seconds=3.0).port
    probe = b"GET /livez HTTP/1.0\r\n\r\n"
    threads = threading.active_count()
    with clients(port, AT_ONCE, WHOLE):
        eventually("there is a place", lambda: answer(port, probe).startswith(b"HTTP/1.0 200"), 5)
        eventually("nobody is waited for", lambda: threading.active_count() <= threads, 10)


def test_a_head_without_an_end_is_cut_off(serve: Serve) -> None:
    port = serve().port
    with clients(port, 1, b"GET /metrics HTTP/1.1\r\n") as (client,):
        client.settimeout(0.01)
        said = 0

        def another_line() -> None:
            nonlocal said
            said += 1
            client.sendall(b"X-Filling: " + b"x" * 1000 + b"\r\n")

        assert ended(client, another_line)
        assert said * 1000 < 10 * MAX_HEAD_BYTES


class Broken:
    """Cannot say what it measures."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        raise ValueError


def test_metrics_that_cannot_be_told_are_an_error_and_a_line_in_the_log(serve: Serve) -> None:
    port = serve(Broken()).port
    with structlog.testing.capture_logs() as logs:
        assert answer(port).startswith(b"HTTP/1.0 500")
    assert [line["event"] for line in logs] == ["the metrics port has no answer"]
    assert answer(port, b"GET /livez HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")


def test_what_prometheus_asks_for(serve: Serve) -> None:
    port = serve().port
    head, _, body = answer(port, HALF + b"Accept-Encoding: gzip\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert b"seen_total 1.0" in gzip.decompress(body)
    assert b"seen_total" not in answer(port, b"GET /metrics?name[]=none HTTP/1.0\r\n\r\n")
    head, _, body = answer(port, b"HEAD /metrics HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert body == b""
    assert answer(port, b"GET /else HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404")
    for odd in (b"\r\n", b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"\x00\xff\x16\x03\x01\r\n\r\n"):
        assert b" 200 " not in answer(port, odd)
