"""`process_batch`: a job as a function call, for programs and notebooks."""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import structlog

from batch.cache.settings import kept_results
from batch.courtesy import kept_share
from batch.engine import CONCURRENCY, Engine, Options
from batch.errors import BatchError
from batch.job import jobs_folder, open_job
from batch.progress import Progress
from batch.report import BatchReport
from batch.video.settings import VideoSettings
from broker import BrokerError, split_urls
from runtime.priority import nice_for

ENDPOINTS = Path(__file__).resolve().parent.parent / ".run" / "endpoints.json"
"""What the system of this checkout says of itself while it runs."""


def process_batch(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    progress_callback: Callable[[Progress], None] | None = None,
    *,
    amqp_url: str | None = None,
    model: str | None = None,
    concurrency: int = CONCURRENCY,
    job: str | None = None,
    jobs: Path | None = None,
    retry_failed: bool = False,
    video: VideoSettings | None = None,
    cache: bool = True,
) -> BatchReport:
    """Compute pictures and videos through the batch lane; returns what came of each when all are settled.

    `paths`: files, folders, patterns, zip and tar archives. `progress_callback` is called about five times a second, on
    another thread. `amqp_url`: the broker; by default AMQP_URL, or that of the system that `make up` runs from this
    checkout. `video` says how videos are looked at. `cache`: what was computed before is not sent again, as the
    settings BATCH_CACHE_* and REDIS_URL say. Called again with the same paths it goes on where it was interrupted, and
    repeats nothing: `job` names the job instead. Works where an event loop runs already, as in a notebook; interrupting
    it there leaves what is done.

        from batch import process_batch

        report = process_batch("photos", lambda p: print(f"{p.settled} of {p.items}", end="\\r"))
        for each in report.results():
            print(each.path, len(each.detections) if each.ok else each.reason)

    Raises BatchError.
    """
    if not structlog.is_configured():  # else every connection would be told in the middle of a notebook
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    try:
        urls = split_urls(amqp_url or os.environ.get("AMQP_URL", "") or _here())
    except BrokerError as error:
        raise BatchError(str(error)) from error
    with open_job(
        jobs or jobs_folder(),
        [os.fsencode(path) for path in given],
        name=job,
        model=model,
        video=video or VideoSettings(),
        sought=True,
    ) as opened:
        options = Options(
            concurrency=concurrency,
            retry_failed=retry_failed,
            kept=kept_results() if cache else None,
            share=kept_share(),
        )
        running = _Running()

        async def run() -> BatchReport:
            os.nice(nice_for(options.share))  # this thread, and not the program that waits for it
            engine = Engine(opened, urls, options, progress_callback or (lambda progress: None))
            running.begun(engine)
            return await engine.run()

        return running.wait(run)


class _Running:
    """A run on a thread of its own: the caller's may have an event loop already."""

    def __init__(self) -> None:
        self._report: BatchReport | None = None
        self._error: BaseException | None = None
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begun(self, engine: Engine) -> None:
        """Hear, on the run's thread, that it has begun."""
        self._engine, self._loop = engine, asyncio.get_running_loop()

    def wait(self, run: Callable[[], Coroutine[Any, Any, BatchReport]]) -> BatchReport:
        """Run it, and return what it returns. Interrupted, it drains first."""

        def work() -> None:
            try:
                self._report = asyncio.run(run())
            except BaseException as error:
                self._error = error

        thread = threading.Thread(target=work, name="batch")
        thread.start()
        try:
            thread.join()
        except KeyboardInterrupt:
            if self._loop is not None and self._engine is not None:
                self._loop.call_soon_threadsafe(self._engine.stop)
            thread.join()
            raise
        if self._error is not None:
            raise self._error
        if self._report is None:
            raise BatchError("the job ended without a report")
        return self._report


def _here() -> str:
    try:
        return str(json.loads(ENDPOINTS.read_text())["amqp"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BatchError(
            "no broker is known: start the system with `make up`, or name one (amqp_url=, AMQP_URL)"
        ) from None
