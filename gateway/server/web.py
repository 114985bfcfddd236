"""uvicorn as the gateway uses it."""

import contextlib
import logging
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from gateway.addresses import is_loopback
from gateway.live.protocol import MAX_MESSAGE_BYTES
from gateway.security.crowd import Crowd
from gateway.server.connections import MAX_HEAD_BYTES, RequestLimits, http_class, websocket_class
from gateway.server.listener import BACKLOG
from gateway.settings import GatewaySettings
from runtime.logs import get_logger

log = get_logger("gateway")

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


def crowd_of(settings: GatewaySettings, may_have: int) -> Crowd:
    """The connections that may be open, in a process that may have so many."""
    if may_have < settings.max_connections:
        log.warning(
            "the limit of open files leaves fewer connections than GATEWAY_MAX_CONNECTIONS: raise it "
            "(ulimit -n, LimitNOFILE=, --ulimit nofile=) or leave it so; further ones are answered with 503",
            connections=may_have,
            wanted=settings.max_connections,
        )
    return Crowd(
        min(settings.max_connections, may_have),
        settings.max_connections_per_address,
        lambda address: is_loopback(address) or address in settings.proxies,
    )
