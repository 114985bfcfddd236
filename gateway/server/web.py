"""uvicorn as the gateway uses it."""

import contextlib
import logging
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from gateway.live.protocol import MAX_MESSAGE_BYTES
from gateway.server.connections import MAX_HEAD_BYTES, RequestLimits, http_class, websocket_class
from gateway.server.listener import BACKLOG

GRACE_SECONDS = 2
ACCEPTED_PART = 8
"""A part of the files that we may open: asyncio accepts as many connections in one go as the backlog is long, and only
then are they counted."""


class WebServer(uvicorn.Server):
    """uvicorn without its signal handlers: this process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def web_server(app: ASGIApp, limits: RequestLimits, files: int) -> WebServer:
    """A server of `app` whose connections keep within `limits`, in a process that may open so many files."""
    # uvicorn's own lines say nothing new, and those on WebSockets quote paths, which may contain secrets. Of what it
    # warns (no valid HTTP) anybody could send as much as they like: it is counted instead.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return WebServer(
        uvicorn.Config(
            app,
            http=http_class(limits),
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ws=websocket_class(limits.crowd),
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            backlog=min(BACKLOG, max(1, files // ACCEPTED_PART)),
            access_log=False,  # paths may contain secrets
            proxy_headers=False,  # ours knows X-Forwarded-Host too (gateway.security.proxies)
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
