"""The metrics port of a service: /metrics, /livez and /readyz."""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics, make_wsgi_app

disable_created_metrics()  # a second series for every counter that nobody asks for

Missing = Callable[[], list[str]]
"""Names what a service still lacks to do its work; empty means ready."""

STOP_SECONDS = 0.1


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
    daemon_threads = True
    address_family = socket.AF_INET

    def server_bind(self) -> None:
        # WSGIServer looks its own name up in DNS, which can take seconds; nothing here needs it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no events."""
