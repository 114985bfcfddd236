"""Takes uploads piece by piece (tus 1.0 without its HTTP): to disk as they come, of known kinds, within bounds."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from batch.inputs.kinds import VIDEO
from batch.uploads.folder import INPUTS
from batch.video.boxes import index_place
from gateway.errors import JobRefusal
from gateway.jobs import kinds
from gateway.jobs.index import JobIndex, JobRow, UploadRow
from gateway.jobs.limits import MB, JobLimits
from gateway.jobs.names import clean_path, numbered
from gateway.jobs.runner import Ask, JobRunner
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")
T = TypeVar("T")

PIECE = 1 << 19
"""Bytes that are written at once: less costs more changes of thread, more keeps more in memory."""
PIECE_SECONDS = 0.25
"""So long what has come may wait for more: a video is read while it comes."""
WRITERS = 4
ENOUGH_TO_READ = 1 << 16
"""A video of which so much is there may be read while it grows."""
MOST_OF_A_NAME = 1000
LAST = "its index is at its end: it is read when all of it is there (`ffmpeg -movflags +faststart` puts it first)"
NO_JOB = "there is no job {job_id}"
NO_UPLOAD = (
    "there is no upload {upload_id} of this job: it is complete and computed, was cancelled, or has expired"
)


@dataclass(slots=True)
class _Writing:
    """A piece that is being written. `cancelled`: its upload was."""

    cancelled: bool = False


class UploadDesk:
    """The uploads of one gateway. Raises JobRefusal for what is not to be."""

    def __init__(
        self, index: JobIndex, ask: Ask, runner: JobRunner, limits: JobLimits, metrics: GatewayMetrics
    ) -> None:
        self._index = index
        self._ask = ask
        self._runner = runner
        self._limits = limits
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(WRITERS, "uploads")
        self._writing: dict[str, _Writing] = {}
        self._held = 0

    def close(self) -> None:
        """Wait for what is being written."""
        self._threads.shutdown()

    def file(self, upload: UploadRow) -> Path:
        """Where an upload lies."""
        return self._limits.folder / upload.job_id / INPUTS / upload.path

    def offset(self, upload: UploadRow) -> int:
        """How much of an upload has come. Looks at the disk."""
        if upload.complete:
            return upload.size
        try:
            return self.file(upload).stat().st_size
        except OSError:
            return 0

    async def refresh(self) -> None:
        """Count anew what all uploads, and what is kept, take."""
        self._held = await self._ask(self._index.held_bytes)
        self._metrics.upload_room.set(self._held)

    # --- an upload's life ----------------------------------------------------------------------------------

    async def create(self, job_id: str, name: str, size: int) -> UploadRow:
        """Begin an upload of `size` bytes."""
        job = _taking(job_id, await self._ask(self._index.job, job_id))
        if size == 0:
            raise JobRefusal(415, "the file is empty: there is nothing to compute in it")
        if size > self._limits.upload:
            raise JobRefusal(
                413, f"the file has more than {self._limits.upload // MB} MB (GATEWAY_UPLOAD_MB): cut it up"
            )
        if await self._ask(self._index.count_uploads, job.job_id) >= self._limits.files:
            raise JobRefusal(
                409, f"a job takes {self._limits.files} files at most (GATEWAY_JOB_FILES): make another job"
            )
        if self._held + size > self._limits.uploads:
            raise JobRefusal(
                507,
                f"uploads and what is kept of ended jobs would take more than {self._limits.uploads // MB} MB "
                "(GATEWAY_UPLOADS_MB): delete jobs that nobody needs",
            )
        if await self._in_thread(self._limits.room) < size:
            raise JobRefusal(
                507,
                "the disk of GATEWAY_DATA_DIR has not enough room (GATEWAY_UPLOAD_FREE_MB): delete jobs, or make room",
            )
        path = clean_path(name[:MOST_OF_A_NAME])
        upload_id = secrets.token_hex(16)
        number = 1
        while (
            upload := await self._ask(self._index.add_upload, upload_id, job_id, numbered(path, number), size)
        ) is None:
            number += 1 if number < 50 else secrets.randbelow(1_000_000)
        try:
            await self._in_thread(_make, self.file(upload))
        except OSError:  # a folder is called so, or a file like the folder: another name
            await self._ask(self._index.delete_upload, upload_id)
            return await self.create(job_id, f"{upload_id[:8]} {path.replace('/', ' ')}", size)
        self._held += size
        await self._ask(self._index.change_job, job_id, touched=time.time())
        return upload

    async def find(self, job_id: str, upload_id: str) -> UploadRow:
        """The upload of that id."""
        upload = await self._ask(self._index.upload, job_id, upload_id)
        if upload is None:
            raise JobRefusal(404, NO_UPLOAD.format(upload_id=upload_id))
        return upload

    async def at(self, upload: UploadRow) -> int:
        """How much of an upload has come. One that is all there though nobody noted it, is complete from now on."""
        at = await self._in_thread(self.offset, upload)
        if at == upload.size and not upload.complete and upload.upload_id not in self._writing:
            await self._complete(await self._looked_at(upload, at))
        return at

    async def write(self, upload: UploadRow, offset: int, pieces: AsyncIterator[bytes]) -> int:
        """Write what comes, from `offset` on; returns how much of the upload is there then.

        Where it breaks off, what has come is kept. One at a time for each upload.
        """
        if upload.upload_id in self._writing:
            raise JobRefusal(
                423, "another request writes this upload: ask with HEAD how far it is, and go on then"
            )
        if upload.complete:
            raise JobRefusal(409, f"the upload is complete: its offset is {upload.size}, and not {offset}")
        writing = self._writing[upload.upload_id] = _Writing()
        try:
            at = await self._in_thread(self.offset, upload)
            if at != offset:
                raise JobRefusal(409, f"the upload's offset is {at}, and not {offset}: go on from there")
            return await self._write(upload, at, pieces, writing)
        finally:
            del self._writing[upload.upload_id]

    async def _write(
        self, upload: UploadRow, at: int, pieces: AsyncIterator[bytes], writing: _Writing
    ) -> int:
        file = self.file(upload)
        parts: list[bytes] = []
        waiting, flushed = 0, time.monotonic()

        async def flush() -> None:
            nonlocal upload, at, waiting, flushed
            data = b"".join(parts)
            parts.clear()
            waiting = 0
            if writing.cancelled:
                raise JobRefusal(410, "the upload was cancelled")
            await self._in_thread(self._append, file, at, data)
            at, flushed = at + len(data), time.monotonic()
            self._metrics.upload_bytes.inc(len(data))
            upload = await self._looked_at(upload, at)

        try:
            async for piece in pieces:
                if at + waiting + len(piece) > upload.size:
                    raise JobRefusal(413, f"there is more than the {upload.size} bytes of Upload-Length")
                parts.append(piece)
                waiting += len(piece)
                if waiting >= PIECE or time.monotonic() - flushed >= PIECE_SECONDS:
                    await flush()
        finally:
            if parts and not writing.cancelled:
                await flush()
            if not writing.cancelled:
                await self._ask(self._index.change_upload, upload.upload_id, touched=time.time())
        if at == upload.size:
            await self._complete(upload)
        return at

    async def cancel(self, upload: UploadRow, why: str, outcome: str = "cancelled") -> None:
        """Remove an upload that is not complete."""
        if upload.complete:
            raise JobRefusal(409, "the upload is complete, and belongs to the job: delete the job instead")
        writing = self._writing.get(upload.upload_id)
        if writing is not None:
            writing.cancelled = True
        await self._ask(self._index.delete_upload, upload.upload_id)
        self._runner.withdrawn(upload, why)
        await self._in_thread(_remove, self.file(upload))
        self._held -= upload.size
        self._metrics.uploads.labels(outcome).inc()

    # --- inside ---------------------------------------------------------------------------------------------

    async def _looked_at(self, upload: UploadRow, at: int) -> UploadRow:
        """Look at what has come: it is of a kind that is taken, and perhaps a video that can be read already."""
        if upload.kind is None and (at >= kinds.ENOUGH or at == upload.size):
            head = await self._in_thread(_head, self.file(upload))
            kind = kinds.kind_of(head)
            if kind is None:
                await self.cancel(upload, "it is of a kind that is not taken", "refused")
                raise JobRefusal(415, kinds.refusal(head))
            upload = replace(upload, kind=kind)
            await self._ask(self._index.change_upload, upload.upload_id, kind=kind)
        if (
            upload.kind == VIDEO
            and not upload.growing
            and upload.note is None
            and ENOUGH_TO_READ <= at < upload.size
        ):
            if await self._in_thread(_index_is_last, self.file(upload)):
                upload = replace(upload, note=LAST)
                await self._ask(self._index.change_upload, upload.upload_id, note=LAST)
            else:
                upload = replace(upload, growing=True)
                await self._ask(self._index.grow_upload, upload)
                self._runner.arrived(upload)
        return upload

    async def _complete(self, upload: UploadRow) -> None:
        upload = replace(upload, complete=True)
        await self._ask(self._index.complete_upload, upload, upload.kind)
        self._metrics.uploads.labels("complete").inc()
        self._runner.arrived(upload)

    def _append(self, file: Path, at: int, data: bytes) -> None:
        try:
            with file.open("r+b") as opened:  # buffered: all of it is written, or it raises
                opened.seek(at)
                opened.write(data)
            if self._limits.room() <= 0:
                raise JobRefusal(
                    507, "the disk of GATEWAY_DATA_DIR is nearly full: make room, and go on then"
                )
        except FileNotFoundError:
            raise JobRefusal(410, "the upload was cancelled") from None
        except OSError as error:
            raise JobRefusal(
                507, f"the upload cannot be written: {error.strerror}; go on when it can"
            ) from None

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _taking(job_id: str, job: JobRow | None) -> JobRow:
    """The job, if it takes uploads."""
    if job is None:
        raise JobRefusal(404, NO_JOB.format(job_id=job_id))
    if job.over or job.complete:
        raise JobRefusal(409, "this job takes no more files: make another one")
    return job


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(kinds.ENOUGH)


def _index_is_last(file: Path) -> bool:
    with file.open("rb") as opened:
        if not kinds.is_boxed(opened.read(kinds.ENOUGH)):
            return False
        opened.seek(0)
        return index_place(opened) != "first"
