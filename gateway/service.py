"""The gateway as a running whole: startup, work, shutdown."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Generator, Sequence

import uvicorn

from broker import AsyncioLoop, Connection, aio, split_urls
from gateway.app import Parts, create_app
from gateway.auth import Authenticator, load_token
from gateway.cameras import Cameras
from gateway.connection import ViewerConnection
from gateway.dead_letters import DeadLetterReader
from gateway.feed import Feed
from gateway.figures import FigureBoard
from gateway.history.database import Database, Occupied
from gateway.history.reading import Readers
from gateway.history.recorder import Recorder
from gateway.history.retention import Limits
from gateway.history.store import Wish
from gateway.history.thumbnails import Thumbnailer
from gateway.history.writer import Writer
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from gateway.prometheus import Prometheus
from gateway.protocol import MAX_MESSAGE_BYTES
from gateway.settings import GatewaySettings
from gateway.states import States
from gateway.statistics import Statistics
from gateway.websocket import PATIENCE_SECONDS, ResultsSocket
from runtime.logs import get_logger
from runtime.probes import serve_probes

log = get_logger("gateway")

TICK_SECONDS = 1.0
GRACE_SECONDS = 2
BROKER_GRACE_SECONDS = 0.8


class CannotStart(Exception):
    """Why the gateway does not start; a sentence that says what to do."""


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
    ) -> None:
        self.settings = settings
        self.token = self._token()
        self.metrics = metrics or GatewayMetrics()
        self.cameras, self.nodes = Cameras(), Nodes()
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
        self.recorder = Recorder(self._writer(), self.metrics, self._wish)
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
            on_fatal=self._broker_refused,
        )
        # A connection of its own: in a broker alarm the publishing one is not read, and acknowledgements must be.
        self._announcing = Connection(loop, urls, "gateway announces", [self.feed.publisher])
        self._connection.on_state = self._broker_changed
        self._socket = ResultsSocket(
            self.feed.hub, self.metrics, self.states.greet, limit=settings.max_viewers, patience=patience
        )
        self.app = create_app(self._parts())
        self._server = HttpServer(
            uvicorn.Config(
                self.app,
                ws=ViewerConnection,
                ws_max_size=MAX_MESSAGE_BYTES,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,  # paths may contain the token
                proxy_headers=False,
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
        return self.settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def link(self) -> str:
        """The address that signs a browser in."""
        return f"{self.address}/?token={self.token}" if self.token is not None else f"{self.address}/"

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
        # uvicorn's own lines say nothing new, and those on WebSockets quote paths, which may contain the token.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        probes = serve_probes(
            self.settings.metrics_host, self.settings.metrics_port, self.missing, self.metrics.registry
        )
        self._connection.start()
        self._announcing.start()
        recording = asyncio.create_task(self.recorder.run())
        ticking = asyncio.create_task(self._tick())
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

    def _token(self) -> str | None:
        if self.settings.auth == "off":
            return None
        if self.settings.token is not None:
            return self.settings.token.get_secret_value()
        try:
            return load_token(self.settings.data_dir)
        except OSError as error:
            raise CannotStart(
                f"the token cannot be kept in GATEWAY_DATA_DIR ({self.settings.data_dir}): {error.strerror}; "
                "set GATEWAY_DATA_DIR to a folder that can be written, or set GATEWAY_TOKEN"
            ) from None

    def _writer(self) -> Writer:
        settings = self.settings
        limits = Limits(
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
        return Parts(
            authenticator=Authenticator(self.token),
            origins=self.settings.origins,
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
        self._broker_state = f"{state} ({detail})" if detail else state
        if state == "ready":
            self._fatal = ""

    def _broker_refused(self, reason: str) -> None:
        self._fatal = reason


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} port {port}: {error.strerror}; choose others with GATEWAY_HOST and GATEWAY_PORT"
        ) from None
    return listener


async def serve(settings: GatewaySettings) -> None:
    """Run one gateway until SIGTERM or Ctrl-C. Raises CannotStart."""
    gateway = Gateway(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.stop)
    if settings.print_link:
        sys.stdout.write(f"\n  Framefleet: {gateway.link}\n\n")
        sys.stdout.flush()
    try:
        await gateway.run()
    except OSError as error:
        raise CannotStart(
            f"cannot listen on the metrics port {settings.metrics_port}: {error.strerror}; set GATEWAY_METRICS_PORT"
        ) from None
