"""The metrics port of a service: /metrics, /livez and /readyz."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics, make_wsgi_app

disable_created_metrics()  # else every counter has a second series, which nobody asks for

Missing = Callable[[], list[str]]
"""Names what a service still lacks to do its work; empty means ready."""

STOP_SECONDS = 0.1
AT_ONCE = 16
PATIENCE_SECONDS = 10
RETRY_SECONDS = 0.2


class ProbeServer:
    """A running metrics port. Liveness is the process's own answer; it never asks the broker."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self.port: int = server.server_port
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


def serve_probes(
    host: str, port: int, missing: Missing, registry: CollectorRegistry = REGISTRY
) -> ProbeServer:
    """Serve /metrics, /livez and /readyz (503 naming what is missing) in a thread. Raises OSError if taken."""
    metrics = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/livez":
            return _answer(start_response, "200 OK", {"status": "alive"})
        if path == "/readyz":
            lacks = missing()
            if lacks:
                return _answer(
                    start_response, "503 Service Unavailable", {"status": "not ready", "missing": lacks}
                )
            return _answer(start_response, "200 OK", {"status": "ready"})
        if path == "/metrics":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        return _answer(start_response, "404 Not Found", {"paths": ["/metrics", "/livez", "/readyz"]})

    return ProbeServer(make_server(host, port, app, _Server, _Handler))


def _answer(start_response: Any, status: str, body: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


class _Server(ThreadingMixIn, WSGIServer):
    """At most AT_ONCE connections, each for a few seconds: whoever holds them open takes no files from the service."""

    daemon_threads = True
    address_family = socket.AF_INET
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError:
            # No file is left: the connection stays waiting, and so must we, or we would turn round at full speed.
            time.sleep(RETRY_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone, or says nothing, is no event."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def server_bind(self) -> None:
        # WSGIServer looks its own name up in DNS, which can take seconds; nothing here needs it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no events."""
