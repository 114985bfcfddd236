"""Which jobs are computed now: the oldest that have something to do, a few at once, each in a process of its own."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from batch.job import BOOKS
from batch.uploads.messages import (
    Arrived,
    Complete,
    Finished,
    JobFigures,
    JobOrder,
    Over,
    Stop,
    Withdrawn,
)
from batch.video.settings import VideoSettings
from gateway.jobs.index import JobIndex, JobRow, UploadRow
from gateway.jobs.limits import JobLimits
from gateway.jobs.process import JobProcess
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")
T = TypeVar("T")

LOOK_SECONDS = 1.0
KEEP_SECONDS = 5.0
"""So often what a running job tells is written down: after a kill -9 its list is as old at most."""
IDLE_SECONDS = 30.0
"""A job that has nothing to do for so long, while more uploads may come, makes room for others."""
STOP_SECONDS = 20.0
CRASHES, LONGEST_PAUSE = 5, 30.0
TURN = "it waits for its turn: GATEWAY_JOBS says how many are computed at once"
AGAIN = "its process ended unexpectedly and is started again: the gateway's log says how it ended"
CRASHED = "its process ended unexpectedly {times} times without getting on: the gateway's log says how"


class Ask(Protocol):
    """Asks the index, in its thread."""

    async def __call__(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T: ...


class JobRunner:
    """Starts the processes of jobs, passes on what happens, and writes down what they say."""

    def __init__(
        self,
        index: JobIndex,
        ask: Ask,
        limits: JobLimits,
        environment: Mapping[str, str],
        objects: str,
        key_file: Path | None,
        metrics: GatewayMetrics,
        *,
        keep_videos: bool,
        gateway_id: str,
    ) -> None:
        self._index = index
        self._ask = ask
        self._limits = limits
        self._environment = environment
        self._objects = objects
        self._key_file = None if key_file is None else str(key_file.resolve())
        self._metrics = metrics
        self._keep_videos = keep_videos
        self._gateway_id = gateway_id
        self._processes: dict[str, JobProcess] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._figures: dict[str, JobFigures] = {}
        self._kept: dict[str, float] = {}
        self._busy: dict[str, float] = {}
        self._crashes: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._waiting: frozenset[str] = frozenset()

    # --- what others ask and say ---------------------------------------------------------------------------

    def figures(self, job_id: str) -> JobFigures | None:
        """What a running job said last."""
        return self._figures.get(job_id)

    def waits(self, job_id: str) -> str | None:
        """Why a job that has something to do has no process; None if it has one, or gets one now."""
        if job_id not in self._waiting or job_id in self._processes:
            return None
        if self._not_before.get(job_id, 0.0) > time.monotonic():
            return AGAIN
        return TURN if len(self._processes) >= self._limits.at_once else None

    def pid(self, job_id: str) -> int | None:
        """The number of a running job's process."""
        process = self._processes.get(job_id)
        return None if process is None else process.pid

    def look(self) -> None:
        """Look again soon: there may be something to do."""
        self._wake.set()

    def arrived(self, upload: UploadRow) -> None:
        """A file of a job is complete, or can be read while it grows."""
        self._tell(upload.job_id, _arrival(upload))
        if upload.complete:
            self._tell(upload.job_id, Finished(upload.path))
        self.look()

    def withdrawn(self, upload: UploadRow, why: str) -> None:
        """The rest of a file will not come."""
        if upload.growing:
            self._tell(upload.job_id, Withdrawn(upload.path, why))

    def completed(self, job_id: str) -> None:
        """No more uploads come."""
        self._tell(job_id, Complete())
        self.look()

    def stop(self, job_id: str, *, for_good: bool) -> None:
        """Finish what is under way, and no more."""
        self._tell(job_id, Stop(for_good))
        self.look()

    def forgive(self, job_id: str) -> None:
        """Forget how often its process ended."""
        self._crashes.pop(job_id, None)
        self._not_before.pop(job_id, None)

    async def end(self, job_id: str) -> None:
        """End a job's process, in order if it can be had soon."""
        self.stop(job_id, for_good=True)
        task = self._tasks.get(job_id)
        if task is None:
            return
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        process = self._processes.get(job_id)
        if process is not None:
            process.kill()
        await asyncio.wait({task})

    # --- its own life --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep jobs running; when it is cancelled their processes end, and lose nothing."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._start_some()
                except Exception:
                    log.exception("the jobs could not be looked through")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
        finally:
            for process in self._processes.values():
                process.close()
            if tasks := list(self._tasks.values()):
                _, late = await asyncio.wait(tasks, timeout=3.0)
                for process in self._processes.values() if late else ():
                    process.kill()
                for task in late:
                    task.cancel()

    async def _start_some(self) -> None:
        working = await self._ask(self._index.working)
        now = time.monotonic()
        self._waiting = frozenset(job.job_id for job in working) - self._processes.keys()
        for job in working:
            if len(self._processes) >= self._limits.at_once:
                break
            if job.job_id not in self._processes and self._not_before.get(job.job_id, 0.0) <= now:
                await self._start(job)
        for job_id in list(self._processes):
            await self._stop_idle(job_id, now)
        self._metrics.own_jobs.labels("running").set(len(self._processes))
        self._metrics.own_jobs.labels("waiting").set(len(self._waiting - self._processes.keys()))

    async def _start(self, job: JobRow) -> None:
        folder = self._limits.folder / job.job_id
        if job.figures.items and not (folder / BOOKS).exists():
            log.warning("the books of a job are gone", job_id=job.job_id)
            await self._ask(
                self._index.change_job,
                job.job_id,
                state="lost",
                work=0,
                ended=time.time(),
                note="its books are gone",
            )
            return
        order = JobOrder(
            job_id=job.job_id,
            folder=str(folder),
            objects=self._objects,
            settings=msgspec.convert(job.settings["video"], VideoSettings),
            keep_videos=self._keep_videos,
            key_file=self._key_file,
            retried=job.figures.retried,
            gateway=self._gateway_id,
        )
        process = JobProcess(order, self._environment, partial(self._told, job.job_id))
        self._processes[job.job_id] = process  # from here on it hears what arrives
        self._busy[job.job_id] = time.monotonic()
        self._figures[job.job_id] = job.figures
        briefed = False
        try:
            briefed = await self._brief(job, process)
        finally:
            if briefed:
                self._tasks[job.job_id] = asyncio.create_task(self._follow(job.job_id, process))
            else:
                del self._processes[job.job_id], self._figures[job.job_id]

    async def _brief(self, job: JobRow, process: JobProcess) -> bool:
        """Tell a process all that has happened so far, twice where it hears of it itself; returns False if it
        has nothing to do any more."""
        there = [
            *await self._ask(self._index.uploads, job.job_id, complete=True),
            *await self._ask(self._index.uploads, job.job_id, complete=False),
        ]
        process.send(*[_arrival(upload) for upload in there if upload.complete or upload.growing])
        if job.started is None:
            await self._ask(self._index.change_job, job.job_id, started=time.time())
        # Last, so that whoever deletes it finds its process.
        now = await self._ask(self._index.job, job.job_id)
        if now is None or not now.work:
            return False
        if now.complete:
            process.send(Complete())
        if now.state == "cancelled":
            process.send(Stop(for_good=True))
        return True

    async def _follow(self, job_id: str, process: JobProcess) -> None:
        before = self._settled(job_id)
        try:
            over = await process.run()
            del self._processes[job_id]
            await self._over(job_id, over, before)
        except Exception:
            log.exception("a job's process could not be followed", job_id=job_id)
            self._not_before[job_id] = time.monotonic() + LONGEST_PAUSE
        finally:
            self._processes.pop(job_id, None)
            del self._tasks[job_id]
            self._figures.pop(job_id, None)
            self.look()

    async def _over(self, job_id: str, over: Over | None, before: int) -> None:
        job = await self._ask(self._index.job, job_id)
        if job is None:
            return  # it was deleted
        if over is None:
            await self._crashed(job_id, before)
            return
        self.forgive(job_id)
        figures = over.figures
        if over.error is not None:
            log.warning("a job cannot go on", job_id=job_id, reason=over.error)
            await self._ask(
                self._index.change_job, job_id, state="failed", note=over.error, work=0, ended=time.time(),
                figures=self._figures.get(job_id, figures),
            )  # fmt: skip
        elif over.done or job.state == "cancelled":
            state = "cancelled" if job.state == "cancelled" else "done"
            videos = 0 if self._keep_videos else await self._ask(self._index.video_bytes, job_id)
            await self._ask(self._index.wrap, job_id, state, figures, job.bytes - videos)
            log.info("a job is over", job_id=job_id, state=state, ok=figures.ok, failed=figures.failed)
        else:
            await self._ask(self._index.change_job, job_id, figures=figures)

    async def _crashed(self, job_id: str, before: int) -> None:
        """Its process ended without a word: it is started again, unless that helps nothing."""
        self._crashes[job_id] = 1 if self._settled(job_id) > before else self._crashes[job_id] + 1
        times = self._crashes[job_id]
        log.warning("a job's process ended unexpectedly", job_id=job_id, times=times)
        self._not_before[job_id] = time.monotonic() + min(LONGEST_PAUSE, 2.0 ** (times - 1) / 2)
        if times >= CRASHES:
            await self._ask(
                self._index.change_job, job_id, state="failed", note=CRASHED.format(times=times), work=0
            )

    async def _stop_idle(self, job_id: str, now: float) -> None:
        """Let a job make room that has nothing to do, or write down how far it is."""
        figures = self._figures.get(job_id)
        if figures is None:
            return
        if now - self._kept.get(job_id, 0.0) >= KEEP_SECONDS:
            self._kept[job_id] = now
            await self._ask(self._index.change_job, job_id, figures=figures)
        if now - self._busy.get(job_id, now) < IDLE_SECONDS:
            return
        job = await self._ask(self._index.job, job_id)
        if job is not None and job.state == "uploading":
            await self._ask(self._index.let_rest, job)
            self._tell(job_id, Stop())

    def _told(self, job_id: str, figures: JobFigures) -> None:
        self._figures[job_id] = figures
        if figures.ok + figures.failed < figures.items:
            self._busy[job_id] = time.monotonic()

    def _settled(self, job_id: str) -> int:
        figures = self._figures.get(job_id)
        return 0 if figures is None else figures.ok + figures.failed

    def _tell(self, job_id: str, *orders: Any) -> None:
        process = self._processes.get(job_id)
        if process is not None:
            self._busy[job_id] = time.monotonic()
            process.send(*orders)


def _arrival(upload: UploadRow) -> Arrived:
    return Arrived(upload.path, upload.size, upload.stamp, upload.kind or "picture", upload.complete)
