"""The jobs of one gateway: made, ordered about, deleted; and what is left behind is cleaned up."""

import asyncio
import contextlib
import secrets
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from batch.objects.places import object_store
from batch.objects.shelves import ShelvedObjects
from batch.objects.store import ObjectsUnavailable, of_job
from batch.video.settings import VideoSettings
from gateway.errors import JobRefusal
from gateway.jobs.index import JobIndex, JobRow, UploadRow
from gateway.jobs.limits import MAX_JOBS, JobLimits
from gateway.jobs.runner import JobRunner
from gateway.jobs.uploads import NO_JOB, UploadDesk
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")
T = TypeVar("T")

INDEX = "jobs.sqlite3"
RETRY_SECONDS = 5.0
UNUSABLE = (
    "the list of jobs in {folder} cannot be used ({error}): is there room, and may the gateway write there?"
)
SWEEP_SECONDS = 60.0
MOST_UPLOADS_SHOWN = 100
MOST_REFUSED = 3
"""After so many jobs that the store of objects does not move, the others are left for the next time."""
EXPIRED = "it did not grow for an hour, and was removed: send it again"


class JobDesk:
    """Does what is asked of jobs. Raises JobRefusal for what is not to be."""

    def __init__(
        self,
        limits: JobLimits,
        amqp_url: str,
        objects: str,
        key_file: Path | None,
        metrics: GatewayMetrics,
        *,
        keep_videos: bool,
        cache: Path,
        gateway_id: str,
    ) -> None:
        self.limits = limits
        self._objects = objects
        self._key_file = key_file
        self._index = JobIndex(limits.folder / INDEX)
        self._thread = ThreadPoolExecutor(1, "jobs")
        self.runner = JobRunner(
            self._index,
            self.ask,
            limits,
            {"AMQP_URL": amqp_url, "BATCH_CACHE_DIR": str(cache)},
            objects,
            key_file,
            metrics,
            keep_videos=keep_videos,
            gateway_id=gateway_id,
        )
        self._moving = asyncio.Lock()
        self._deleting: set[str] = set()
        self._closing = False
        self.uploads = UploadDesk(self._index, self.ask, self.runner, limits, metrics)

    async def ask(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """What the index says, in its own thread. Raises JobRefusal while it cannot be used."""
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, partial(function, *arguments, **named)
            )
        except (sqlite3.Error, OSError) as error:
            raise JobRefusal(503, UNUSABLE.format(folder=self.limits.folder, error=error)) from error

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compute jobs during the block. A disk that refuses costs the jobs, and not the gateway."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._closing = True
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(self.uploads.close)
            await self.ask(self._index.close)
            self._thread.shutdown()

    async def _run(self) -> None:
        """Open the list, again and again while that fails, and compute what is in it."""
        trouble = ""
        while True:
            try:
                await self.ask(self._index.open)
                await self._sweep_at_start()
                break
            except (JobRefusal, OSError) as error:
                if str(error) != trouble:
                    log.warning("no jobs are taken", reason=str(error))
                trouble = str(error)
            await asyncio.sleep(RETRY_SECONDS)
        if trouble:
            log.info("jobs are taken again")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.runner.run())
            group.create_task(self._keep_tidy())

    # --- looking ---------------------------------------------------------------------------------------------

    async def page(self, before: int | None, most: int, state: str | None) -> list[JobRow]:
        """Jobs, the newest first."""
        return await self.ask(self._index.jobs, before, most, state)

    async def is_own(self, job_id: str) -> bool:
        """Tell whether this gateway has the job."""
        return await self.ask(self._index.job, job_id) is not None

    async def find(self, job_id: str) -> JobRow:
        """The job of that id."""
        job = await self.ask(self._index.job, job_id)
        if job is None:
            raise JobRefusal(404, NO_JOB.format(job_id=job_id))
        return job

    async def receiving(self, job_id: str) -> list[tuple[UploadRow, int]]:
        """A job's uploads that are not complete, each with how much has come; a hundred at most."""
        found = await self.ask(self._index.uploads, job_id, complete=False, most=MOST_UPLOADS_SHOWN)
        return await asyncio.to_thread(lambda: [(each, self.uploads.offset(each)) for each in found])

    async def list_uploads(self, job_id: str, after: int, most: int) -> list[tuple[UploadRow, int]]:
        """A page of a job's uploads, each with how much has come."""
        found = await self.ask(self._index.uploads_after, job_id, after, most)
        return await asyncio.to_thread(lambda: [(each, self.uploads.offset(each)) for each in found])

    # --- acting ----------------------------------------------------------------------------------------------

    async def create(
        self, name: str, settings: dict[str, Any], video: VideoSettings, by: str | None
    ) -> JobRow:
        """Make a job that waits for uploads."""
        if await self.ask(self._index.count_jobs) >= MAX_JOBS:
            raise JobRefusal(409, f"there are {MAX_JOBS} jobs: delete some that nobody needs")
        made = {**settings, "video": msgspec.to_builtins(video)}
        return await self.ask(self._index.add_job, secrets.token_hex(6), name, made, by)

    async def complete(self, job_id: str) -> JobRow:
        """Take no more uploads; those under way are waited for."""
        job = await self.find(job_id)
        if job.over:
            raise JobRefusal(409, f"the job is {job.state}")
        if job.complete:
            return job
        for upload in await self.ask(self._index.uploads, job_id, complete=False, most=MOST_UPLOADS_SHOWN):
            await self.uploads.at(upload)
        if await self.ask(self._index.uploads, job_id, complete=False, most=1):
            raise JobRefusal(409, "uploads are under way: finish or cancel them first")
        state = "running" if job.state == "uploading" else job.state
        work = int(state == "running")
        await self.ask(self._index.change_job, job_id, complete=1, state=state, work=work)
        self.runner.completed(job_id)
        return await self.find(job_id)

    async def pause(self, job_id: str) -> JobRow:
        """Finish what is under way, and begin no more."""
        job = await self.find(job_id)
        if job.state not in ("uploading", "running"):
            raise JobRefusal(409, f"the job is {job.state}: only one that runs can be paused")
        await self.ask(self._index.change_job, job_id, state="paused", work=0)
        self.runner.stop(job_id, for_good=False)
        return await self.find(job_id)

    async def resume(self, job_id: str) -> JobRow:
        """Go on with a job that was paused, or could not go on."""
        job = await self.find(job_id)
        if job.state not in ("paused", "failed"):
            raise JobRefusal(409, f"the job is {job.state}: only one that is paused or has failed can go on")
        state = "running" if job.complete else "uploading"
        self.runner.forgive(job_id)
        await self.ask(
            self._index.change_job, job_id, state=state, work=1, note=None, ended=None, touched=time.time()
        )
        self.runner.look()
        return await self.find(job_id)

    async def cancel(self, job_id: str) -> JobRow:
        """End a job; what was computed stays."""
        job = await self.find(job_id)
        if job.over:
            raise JobRefusal(409, f"the job is {job.state} already")
        for upload in await self.ask(self._index.uploads, job_id, complete=False):
            await self.uploads.cancel(upload, "its job was cancelled")
        self.runner.forgive(job_id)
        await self.ask(
            self._index.change_job,
            job_id,
            state="cancelled",
            complete=1,
            work=1,
            note=None,
            ended=time.time(),
        )
        self.runner.stop(job_id, for_good=True)
        return await self.find(job_id)

    async def delete(self, job_id: str) -> None:
        """Delete all of a job."""
        await self.find(job_id)
        await self.ask(self._index.change_job, job_id, state="cancelled", work=0)
        for upload in await self.ask(self._index.uploads, job_id, complete=False):
            await self.uploads.cancel(upload, "its job was deleted")
        await self.runner.end(job_id)
        self._deleting.add(job_id)
        try:
            async with self._moving:
                pass  # what is being moved stops for it
            await asyncio.to_thread(self._delete_files, job_id)
        except (OSError, ObjectsUnavailable) as error:
            raise JobRefusal(503, f"the job's files cannot be deleted: {error}") from error
        finally:
            self._deleting.discard(job_id)
        await self.ask(self._index.delete_job, job_id)
        await self.uploads.refresh()

    # --- tidiness --------------------------------------------------------------------------------------------

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.tidy(time.time())
            except Exception:
                log.exception("jobs could not be tidied up")
            await asyncio.sleep(SWEEP_SECONDS)

    async def tidy(self, now: float) -> None:
        """Remove uploads that nobody goes on with, complete jobs that nobody completes, delete jobs that are old, and
        move what is kept of others to the cold shelf."""
        since = now - self.limits.upload_seconds
        for upload in await self.ask(self._index.stale_uploads, since):
            with contextlib.suppress(OSError):
                if (await asyncio.to_thread(self.uploads.file(upload).stat)).st_mtime >= since:
                    continue  # it grows
            with contextlib.suppress(JobRefusal):
                await self.uploads.cancel(upload, EXPIRED, "expired")
        for job_id in await self.ask(self._index.silent, since):
            with contextlib.suppress(JobRefusal):  # somebody was quicker
                await self.complete(job_id)
        for job_id in await self.ask(self._index.ended_before, now - self.limits.keep_seconds):
            log.info("an old job is deleted", job_id=job_id)
            await self.delete(job_id)
        await self.uploads.refresh()
        await self._cool(now)

    async def _cool(self, now: float) -> None:
        """Move what is kept of jobs that ended a while ago to the cold shelf. Stopped or killed, the next time goes
        on with it."""
        refused = 0
        for job_id in await self.ask(self._index.hot_before, now - self.limits.hot_seconds):
            async with self._moving:
                try:
                    if self._stop_moving() or not await asyncio.to_thread(self._cool_job, job_id):
                        return
                except (OSError, ObjectsUnavailable) as error:
                    log.warning("what is kept of a job stays hot", job_id=job_id, error=str(error))
                    refused += 1
                    if refused >= MOST_REFUSED:
                        return
                    continue
            await self.ask(self._index.change_job, job_id, cold=1)

    def _cool_job(self, job_id: str) -> bool:
        return self._store().cool(of_job(job_id), self._stop_moving)

    def _stop_moving(self) -> bool:
        return self._closing or bool(self._deleting)

    def _store(self) -> ShelvedObjects:
        return object_store(self._objects, self._key_file)

    async def _sweep_at_start(self) -> None:
        """Delete folders that are no job's: a kill -9 may leave them."""
        known = await self.ask(self._index.job_ids)
        await asyncio.to_thread(self._sweep_folders, known)
        await self.uploads.refresh()

    def _sweep_folders(self, known: set[str]) -> None:
        for folder in self.limits.folder.iterdir():
            if folder.is_dir() and not folder.name.startswith(".") and folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def _delete_files(self, job_id: str) -> None:
        self._store().delete(of_job(job_id))
        folder = self.limits.folder / job_id
        if folder.exists():
            shutil.rmtree(folder)
