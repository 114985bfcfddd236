"""Reads what came of a job's inputs: out of its books and the store of objects, in threads of its own."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from batch.inputs.kinds import VIDEO
from batch.inputs.loading import is_webp
from batch.job import BOOKS, Job, JobRequest
from batch.kept_frames import KeptFrame, kept_frame, nearest
from batch.names import shown
from batch.objects.places import object_store
from batch.objects.shelves import ShelvedObjects
from batch.objects.store import NoSuchObject, ObjectsUnavailable
from batch.outputs.target import WRITERS, Format
from batch.outputs.videos import present
from batch.pictures.messages import PictureBox
from batch.pictures.workshop import PictureWorkshop, UndecodablePicture
from batch.store import InputRow, State, Store, again
from batch.uploads.folder import FRAMES, INPUTS, frames_of, original
from contract.api.jobs import (
    JobItemsView,
    JobItemView,
    JobTimelineView,
    PresenceView,
    ResultFormat,
    SkippedView,
    WindowView,
)
from contract.task import MAX_BODY_BYTES
from gateway.errors import JobRefusal
from runtime.logs import get_logger

log = get_logger("gateway")
T = TypeVar("T")

THREADS, STREAMS = 2, 4
SKIPPED_SECONDS = 1.0
JOINED_SECONDS = 0.5
PIECE = 1 << 16
NO_BOOKS = "nothing of this job has been computed yet"
NO_ITEM = "the job has no item {number}"
NO_PICTURE = "there is no picture of it: an original is gone, or was none"
NO_FRAME = "no picture of this video is kept: none was computed so far"


class PictureFound(NamedTuple):
    """A picture with its type; of a video with its `time` in it, in seconds."""

    data: bytes
    content_type: str
    time: float | None = None


class JobReader:
    """Reads jobs in `folder`, and what is kept of them at `objects`. Raises JobRefusal."""

    def __init__(self, folder: Path, objects: str, key_file: Path | None) -> None:
        self._folder = folder
        self._objects_at = objects
        self._key_file = key_file
        self._threads = ThreadPoolExecutor(THREADS, "job-books")
        self._workshop = PictureWorkshop()
        self._writers = ThreadPoolExecutor(STREAMS, "job-results")
        self._streams = 0

    def close(self) -> None:
        """End what draws pictures."""
        self._threads.shutdown(cancel_futures=True)
        self._writers.shutdown(wait=False, cancel_futures=True)
        self._workshop.close()

    async def items(
        self,
        job_id: str,
        after: int,
        most: int,
        state: State | None,
        reason: str | None,
        kind: str | None,
    ) -> JobItemsView:
        """A page of a job's inputs."""

        def page(store: Store) -> JobItemsView:
            rows = store.inputs(after, most + 1, state, reason, kind)
            return JobItemsView(
                [_item(store, row) for row in rows[:most]],
                str(rows[most - 1].number) if len(rows) > most else None,
            )

        try:
            return await self._read(job_id, page)
        except JobRefusal as error:
            if str(error) != NO_BOOKS:
                raise
            return JobItemsView([], None)

    async def timeline(self, job_id: str, number: int) -> JobTimelineView:
        """What is known of a video so far."""
        return await self._read(job_id, lambda store: self._timeline(job_id, store, number))

    async def picture(
        self, job_id: str, number: int, *, boxes: bool, width: int, time: float | None
    ) -> PictureFound:
        """An input as a picture, or one of a video; with its boxes, and made smaller if `width` (pixels) is not 0."""
        return await self._read(
            job_id, lambda store: self._picture(job_id, store, number, boxes, width, time)
        )

    async def results(self, job_id: str, form: ResultFormat) -> AsyncGenerator[bytes, None]:
        """A file of results, piece by piece as it is written."""
        if self._streams >= STREAMS:
            raise JobRefusal(503, f"{STREAMS} downloads of results are under way: try again when one is over")
        await self._read(job_id, lambda store: store.counts())
        return self._streamed(job_id, WRITERS[Format(form)])

    @cached_property
    def _objects(self) -> ShelvedObjects:
        return object_store(self._objects_at, self._key_file)

    # --- in a thread ----------------------------------------------------------------------------------------

    async def _read(self, job_id: str, function: Callable[[Store], T]) -> T:
        def read() -> T:
            file = self._folder / job_id / BOOKS
            if not file.exists():
                raise JobRefusal(404, NO_BOOKS)
            try:
                with again(file) as store:
                    return function(store)
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # it is being made
                    raise JobRefusal(404, NO_BOOKS) from None
                raise JobRefusal(503, f"the job's books cannot be read: {error}") from error
            except (sqlite3.Error, ObjectsUnavailable) as error:
                raise JobRefusal(503, f"the job's books or files cannot be read: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    def _timeline(self, job_id: str, store: Store, number: int) -> JobTimelineView:
        row = store.input(number)
        if row is None or row.kind != VIDEO:
            raise JobRefusal(404, f"the job has no video {number}")
        skipped: list[SkippedView] = []
        reached = 0.0
        for held in store.videos.held(number):
            reached = max(reached, held.ended)
            if held.ended - held.started < SKIPPED_SECONDS:
                continue
            if skipped and held.started - skipped[-1].until <= JOINED_SECONDS:
                skipped[-1] = SkippedView(skipped[-1].time, held.ended)
            else:
                skipped.append(SkippedView(held.started, held.ended))
        report = store.videos.report(number)
        presences = []
        for each in present(store, number):
            best = store.videos.sample(number, each.sample)
            # What was seen before and shows the same again has its picture where it was seen first.
            at = each.started if best is None or not each.started <= best.time <= each.ended else best.time
            presences.append(PresenceView(each.started, each.ended, each.faces, each.confidence, at))
        return JobTimelineView(
            number=number,
            name=shown(row.path),
            state=row.state.value,
            seconds=reached if report is None else max(reached, report.seconds),
            presences=presences,
            windows=[]
            if report is None
            else [
                WindowView(each.number, each.started, each.ended, each.samples, each.analysed)
                for each in report.windows
            ],
            skipped=skipped,
            pictures=[each.time for each, _ in self._frames(job_id, number)],
        )

    def _picture(
        self, job_id: str, store: Store, number: int, boxes: bool, width: int, time: float | None
    ) -> PictureFound:
        row = store.input(number)
        if row is None:
            raise JobRefusal(404, NO_ITEM.format(number=number))
        try:
            if row.kind == VIDEO:
                kept, read = self._frame(job_id, number, time or 0.0)
                sample = store.videos.sample(number, kept.frame)
                data, found, at = read(), "[]" if sample is None else sample.detections, kept.time
            else:
                data, found, at = self._original(job_id, row), row.detections, None
        except (NoSuchObject, FileNotFoundError):
            raise JobRefusal(404, NO_PICTURE) from None
        drawn = [
            PictureBox(
                each["x"], each["y"], each["w"], each["h"], f"{each['label']} {each['confidence']:.2f}"
            )
            for each in (json.loads(found) if boxes else ())
        ]
        if not drawn and not width:
            return PictureFound(data, _content_type(data), at)
        try:
            jpeg = self._workshop.jpeg(data, boxes=drawn, width=width, quality=85)
        except UndecodablePicture as error:
            raise JobRefusal(404, f"{NO_PICTURE}: {error}") from None
        return PictureFound(jpeg, "image/jpeg", at)

    def _original(self, job_id: str, row: InputRow) -> bytes:
        try:
            with (self._folder / job_id / INPUTS / os.fsdecode(row.path)).open("rb") as opened:
                data = opened.read(MAX_BODY_BYTES + 1)
        except FileNotFoundError:
            data = self._objects.get(original(job_id, row.number))
        if len(data) > MAX_BODY_BYTES:
            raise JobRefusal(404, "the picture is too large to be shown")
        return data

    def _frame(self, job_id: str, number: int, time: float) -> tuple[KeptFrame, Callable[[], bytes]]:
        frames = self._frames(job_id, number)
        kept = nearest([each for each, _ in frames], time)
        if kept is None:
            raise JobRefusal(404, NO_FRAME)
        return kept, next(read for each, read in frames if each == kept)

    def _frames(self, job_id: str, number: int) -> list[tuple[KeptFrame, Callable[[], bytes]]]:
        """The pictures that are kept of a video, by time, each with what reads it."""
        own = self._folder / job_id / FRAMES / str(number)
        found: dict[KeptFrame, Callable[[], bytes]] = {}
        if own.is_dir():
            for name in os.listdir(own):
                if (kept := kept_frame(name)) is not None:
                    found[kept] = (own / name).read_bytes
        else:
            for name in self._objects.names(frames_of(job_id, number)):
                if (kept := kept_frame(name.rpartition("/")[2])) is not None:
                    found[kept] = partial(self._objects.get, name)
        return sorted(found.items(), key=lambda each: each[0].time)

    async def _streamed(self, job_id: str, write: Callable[[Job, Path], None]) -> AsyncGenerator[bytes, None]:
        """What `write` writes into a pipe. Its other end waits while nobody reads, and ends when nobody will."""
        self._streams += 1
        reading, writing = os.pipe()

        def fill() -> None:
            try:
                with again(self._folder / job_id / BOOKS) as store:
                    write(
                        Job(job_id, JobRequest((), b"/"), self._folder / job_id, store),
                        Path(f"/dev/fd/{writing}"),
                    )
            except BrokenPipeError:
                return  # nobody reads any more
            except (OSError, sqlite3.Error) as error:
                log.warning("results broke off", job_id=job_id, error=str(error))
            finally:
                os.close(writing)

        filling = asyncio.get_running_loop().run_in_executor(self._writers, fill)
        reader = asyncio.StreamReader(limit=PIECE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        try:
            while data := await reader.read(PIECE):
                yield data
        finally:
            self._streams -= 1
            transport.close()
            await asyncio.wait({filling})


def _item(store: Store, row: InputRow) -> JobItemView:
    video = row.kind == VIDEO
    report = store.videos.report(row.number) if video else None
    seconds = row.seconds if not video else None if report is None else report.seconds
    return JobItemView(
        number=row.number,
        name=shown(row.path),
        kind="video" if video else "picture",
        state=row.state.value,
        reason=row.reason,
        error=row.error,
        detections=sum(1 for _ in present(store, row.number)) if video else len(json.loads(row.detections)),
        seconds=seconds,
        size=row.size,
    )


def _content_type(data: bytes) -> str:
    if is_webp(data):
        return "image/webp"
    return "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
