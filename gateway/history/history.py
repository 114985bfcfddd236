"""The history as a whole: its database, who writes it, who reads it, and where its thumbnails come from."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from broker import Consumer
from contract.result import Result
from gateway.errors import CannotStart, HistoryOccupied
from gateway.history.database import Database
from gateway.history.readers import Readers
from gateway.history.recorder import Recorder
from gateway.history.retention import RetentionLimits
from gateway.history.store import Labels, Repeat, ThumbnailRequest
from gateway.history.thumbnail_queue import ThumbnailQueue
from gateway.history.thumbnails import Thumbnailer
from gateway.history.writer import HistoryWriter
from gateway.metrics import GatewayMetrics
from gateway.result_spans import ResultSpans
from gateway.security.refusals import Refusals
from gateway.settings import GatewaySettings

GRACE_SECONDS = 0.8
"""For each step of the end."""


class History:
    """`on_wanted` is called when frames are wanted for the pictures of events; see Recorder for the others."""

    def __init__(
        self,
        settings: GatewaySettings,
        metrics: GatewayMetrics,
        refusals: Refusals,
        labels: Labels,
        *,
        admits: Callable[[Result], bool],
        on_recorded: Callable[[Result, bytes], None],
        on_repeat: Callable[[Repeat], None],
        on_wanted: Callable[[], None],
        spans: ResultSpans | None = None,
    ) -> None:
        self.database = Database(
            settings.database_url.get_secret_value(), settings.data_dir / "history.sqlite3"
        )
        used, idle = (metrics.database_connections.labels(state) for state in ("used", "idle"))
        used.set_function(lambda: self.database.connections[0])
        idle.set_function(lambda: self.database.connections[1])
        queue = ThumbnailQueue()
        self.thumbnailer = Thumbnailer(queue.put, metrics, whole=settings.history_pictures_mb > 0)
        self._on_wanted = on_wanted
        limits = RetentionLimits(
            days=settings.history_days,
            rows=settings.history_rows,
            events=settings.history_events,
            activity_days=settings.history_activity_days,
            pictures_mb=settings.history_pictures_mb,
        )
        self.recorder = Recorder(
            HistoryWriter(self.database, labels=labels, gap=settings.history_gap_seconds, limits=limits),
            metrics,
            queue,
            admits=admits,
            on_requests=self.look_for_pictures,
            on_recorded=on_recorded,
            on_repeat=on_repeat,
            spans=spans,
        )
        self.readers = Readers(self.database, metrics, refusals)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Have the SQLite file for this process. Raises CannotStart if another gateway has it."""
        try:
            self.database.claim()
        except HistoryOccupied as error:
            raise CannotStart(str(error)) from None
        except OSError:
            pass  # the recorder tries again, and /readyz says why
        try:
            yield
        finally:
            self.readers.close()
            self.thumbnailer.close()
            self.database.close()

    @asynccontextmanager
    async def recording(self, consumer: Consumer) -> AsyncIterator[None]:
        """Write what `consumer` brings. At the end nothing more is taken, and what has arrived is written and
        acknowledged, if that can be done within the grace."""
        recording = asyncio.create_task(self.recorder.run())
        try:
            yield
        finally:
            cancelled = asyncio.Event()
            consumer.cancel(cancelled.set)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await cancelled.wait()
            self.recorder.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await recording

    def look_for_pictures(self, requests: Sequence[ThumbnailRequest]) -> None:
        """Have the workers asked for these frames, as the pictures of events."""
        if self.thumbnailer.request(requests, time.monotonic()):
            self._on_wanted()
