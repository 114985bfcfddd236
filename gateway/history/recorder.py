"""Consumes `result_queue` into the history: batches, and an acknowledgement only after the commit.

A crash between the two delivers the batch again, and the known frame_ids are left as they are. While the database
refuses, nothing is acknowledged: the broker keeps the results and pressure travels back to the sources.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from broker import Delivery
from contract.identifiers import CANARY_CAMERA
from contract.result import Result, parse_result
from gateway.history.faults import KINDS, HistoryFault, reason
from gateway.history.store import Repeat, Stored, ThumbnailRequest
from gateway.history.thumbnail_queue import ThumbnailQueue
from gateway.history.writer import HistoryWriter
from gateway.metrics import GatewayMetrics
from gateway.result_spans import ResultSpans
from runtime.logs import get_logger
from runtime.tracing import FrameTrace

log = get_logger("recorder")
T = TypeVar("T")

PREFETCH = 1_000
FULL = 500
"""Results that are worth a transaction without waiting for more."""
GATHER_SECONDS = 0.2
RETRY_SECONDS = 1.0
SILENT_SECONDS = 8.0
"""A transaction takes some hundredths of a second. A database that is frozen, or its disk, refuses nothing."""
PRUNE_SECONDS = 60.0
PRUNE_PAUSE_SECONDS = 0.02


class Waiting(NamedTuple):
    """A result in the recorder's hands; `since` is monotonic, `trace` its trace where it is traced."""

    delivery: Delivery
    result: Result
    since: float
    trace: FrameTrace | None = None


class Recorder:
    """`run` writes what it receives until `stop`, and the `thumbnails`.

    `admits` says of each whether its camera is to have events and minutes of its own. `on_recorded` hears of every
    result that is stored, with its JSON; `on_repeat` of every one that is not, since its frame_id is another frame's;
    `on_requests` after each batch which pictures would make thumbnails.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        metrics: GatewayMetrics,
        thumbnails: ThumbnailQueue,
        *,
        admits: Callable[[Result], bool],
        on_requests: Callable[[Sequence[ThumbnailRequest]], None],
        on_recorded: Callable[[Result, bytes], None],
        on_repeat: Callable[[Repeat], None],
        spans: ResultSpans | None = None,
    ) -> None:
        self._writer = writer
        self._thumbnails = thumbnails
        self._fault: HistoryFault | None = None
        self._metrics = metrics
        self._admits = admits
        self._on_requests = on_requests
        self._on_recorded = on_recorded
        self._on_repeat = on_repeat
        self._spans = spans
        # The database waits for the disk: not on the event loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._waiting: list[Waiting] = []
        self._writing: list[Waiting] = []
        self._arrived, self._full = asyncio.Event(), asyncio.Event()
        self._losses = 0
        self._asked: float | None = None  # monotonic, while a batch is being written
        self._unstorable = 0
        self._stopping = False
        metrics.history_waiting.set_function(self._oldest)
        for kind in KINDS:
            metrics.history_fault.labels(kind).set_function(partial(self._has, kind))

    @property
    def fault(self) -> HistoryFault | None:
        """Why nothing can be written at the moment; damage that a reader met counts."""
        return self._writer.damage or self._fault or self._silence()

    @property
    def trouble(self) -> str:
        """Why nothing can be written, as a sentence; empty when all is well."""
        return "" if (fault := self.fault) is None else fault.sentence

    async def run(self) -> None:
        """Write batches until `stop`; then what has arrived is written and acknowledged once more."""
        await self._open()
        beside = [asyncio.create_task(self._prune()), asyncio.create_task(self._keep_thumbnails())]
        while not self._stopping:
            await self._arrived.wait()
            if not self._stopping:
                await _within(GATHER_SECONDS, self._full)
            await self._write()
        for task in beside:
            task.cancel()
        await self._in_thread(self._writer.close)
        self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Let `run` finish: one last batch, and the database closed."""
        self._stopping = True
        self._arrived.set()
        self._full.set()

    def receive(self, delivery: Delivery) -> None:
        """Take a message from `result_queue`; it is acknowledged once it is written."""
        try:
            result = parse_result(delivery.body)
        except ValueError as error:
            self._metrics.invalid.labels("result_queue").inc()
            log.warning(
                "a message in result_queue is not a result, and is not kept: frames go to frame_queue",
                reason=str(error)[:200],
                exchange=delivery.exchange,
                app_id=delivery.app_id,
                size=len(delivery.body),
            )
            delivery.ack()  # nobody could ever read it
            return
        if result.camera_id == CANARY_CAMERA:  # of a worker that knows no canary yet
            delivery.ack()
            return
        trace = None if self._spans is None else self._spans.trace(delivery)
        self._waiting.append(Waiting(delivery, result, time.monotonic(), trace))
        self._arrived.set()
        if len(self._waiting) >= FULL:
            self._full.set()

    async def change(self, deed: Callable[[Connection], T]) -> T:
        """Do something of an operator's to the history, between two batches. Raises what the database raises."""
        return await self._in_thread(self._writer.change, deed)

    def why(self, error: Exception) -> str:
        """What an error of `change` means, as a sentence for the operator."""
        return self._writer.fault(error).sentence

    def lost(self) -> None:
        """Forget what waits: the channel is gone, and the broker delivers it again."""
        self._waiting.clear()  # the broker delivers these again
        self._losses += 1

    async def _open(self) -> None:
        while not self._stopping:
            try:
                await self._in_thread(self._writer.open)
            except Exception as error:
                self._failed(error)
                await _within(RETRY_SECONDS, self._full)
            else:
                self._works()
                return

    async def _write(self) -> None:
        self._arrived.clear()
        self._full.clear()
        while self._waiting:
            self._writing, self._waiting = self._waiting, []
            losses = self._losses
            self._asked = begun = time.monotonic()
            batch = [each.result for each in self._writing]
            unlisted = {result.camera_id for result in batch if not self._admits(result)}
            try:
                stored = await self._in_thread(self._writer.store, batch, time.time(), unlisted)
            except Exception as error:
                self._asked = None
                self._failed(error)
                if self._stopping:
                    return  # not acknowledged: delivered again
                await asyncio.sleep(RETRY_SECONDS)
                if losses == self._losses:
                    self._waiting = self._writing + self._waiting
                self._writing = []
                continue
            self._asked = None
            self._works()
            ended = time.monotonic()
            self._count(stored, ended - begun)
            for each in self._writing:
                each.delivery.ack()
                self._on_recorded(each.result, each.delivery.body)
                if self._spans is not None and each.trace is not None:
                    self._spans.stored(each.trace, each.result, (each.since, begun, ended), len(batch))
            self._writing = []
            for repeat in stored.repeats:
                self._on_repeat(repeat)
            self._on_requests(stored.requests)

    def _count(self, stored: Stored, seconds: float) -> None:
        self._metrics.recorded.inc(stored.new)
        self._metrics.history_batch.observe(seconds)
        if self._writer.unstorable > self._unstorable:
            self._metrics.invalid.labels("result_queue").inc(self._writer.unstorable - self._unstorable)
            self._unstorable = self._writer.unstorable

    async def _keep_thumbnails(self) -> None:
        while True:
            thumbnails = await self._thumbnails.get()
            try:
                kept = await self._in_thread(self._writer.store_thumbnails, thumbnails)
            except Exception as error:  # these events go without
                self._metrics.thumbnails.labels("failed").inc(len(thumbnails))
                if not self._writer.damage:  # which is said elsewhere, and once
                    log.warning(
                        "pictures of events could not be written",
                        count=len(thumbnails),
                        reason=reason(error),
                    )
            else:
                self._metrics.thumbnails.labels("stored").inc(kept)
                self._metrics.thumbnails.labels("unused").inc(len(thumbnails) - kept)

    async def _prune(self) -> None:
        while True:
            try:
                # First, since without room the rest fails.
                self._metrics.history_free.set(await self._in_thread(self._writer.free))
                while deleted := await self._in_thread(self._writer.prune, time.time()):
                    for kind, count in deleted.items():
                        self._metrics.history_pruned.labels(kind).inc(count)
                    await asyncio.sleep(PRUNE_PAUSE_SECONDS)  # results first
                self._metrics.history_size.set(await self._in_thread(self._writer.size))
                if self._fault is not None and self._fault.kind == "damaged":  # until just now
                    self._works()
            except Exception as error:
                if self._writer.damage:
                    self._failed(error)
                else:
                    log.warning("old history could not be deleted", reason=reason(error))
            await asyncio.sleep(PRUNE_SECONDS)

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _works(self) -> None:
        if self._fault is not None:
            log.info("history is written again")
            self._fault = None

    def _failed(self, error: Exception) -> None:
        self._metrics.recorder_errors.inc()
        found = self._writer.fault(error)
        if self._fault is None or self._fault.kind != found.kind:
            log.error("history cannot be written: results wait in result_queue", reason=found.sentence)
        self._fault = found

    def _silence(self) -> HistoryFault | None:
        asked = self._asked
        if asked is None or time.monotonic() - asked < SILENT_SECONDS:
            return None
        return HistoryFault(
            "silent",
            f"the database has not answered for more than {SILENT_SECONDS:.0f} s: results wait in result_queue; look "
            "at it and at its disk; it goes on by itself when it answers",
        )

    def _has(self, kind: str) -> float:
        return float((fault := self.fault) is not None and fault.kind == kind)

    def _oldest(self) -> float:
        """Seconds that the first result has been waiting here. Asked from another thread."""
        first = next(iter(self._writing or self._waiting), None)
        return time.monotonic() - first.since if first is not None else 0.0


async def _within(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
