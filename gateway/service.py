"""The gateway as a running whole: startup, work, shutdown."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Generator, Sequence

import uvicorn

from broker import AsyncioLoop, Connection, aio, split_urls
from gateway.app import Parts, create_app
from gateway.cameras.cameras import Cameras
from gateway.dead_letters import DeadLetterReader
from gateway.figures import FigureBoard
from gateway.history import retention
from gateway.history.database import Database, Occupied
from gateway.history.reading import Readers
from gateway.history.recorder import Recorder
from gateway.history.store import Wish
from gateway.history.thumbnails import Thumbnailer
from gateway.history.writer import Writer
from gateway.live.connection import PATIENCE_SECONDS
from gateway.live.feed import Feed
from gateway.live.protocol import MAX_MESSAGE_BYTES
from gateway.live.states import States
from gateway.live.websocket import ResultsSocket
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from gateway.prometheus.client import Prometheus
from gateway.security.auth import Authenticator, Identity
from gateway.security.crowd import Crowd
from gateway.security.limits import MAX_HEAD_BYTES, REQUEST_SECONDS, Limits, http_class, websocket_class
from gateway.security.links import ready_link
from gateway.settings import GatewaySettings, is_loopback
from gateway.starting import BACKLOG, CannotStart, keyring, listen, main_token
from gateway.statistics import Statistics
from runtime.files import allow_many_files, connections
from runtime.logs import get_logger
from runtime.probes import serve_probes
from runtime.signals import stop_on_signal

log = get_logger("gateway")

TICK_SECONDS = 1.0
GRACE_SECONDS = 2
BROKER_GRACE_SECONDS = 0.8
ACCEPTED_PART = 8
"""A part of the files that we may open: asyncio accepts as many connections in one go as the backlog is long, and only
then are they counted."""


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers: this process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Gateway:
    """Everything of one gateway. Construct it inside the event loop; `run` serves until `stop`."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        metrics: GatewayMetrics | None = None,
        patience: float = PATIENCE_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.settings = settings
        self.authenticator = Authenticator(main_token(settings), keyring(settings))
        self.authenticator.on_guess = lambda address: log.warning("a wrong token or code", address=address)
        self.metrics = metrics or GatewayMetrics()
        self.nodes = Nodes()
        self.cameras = Cameras(self.nodes.lanes)
        self.statistics = Statistics(time.time())
        self.feed = Feed(
            f"{settings.node_name}-{os.getpid()}",
            cameras=self.cameras,
            nodes=self.nodes,
            statistics=self.statistics,
            metrics=self.metrics,
            folder=settings.data_dir,
        )
        self.states = States(self.feed.hub, self.cameras, self.nodes, self.metrics)
        self.database = Database(
            settings.database_url.get_secret_value(), settings.data_dir / "history.sqlite3"
        )
        self.recorder = Recorder(
            self._writer(), self.metrics, self._wish, self.feed.recorded, self.feed.not_kept
        )
        self._thumbnailer = Thumbnailer(self.recorder.keep, self.metrics)
        self.feed.wanted_briefly = self._thumbnailer.wanted
        self.feed.on_picture = lambda result, picture: self._thumbnailer.picture(
            result, picture, time.monotonic(), time.time()
        )
        self._readers = Readers(self.database, self.metrics)
        self._prometheus = Prometheus(settings.prometheus_url) if settings.prometheus_url else None
        self._fatal = ""
        self._broker_state = "not connected yet"
        urls, loop = split_urls(settings.amqp_url), AsyncioLoop()
        self._connection = Connection(
            loop,
            urls,
            "gateway listens",
            [*self.feed.listeners, self.recorder.consumer],
            on_state=self._broker_changed,
            on_fatal=self._broker_refused,
        )
        # A connection of its own: in a broker alarm the publishing one is not read, and acknowledgements must be.
        self._announcing = Connection(loop, urls, "gateway announces", [self.feed.publisher])
        self._socket = ResultsSocket(
            self.feed.hub, self.metrics, self.states.greet, limit=settings.max_viewers, patience=patience
        )
        self.feed.on_missed = self._socket.missed
        self.app = create_app(self._parts())
        files = allow_many_files()
        self._may_have = connections(files)
        self.crowd = Crowd(
            min(settings.max_connections, self._may_have),
            settings.max_connections_per_address,
            lambda address: is_loopback(address) or address in settings.proxies,
        )
        self._server = HttpServer(
            uvicorn.Config(
                self.app,
                http=http_class(Limits(self.crowd, self.metrics, request_seconds, 3 * request_seconds)),
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                ws=websocket_class(self.crowd),
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
        self._listener = listen(settings.host, settings.port)
        self.port: int = self._listener.getsockname()[1]
        self._claim_history()

    @property
    def address(self) -> str:
        """How browsers reach it."""
        host = self.settings.host
        if host in ("0.0.0.0", "::"):  # noqa: S104  # what is listened on is no address to go to
            host = socket.gethostname()
        own = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return self.settings.public_url or self.settings.published_url or own

    def link(self) -> str:
        """A new address that signs a browser in as the operator, once."""
        if not self.authenticator.required:
            return f"{self.address}/"
        code, _ = self.authenticator.new_code(Identity(), "operator", time.time())
        return ready_link(self.address, code)

    @property
    def serving(self) -> bool:
        """Whether it accepts connections."""
        return self._server.started

    def missing(self) -> list[str]:
        """What it lacks to do its work."""
        lacks = []
        if self._fatal:
            lacks.append(f"RabbitMQ: {self._fatal}")
        elif not self._connection.ready or not self.feed.subscribed:
            lacks.append(f"RabbitMQ: {self._broker_state}")
        if self.recorder.trouble:
            lacks.append(f"history: {self.recorder.trouble}")
        elif not self.database.opened:
            lacks.append("history: it is being opened")
        return lacks

    def stop(self) -> None:
        """Let `run` finish."""
        self._server.should_exit = True

    async def run(self) -> None:
        """Serve until `stop`; then close clients, write the history, leave the broker."""
        # uvicorn's own lines say nothing new, and those on WebSockets quote paths, which may contain secrets. Of what
        # it warns (no valid HTTP) anybody could send as much as they like: it is counted instead.
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        probes = serve_probes(
            self.settings.metrics_host, self.settings.metrics_port, self.missing, self.metrics.registry
        )
        self._connection.start()
        self._announcing.start()
        recording = asyncio.create_task(self.recorder.run())
        ticking = asyncio.create_task(self._tick())
        if self._may_have < self.settings.max_connections:
            log.warning(
                "the limit of open files leaves fewer connections than GATEWAY_MAX_CONNECTIONS: raise it "
                "(ulimit -n, LimitNOFILE=, --ulimit nofile=) or leave it so; further ones are answered with 503",
                connections=self._may_have,
                wanted=self.settings.max_connections,
            )
        log.info("gateway listens", address=self.address, metrics_port=probes.port)
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            ticking.cancel()
            await self._leave_broker(recording)
            await self.feed.models.stop()
            self._readers.close()
            self._thumbnailer.close()
            if self._prometheus is not None:
                await self._prometheus.close()
            probes.close()
            log.info("gateway stopped")

    # --- inside ------------------------------------------------------------------------------------------

    def _writer(self) -> Writer:
        settings = self.settings
        limits = retention.Limits(
            days=settings.history_days,
            rows=settings.history_rows,
            events=settings.history_events,
            activity_days=settings.history_activity_days,
        )
        return Writer(
            self.database, labels=self.cameras.labels, gap=settings.history_gap_seconds, limits=limits
        )

    def _wish(self, wishes: Sequence[Wish]) -> None:
        if self._thumbnailer.wish(wishes, time.monotonic()):
            self.feed.follow_viewers()

    def _claim_history(self) -> None:
        try:
            self.database.claim()
        except Occupied as error:
            self._listener.close()
            raise CannotStart(str(error)) from None
        except OSError:
            pass  # the recorder tries again, and /readyz says why

    def _parts(self) -> Parts:
        settings = self.settings
        return Parts(
            authenticator=self.authenticator,
            origins=settings.origins,
            public_url=settings.public_url,
            prefix=settings.prefix,
            published_url=settings.published_url,
            proxies=settings.proxies,
            viewers_per_address=settings.max_viewers_per_address,
            connections_per_address=settings.max_connections_per_address,
            metrics=self.metrics,
            socket=self._socket,
            board=FigureBoard(
                self._prometheus,
                self.statistics,
                self.nodes,
                connected=lambda: self.feed.subscribed,
                waiting=lambda: self.feed.waiting,
            ),
            cameras=self.cameras,
            nodes=self.nodes,
            models=self.feed.models,
            prometheus=self._prometheus,
            dead_letters=DeadLetterReader(split_urls(self.settings.amqp_url)),
            history=self._readers,
            history_gap=self.settings.history_gap_seconds,
            dashboard=self.settings.dashboard_dir,
            expected_workers=self.settings.expected_workers,
            missing=self.missing,
        )

    async def _tick(self) -> None:
        while True:
            try:
                for holder in self.authenticator.refresh():
                    self._socket.end(holder, "its token was revoked or changed")
                self.feed.tick()
                self.states.tick(time.monotonic())
            except Exception:
                log.exception("the tick failed")
            await asyncio.sleep(TICK_SECONDS)

    async def _leave_broker(self, recording: asyncio.Task[None]) -> None:
        cancelled = asyncio.Event()
        self.recorder.consumer.cancel(cancelled.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BROKER_GRACE_SECONDS):
                await cancelled.wait()
        self.recorder.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BROKER_GRACE_SECONDS):
                await recording
        with contextlib.suppress(TimeoutError):
            await asyncio.gather(
                aio.stop(self._connection, BROKER_GRACE_SECONDS),
                aio.stop(self._announcing, BROKER_GRACE_SECONDS),
            )

    def _broker_changed(self, state: str, detail: str) -> None:
        if state != "connecting" or not self._broker_state.startswith("lost"):
            # Why it was lost stays known while it tries again.
            self._broker_state = f"{state} ({detail})" if detail else state
        if state == "ready":
            self._fatal = ""

    def _broker_refused(self, reason: str) -> None:
        self._fatal = reason


def _elsewhere(settings: GatewaySettings) -> str:
    """What to do with the printed link on another machine, where the gateway cannot know its own address."""
    if settings.public_url or not settings.published_url:
        return ""
    return (
        "  From another machine: put this one's address in place of 127.0.0.1, or set GATEWAY_PUBLIC_URL.\n"
    )


async def serve(settings: GatewaySettings) -> None:
    """Run one gateway until SIGTERM or Ctrl-C. Raises CannotStart."""
    gateway = Gateway(settings)
    stop_on_signal(gateway.stop)
    if settings.print_link:
        sys.stdout.write(f"\n  Framefleet: {gateway.link()}\n{_elsewhere(settings)}\n")
        sys.stdout.flush()
    try:
        await gateway.run()
    except OSError as error:
        raise CannotStart(
            f"cannot listen on the metrics port {settings.metrics_port}: {error.strerror}; set GATEWAY_METRICS_PORT"
        ) from None
