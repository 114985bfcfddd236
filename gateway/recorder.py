"""Consumes `result_queue` into the history: batches, and an acknowledgement only after the commit.

A crash between the two delivers the batch again, and the known frame_ids are left as they are. While the disk
refuses, nothing is acknowledged: the broker keeps the results and pressure travels back to the sources.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from broker import Consumer, Delivery
from contract.result import Result, parse_result
from contract.topology import RESULT_QUEUE
from gateway.history import History
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("recorder")
T = TypeVar("T")

PREFETCH = 500
GATHER_SECONDS = 0.2
RETRY_SECONDS = 1.0
PRUNE_SECONDS = 60.0
DAY = 86_400.0


class Recorder:
    """`consumer` is a role of the gateway's connection; `run` writes what it receives until `stop`."""

    def __init__(self, path: Path, metrics: GatewayMetrics, *, days: float, rows: int) -> None:
        self.consumer = Consumer(RESULT_QUEUE, self._received, prefetch=PREFETCH)
        self.consumer.on_lost = self._lost
        self.trouble = ""
        """Why nothing can be written at the moment; empty when all is well."""
        self._path = path
        self._metrics = metrics
        self._days = days
        self._rows = rows
        self._history: History | None = None
        # SQLite waits for the disk: not on the event loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._waiting: list[tuple[Delivery, Result]] = []
        self._arrived = asyncio.Event()
        self._losses = 0
        self._stopping = False

    async def run(self) -> None:
        """Write batches until `stop`; then what has arrived is written and acknowledged once more."""
        pruned = float("-inf")
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PRUNE_SECONDS):
                    await self._arrived.wait()
            if not self._stopping:
                await asyncio.sleep(GATHER_SECONDS)
            await self._write()
            if time.monotonic() - pruned > PRUNE_SECONDS and not (self.trouble or self._stopping):
                pruned = time.monotonic()
                await self._in_thread(self._prune)
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Let `run` finish: one last batch, and the file closed."""
        self._stopping = True
        self._arrived.set()

    def _received(self, delivery: Delivery) -> None:
        try:
            result = parse_result(delivery.body)
        except ValueError:
            self._metrics.invalid.labels("result_queue").inc()
            delivery.ack()  # nobody could ever read it
            return
        self._waiting.append((delivery, result))
        self._arrived.set()

    def _lost(self) -> None:
        self._waiting.clear()  # the broker delivers these again
        self._losses += 1

    async def _write(self) -> None:
        self._arrived.clear()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            losses = self._losses
            try:
                stored = await self._in_thread(self._store, [result for _, result in batch])
            except Exception as error:
                self._failed(error)
                if self._stopping:
                    return  # not acknowledged: delivered again
                await asyncio.sleep(RETRY_SECONDS)
                if losses == self._losses:
                    self._waiting = batch + self._waiting
                continue
            if self.trouble:
                log.info("history is written again")
                self.trouble = ""
            self._metrics.recorded.inc(stored)
            for delivery, _ in batch:
                delivery.ack()

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _failed(self, error: Exception) -> None:
        self._metrics.recorder_errors.inc()
        if not self.trouble:
            log.error("history cannot be written: results wait in result_queue", reason=str(error))
        self.trouble = str(error)

    # --- in the recorder's thread ------------------------------------------------------------------------

    def _store(self, results: list[Result]) -> int:
        if self._history is None:
            self._history = History(self._path)
        try:
            return self._history.store(results, time.time())
        except (
            ValueError,
            OverflowError,
        ):  # a number or a text that SQLite has no room for: somewhere in the batch
            return sum(self._store_one(self._history, result) for result in results)

    def _store_one(self, history: History, result: Result) -> int:
        try:
            return history.store([result], time.time())
        except (ValueError, OverflowError):
            self._metrics.invalid.labels("result_queue").inc()
            return 0

    def _prune(self) -> None:
        try:
            while self._history is not None and self._history.prune(
                time.time() - self._days * DAY, self._rows
            ):
                time.sleep(0.01)
        except sqlite3.Error as error:
            log.warning("old history could not be deleted", reason=str(error))

    def _close(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None
