"""A web server that has one model, or misbehaves in one way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DRIP_SECONDS = 0.02


class ModelServer(ThreadingHTTPServer):
    """Answers `/<behaviour>` with `content`: right, short, endless, dripping, silent; anything else is 404.

    short: ends before the length that it stated. endless: states none and goes on for as long as somebody reads.
    dripping: a byte now and then. silent: accepts and says nothing.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.closing = threading.Event()
        self.asked: list[str] = []

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{behaviour}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        behaviour = request.path.removeprefix("/")
        self.asked.append(behaviour)
        if behaviour == "silent":
            self.closing.wait()
            return
        if behaviour not in ("right", "short", "endless", "dripping"):
            request.send_error(404)
            return
        request.send_response(200)
        if behaviour != "endless":
            request.send_header("Content-Length", str(len(self.content)))
        request.end_headers()
        match behaviour:
            case "right":
                request.wfile.write(self.content)
            case "short":
                request.wfile.write(self.content[: len(self.content) // 2])
            case "endless":
                while not self.closing.is_set():
                    request.wfile.write(self.content)
            case "dripping":
                for byte in self.content:
                    request.wfile.write(bytes([byte]))
                    if self.closing.wait(DRIP_SECONDS):
                        break


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self) -> None:
        try:
            self.server.answer(self)
        except OSError:
            self.close_connection = True  # the client has seen enough

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def model_server(content: bytes) -> Iterator[ModelServer]:
    """The server while the block runs."""
    server = ModelServer(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
