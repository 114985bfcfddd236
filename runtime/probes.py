"""The metrics port of a service: /metrics, /livez and /readyz."""

import contextlib
import io
import json
import socket
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, make_wsgi_app

from runtime.logs import get_logger

log = get_logger("probes")

disable_created_metrics()  # else every counter has a second series, which nobody asks for

Missing = Callable[[], list[str]]
"""Names what a service still lacks to do its work; empty means ready."""

STOP_SECONDS = 0.1
AT_ONCE = 16
REQUEST_SECONDS = 10.0
"""From the opening of a connection to the end of its answer; what is not over then is cut off."""
ANSWER_SECONDS = 1.0
"""So long whoever has asked is left alone, however many others come."""
MAX_HEAD_BYTES = 32 * 1024
RETRY_SECONDS = 0.2


class ProbeServer:
    """A running metrics port. Liveness is the process's own answer; it never asks the broker."""

    def __init__(self, server: "_Server", registry: CollectorRegistry) -> None:
        self._server = server
        self._registry = registry
        registry.register(server.cut)
        self.port: int = server.server_address[1]
        # The pause in which it looks whether to stop: `close` waits for it, and with it whoever stops.
        self._thread = threading.Thread(
            target=server.serve_forever, args=(STOP_SECONDS,), name="probes", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._registry.unregister(self._server.cut)


def serve_probes(
    host: str,
    port: int,
    missing: Missing,
    registry: CollectorRegistry,
    *,
    condition: Callable[[], str] = lambda: "ready",
    request_seconds: float = REQUEST_SECONDS,
) -> ProbeServer:
    """Serve /metrics, /livez and /readyz (503 naming what is missing) in a thread. Raises OSError if taken.

    `condition` is the word for a service that lacks nothing.
    """
    metrics = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/livez":
            return _answer(start_response, "200 OK", {"status": "alive"})
        if path == "/readyz":
            lacks = missing()
            if lacks:
                return _answer(
                    start_response, "503 Service Unavailable", {"status": "not ready", "missing": lacks}
                )
            return _answer(start_response, "200 OK", {"status": condition()})
        if path == "/metrics":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        return _answer(start_response, "404 Not Found", {"paths": ["/metrics", "/livez", "/readyz"]})

    return ProbeServer(_Server((host, port), app, request_seconds), registry)


def cut_connections() -> Counter:
    """The metric of a metrics port itself."""
    cut = Counter(
        "probe_connections_cut",
        "Connections of the metrics port that were ended: too late, to make room, or no place was left.",
        ["reason"],
        registry=None,
    )
    for reason in ("late", "room", "full"):
        cut.labels(reason)
    return cut


def _answer(start_response: Any, status: str, body: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


@dataclass(slots=True)
class _Visit:
    """An open connection: whose it is, since when (monotonic seconds), and whether its request is complete."""

    connection: socket.socket
    address: str
    since: float
    asked: bool = False

    def end(self) -> None:
        """Make every wait for this client end at once; its own thread closes the connection."""
        with contextlib.suppress(OSError):  # it has gone by itself
            self.connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingMixIn, TCPServer):
    """At most AT_ONCE connections, each with one request and a deadline for all of it.

    When there is no place left, the address that holds most of them makes room with its oldest one that has not sent a
    whole request, or has kept its answer waiting. So those that hold connections open keep out nobody who asks.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], app: Any, request_seconds: float) -> None:
        self.app = app
        self._request_seconds = request_seconds
        self._lock = threading.Lock()
        self._visits: dict[socket.socket, _Visit] = {}  # the oldest first
        self.cut = cut_connections()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError:
            # No file is left: the connection stays waiting, and so must we, or we would turn round at full speed.
            time.sleep(RETRY_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        visit = _Visit(request, client_address[0], time.monotonic())
        with self._lock:
            admitted = len(self._visits) < AT_ONCE or self._make_room(visit.since)
            if admitted:
                self._visits[request] = visit
        if not admitted:
            self.cut.labels("full").inc()
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._forget(request)
            raise

    def asked(self, request: Any) -> None:
        """Note that the request is complete."""
        with self._lock:
            if (visit := self._visits.get(request)) is not None:
                visit.asked = True

    def service_actions(self) -> None:
        """Cut off who has had all of the time; called ten times a second."""
        now = time.monotonic()
        with self._lock:
            late = [each for each in self._visits.values() if now - each.since > self._request_seconds]
            for visit in late:
                visit.end()
                del self._visits[visit.connection]
        self.cut.labels("late").inc(len(late))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone, or says nothing, is not an event."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for visit in self._visits.values():
                visit.end()

    def _forget(self, request: Any) -> None:
        with self._lock:
            self._visits.pop(request, None)

    def _make_room(self, now: float) -> bool:
        idle = [each for each in self._visits.values() if not each.asked or now - each.since > ANSWER_SECONDS]
        if not idle:
            return False
        held = Tally(each.address for each in self._visits.values())
        visit = max(idle, key=lambda each: held[each.address])  # of equal ones the first, which is the oldest
        visit.end()
        del self._visits[visit.connection]
        self.cut.labels("room").inc()
        return True


class _Handler(BaseHTTPRequestHandler):
    """One request of a connection, answered by the WSGI application. HTTP/1.0: the end of the answer is its end."""

    server: _Server

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._head = _Head(self.connection)
        self.rfile = io.BufferedReader(self._head)

    def do_GET(self) -> None:
        if self._head.ended:
            return  # before it was complete: nobody waits for an answer any more
        self.server.asked(self.request)
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_ACCEPT": self.headers.get("Accept", ""),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
        }
        answered: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            body = b"".join(self.server.app(environ, lambda *words: answered.append(words)))
            status, headers = answered[-1]
        except Exception:
            log.exception("the metrics port has no answer", path=path[:200])
            self.send_error(500)
            return
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def version_string(self) -> str:
        return "framefleet"

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no events."""


class _Head(io.RawIOBase):
    """What a client says, MAX_HEAD_BYTES of it: after these it is as if it had hung up. `ended`: it has."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = MAX_HEAD_BYTES
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        count = self._connection.recv_into(view) if len(view) else 0
        self._left -= count
        self.ended = count == 0
        return count
