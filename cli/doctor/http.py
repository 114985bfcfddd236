"""Questions over HTTP to whatever may be there: bounded in time and size, past proxies, each failure a sentence."""

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from cli.doctor.errors import NoAnswer
from runtime.urls import flaw

ANSWER_SECONDS = 3.0
ASIDE_SECONDS = 2.0
"""Of a question whose answer only helps: another area tells of it if there is none."""
MOST_BYTES = 4 * 1024 * 1024
TLS_ALERT = "\x15\x03"
AT_ONCE = 64
Asked = TypeVar("Asked")
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer; `asked` and `came` are our Unix seconds before and after it."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: float
    came: float

    def json(self) -> Any:
        """The body. Raises NoAnswer if it is not JSON, as that of a program which is not ours."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise NoAnswer(f"answers, but not as expected (status {self.status}): {self._begin()}") from None

    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode(errors="replace")

    def _begin(self) -> str:
        return " ".join(self.text()[:200].split())[:60] or "an empty body"


def ask(url: str, *, token: str = "", seconds: float = ANSWER_SECONDS, most: int = MOST_BYTES) -> HttpAnswer:
    """GET `url`. Blocks for little more than `seconds`. Raises NoAnswer; a status of 400 or more is an answer."""
    connection = _connection(url, seconds)
    late = threading.Event()
    try:
        asked = time.time()
        connection.connect()
        with _hung_up_after(connection.sock, seconds) as late:
            parts = urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers=_authorization(url, token))
            # Of one that ends with its connection only this lets go.
            with connection.getresponse() as response:
                came = time.time()
                body = response.read(most + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(_silent(seconds) if late.is_set() else _sentence(error, seconds)) from None
    finally:
        connection.close()
    if late.is_set():
        raise NoAnswer(_silent(seconds))
    if len(body) > most:
        raise NoAnswer(f"answers with more than {most // 1024 // 1024} MiB: that is none of our programs")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return HttpAnswer(url, response.status, headers, body, asked, came)


def side_by_side(
    question: Callable[[Asked], Said], about: Iterable[Asked]
) -> list[tuple[Asked, Said | NoAnswer]]:
    """Ask the same of all, at once: several that are silent take no longer than one."""

    def asked(one: Asked) -> Said | NoAnswer:
        try:
            return question(one)
        except NoAnswer as why:
            return why

    everybody = list(about)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(zip(everybody, threads.map(asked, everybody), strict=True))


def shown(url: str) -> str:
    """The place of a URL, without what may be secret in it."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "that address"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _connection(url: str, seconds: float) -> http.client.HTTPConnection:
    if (said := flaw(url)) is not None:
        raise NoAnswer(f"is not an address: {said}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NoAnswer("is not an address: it looks like http://host:port")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=seconds)


def _authorization(url: str, token: str) -> dict[str, str]:
    if token:
        return {"Authorization": f"Bearer {token}"}
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


@contextmanager
def _hung_up_after(connected: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """End a connection whose other side sends a byte now and then: a socket's timeout counts from each of them.

    The event is set when that happened: the end of a connection looks like the end of an answer.
    """
    line = socket.socket(fileno=os.dup(connected.fileno()))
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield late
    finally:
        watch.cancel()
        line.close()


def _silent(seconds: float) -> str:
    return f"has not answered within {seconds:g} s"


def _sentence(error: Exception, seconds: float) -> str:
    match error:
        case TimeoutError():
            return _silent(seconds)
        case ConnectionRefusedError():
            return "does not answer: nobody listens there"
        case socket.gaierror():
            return "is not to be found: the name of its host is not known"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return "does not agree on TLS: is it http:// there, and not https://?"
        case http.client.RemoteDisconnected() | ConnectionResetError():
            return (
                "hangs up without an answer: another program listens there, or it is https:// and not http://"
            )
        case http.client.BadStatusLine() if str(error).startswith(TLS_ALERT):
            return "wants TLS: is it https:// there, and not http://?"
        case http.client.HTTPException():
            return "answers, but not in HTTP: another program listens there"
        case OSError() if error.strerror:
            return f"does not answer: {error.strerror.lower()}"
    return f"does not answer ({type(error).__name__})"
