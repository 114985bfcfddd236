"""Stops FFmpeg where an RTSP camera sends it to another host: it would follow by itself, and take the login along.

FFmpeg has no option against that, and PyAV no other way to interrupt it than its time limit. But FFmpeg says in its log
what it is about to do, in the camera's own thread. There the thread is held until its time is over: then FFmpeg may
still connect, and says nothing there.
"""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import av

from producer.errors import SourceError
from producer.reach import SHOWN, Reach, plain
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.rtsp import PORTS

_SAID = re.compile(r"Redirecting to (\S+)")
_MARGIN = 0.05  # seconds


class Redirect:
    """What may become of one opening: until when FFmpeg has time (monotonic), and the error if it was sent away."""

    def __init__(self, request: DecodeRequest, until: float) -> None:
        self.refusal: SourceError | None = None
        self._request = request
        self._until = until

    def said(self, message: str) -> None:
        """Hold FFmpeg up if this line of its log says that it goes to another host."""
        found = _SAID.search(message)
        if found is None or _leads_home(self._request.url, found[1]):
            return
        place = _host(found[1])
        self.refusal = SourceError(
            "elsewhere",
            f"{self._request.shown} leads to {place[:SHOWN]}, which its address does not name: if that is meant, give "
            "the address that it leads to",
        )
        time.sleep(max(0.0, self._until - time.monotonic()) + _MARGIN)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        redirect: Redirect | None = getattr(_local, "redirect", None)
        if redirect is not None:
            redirect.said(record.getMessage())


_local = threading.local()


def hear_ffmpeg() -> None:
    """Hear what FFmpeg's RTSP reader says, and keep all that it says to ourselves: it may hold addresses."""
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.INFO)
    everything, rtsp = logging.getLogger("libav"), logging.getLogger("libav.rtsp")
    everything.setLevel(logging.CRITICAL + 1)
    everything.addHandler(logging.NullHandler())
    everything.propagate = rtsp.propagate = False
    rtsp.setLevel(logging.INFO)
    rtsp.addHandler(_Handler())


@contextlib.contextmanager
def no_redirect(request: DecodeRequest, until: float | None) -> Iterator[Redirect]:
    """While this thread opens an RTSP camera: an error that is raised within has the `refusal` as its cause, if any."""
    redirect = _local.redirect = Redirect(request, time.monotonic() if until is None else until)
    try:
        yield redirect
    finally:
        _local.redirect = None


def _leads_home(own: str, other: str) -> bool:
    """Whether another address is of the same host, and as well protected."""
    try:
        here, there = urlsplit(own), urlsplit(other)
        reach = Reach(plain(here.hostname or ""), here.port or PORTS.get(here.scheme.lower()))
        allowed = reach.allows(there.hostname or "", there.port or PORTS.get(there.scheme.lower()))
    except ValueError:
        return False
    return allowed and there.scheme.lower() in (here.scheme.lower(), "rtsps")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "another place"
    except ValueError:
        return "another place"
