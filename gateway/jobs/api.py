"""/api/jobs: jobs that the gateway takes uploads for."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from batch.store import State
from batch.video.settings import VideoSettings, video_settings
from contract.api.jobs import (
    ClientJobsView,
    JobItemsView,
    JobsView,
    JobTimelineView,
    JobView,
    JobViewState,
    ResultFormat,
)
from contract.jobs import LONGEST_EVERY
from gateway.http.documentation import Responses, answer, errors
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response, problem
from gateway.jobs.board import JobBoard
from gateway.jobs.desk import JobDesk
from gateway.jobs.index import JobRow, UploadRow
from gateway.jobs.reader import JobReader
from gateway.jobs.views import client_job_view, job_view
from gateway.security.access import asked_by, identity_of
from runtime.logs import get_logger

log = get_logger("gateway")

JOB_PATTERN = "^[0-9a-f]{12}$"
CURSOR = "^[0-9]{0,18}$"
MAX_NAME = 200
STALLED_SECONDS = 60.0
MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "coco": "application/json"}
ENDINGS = {"ndjson": "ndjson", "csv": "csv", "coco": "json"}

JOB: dict[str, Any] = {
    "job_id": "9c1d22f0a7b3",
    "name": "Sunday",
    "state": "running",
    "note": None,
    "complete": True,
    "settings": {"every": 0.0333, "windows": "fixed", "skip": True, "lane": "batch"},
    "created": 1795216000.2,
    "started": 1795216001.0,
    "ended": None,
    "by": "main",
    "items": 1_240,
    "ok": 612,
    "failed": 3,
    "retried": 0,
    "rate": 18.4,
    "eta_seconds": 33.9,
    "bytes": 412_000_000,
    "files": 901,
    "videos": 1,
    "frames": {"decoded": 4_500, "skipped": 3_900, "reused": 260, "computed": 340},
    "failures": [{"reason": "not_an_image", "count": 3, "what_to_do": "Save it anew as JPEG or PNG."}],
    "latency": {"p50": 0.41, "p95": 0.9, "p99": 1.6},
    "uploads": [],
}
UPLOADING: dict[str, Any] = {
    **JOB,
    "state": "uploading",
    "complete": False,
    "eta_seconds": None,
    "uploads": [
        {
            "upload_id": "6d0c4c61c3f24b6f8a6de1d5b2a19f11",
            "name": "film.mp4",
            "size": 90_000_000,
            "offset": 40_000_000,
            "state": "receiving",
            "note": None,
        }
    ],
}
CLIENTS = {
    "items": [
        {
            "job_id": "5f0e8c41d2aa",
            "host": "workstation",
            "gateway": None,
            "state": "running",
            "note": None,
            "started": 1795216000.2,
            "heard": 1795216061.0,
            "items": 5_000,
            "listed": True,
            "ok": 1_200,
            "failed": 3,
            "retried": 0,
            "rate": 20.1,
            "eta_seconds": 188.9,
            "failures": [{"reason": "not_an_image", "count": 3}],
        }
    ]
}
ITEMS = {
    "items": [
        {
            "number": 1,
            "name": "photos/a.jpg",
            "kind": "picture",
            "state": "ok",
            "reason": None,
            "error": None,
            "detections": 2,
            "seconds": 0.41,
            "size": 81_204,
        }
    ],
    "next": None,
}
TIMELINE = {
    "number": 2,
    "name": "film.mp4",
    "state": "ok",
    "seconds": 61.4,
    "presences": [{"time": 2.0, "until": 9.3, "faces": 1, "confidence": 0.93, "best_time": 4.2}],
    "windows": [{"number": 0, "time": 0.0, "until": 14.97, "samples": 450, "analysed": 31}],
    "skipped": [{"time": 9.4, "until": 40.0}],
    "pictures": [2.4, 3.1, 4.2],
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
                        "every": {"type": ["number", "null"], "minimum": 0, "maximum": LONGEST_EVERY},
                        "windows": {"type": "string", "enum": ["fixed", "scene"]},
                        "skip": {"type": "boolean"},
                        "lane": {"type": "string", "enum": ["batch"]},
                    },
                },
                "example": {
                    "name": "Sunday",
                    "every": 0.2,
                    "windows": "fixed",
                    "skip": True,
                    "lane": "batch",
                },
            }
        },
    }
}
SAY = (
    f'send a JSON object: {{"name": "…"}} with 1 to {MAX_NAME} characters, and perhaps "every" (seconds, 0 to '
    f'{LONGEST_EVERY}), "windows" (fixed or scene), "skip" (true or false), "lane" (batch)'
)
MISSING = errors({404: "there is no job 9c1d22f0a7b3"})
STATES = errors({409: "the job is done: only one that runs can be paused"})
JobId = Annotated[str, Path(pattern=JOB_PATTERN, description="the job's id", examples=["9c1d22f0a7b3"])]
Number = Annotated[int, Path(ge=1, le=2**53, description="the item's number in the job", examples=[1])]


class _NewJob(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] = "job"
    every: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_EVERY)] | None = None
    windows: Literal["fixed", "scene"] = "fixed"
    skip: bool = True
    lane: Literal["batch"] = "batch"


_new_job = msgspec.json.Decoder(_NewJob)


class JobsParameters(QueryParameters):
    """A page of jobs."""

    state: JobViewState | None = Field(None, description="only jobs in this state")
    limit: int = Field(50, ge=1, le=500, description="how many at most")
    cursor: str = Field("", pattern=CURSOR, description="`next` of the page before; empty: the first page")


class JobItemsParameters(QueryParameters):
    """A page of a job's inputs."""

    state: State | None = Field(None, description="only inputs in this state")
    reason: str = Field("", max_length=64, description="only those that failed for this reason")
    kind: Literal["picture", "video"] | None = Field(None, description="only inputs of this kind")
    limit: int = Field(50, ge=1, le=500, description="how many at most")
    cursor: str = Field("", pattern=CURSOR, description="`next` of the page before; empty: the first page")


class JobPictureParameters(QueryParameters):
    """An input as a picture."""

    boxes: bool = Field(False, description="draw what was found")
    width: int = Field(0, ge=0, le=2000, description="make it no wider than so many pixels; 0: as it is")
    time: float | None = Field(
        None, ge=0, le=1e6, description="of a video: the kept picture nearest to so many seconds"
    )


class ResultStream(StreamingResponse):
    """Results for download. Whoever does not read for a minute is left."""

    def __init__(self, content: AsyncGenerator[bytes, None], name: str, form: ResultFormat) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="job-{name}.{ENDINGS[form]}"',
            "Cache-Control": "no-store",
        }
        super().__init__(content, media_type=MEDIA_TYPES[form], headers=headers)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, patiently)
        except TimeoutError:
            log.warning("a download of results broke off", reason="the client does not read")
        finally:
            await self._content.aclose()


def jobs_router(desk: JobDesk, reader: JobReader, board: JobBoard) -> APIRouter:
    """The routes but those of uploads."""
    router = APIRouter(prefix="/api/jobs", tags=["Jobs"])

    def view(job: JobRow, uploads: Sequence[tuple[UploadRow, int]] = ()) -> JobView:
        return job_view(job, desk.runner.figures(job.job_id), desk.runner.waits(job.job_id), uploads)

    async def whole(job: JobRow) -> JobView:
        return view(job, [] if job.complete else await desk.receiving(job.job_id))

    async def act(request: Request, job_id: str, deed: str) -> Response:
        deeds = {"pause": desk.pause, "resume": desk.resume, "cancel": desk.cancel, "complete": desk.complete}
        job = await deeds[deed](job_id)
        log.info("a job was changed", deed=deed, job_id=job_id, **asked_by(request.scope))
        return json_response(await whole(job))

    @router.get(
        "",
        response_model=JobsView,
        responses=answer("Newest first.", {"items": [JOB], "next": "4711"}),
        operation_id="list_jobs",
        summary="List jobs",
    )
    async def list_jobs(asked: Annotated[JobsParameters, Query()]) -> Response:
        """The jobs that this gateway took uploads for, the newest first; without their uploads. Those of
        `framefleet batch` keep their own books elsewhere."""
        before = int(asked.cursor) if asked.cursor else None
        jobs = await desk.page(before, asked.limit + 1, asked.state)
        following = str(jobs[asked.limit - 1].number) if len(jobs) > asked.limit else None
        return json_response(JobsView(list(map(view, jobs[: asked.limit])), following))

    @router.post(
        "",
        status_code=201,
        response_model=JobView,
        openapi_extra=BODY,
        responses=created("The job, which waits for uploads.", {**UPLOADING, "uploads": []})
        | errors({400: SAY, 409: "there are 20000 jobs: delete some that nobody needs"}),
        operation_id="create_job",
        summary="Make a job",
    )
    async def create_job(request: Request) -> Response:
        """Upload files to it, and say `complete` when all have come: it ends when all of them are settled. What
        has come is computed meanwhile."""
        try:
            new = _new_job.decode(await request.body())
            video = video_settings(new.every, new.windows, skip=new.skip)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
            return problem(400, "bad_data", f"{str(error)[:200]}: {SAY}")
        settings = {
            "every": new.every if new.every is not None else round(1 / VideoSettings().fps, 4),
            "windows": new.windows,
            "skip": new.skip,
            "lane": new.lane,
        }
        job = await desk.create(new.name, settings, video, identity_of(request.scope).name)
        log.info("a job was made", job_id=job.job_id, **asked_by(request.scope))
        return json_response(await whole(job), 201)

    @router.get(
        "/clients",
        response_model=ClientJobsView,
        responses=answer("Those that began last first.", CLIENTS),
        operation_id="list_client_jobs",
        summary="List jobs that command lines, programs and other gateways run",
    )
    async def list_clients() -> Response:
        """Jobs of `framefleet batch`, of `process_batch` and of other gateways (`gateway`), as their clients tell it
        every two seconds. They are listed until five minutes after the last word; nothing can be done to them
        from here."""
        now, wall = time.monotonic(), time.time()
        # Before it was started anew this gateway was called otherwise.
        others = [
            job
            for job in board.shown(now)
            if not job.status.uploaded or not await desk.is_own(job.status.job_id)
        ]
        return json_response(ClientJobsView([client_job_view(job, now, wall) for job in others]))

    @router.get(
        "/{job_id}",
        response_model=JobView,
        responses=answer("The job.", UPLOADING) | MISSING,
        operation_id="get_job",
        summary="Show a job",
    )
    async def get_job(job_id: JobId) -> Response:
        """How far it is. Ask again once a second while it runs; it costs little."""
        return json_response(await whole(await desk.find(job_id)))

    @router.delete(
        "/{job_id}",
        status_code=204,
        response_class=Response,
        responses=MISSING | errors({503: "the job's files cannot be deleted: disk error"}),
        operation_id="delete_job",
        summary="Delete a job",
    )
    async def delete_job(request: Request, job_id: JobId) -> Response:
        """Its books, uploads, originals and results are gone then; one that runs is ended first."""
        await desk.delete(job_id)
        log.info("a job was deleted", job_id=job_id, **asked_by(request.scope))
        return Response(status_code=204)

    @router.post(
        "/{job_id}/pause",
        response_model=JobView,
        responses=answer("The job.", {**JOB, "state": "paused"}) | MISSING | STATES,
        operation_id="pause_job",
        summary="Pause a job",
    )
    async def pause_job(request: Request, job_id: JobId) -> Response:
        """What is under way is finished; uploads are still taken."""
        return await act(request, job_id, "pause")

    @router.post(
        "/{job_id}/resume",
        response_model=JobView,
        responses=answer("The job.", JOB) | MISSING | STATES,
        operation_id="resume_job",
        summary="Let a job go on",
    )
    async def resume_job(request: Request, job_id: JobId) -> Response:
        """The way back from a pause, and from `failed` once its reason is mended. Nothing is computed twice."""
        return await act(request, job_id, "resume")

    @router.post(
        "/{job_id}/cancel",
        response_model=JobView,
        responses=answer("The job.", {**JOB, "state": "cancelled"}) | MISSING | STATES,
        operation_id="cancel_job",
        summary="Cancel a job",
    )
    async def cancel_job(request: Request, job_id: JobId) -> Response:
        """It ends for good; what was computed stays. Uploads that are not complete are gone."""
        return await act(request, job_id, "cancel")

    @router.post(
        "/{job_id}/complete",
        response_model=JobView,
        responses=answer("The job.", JOB) | MISSING | STATES,
        operation_id="complete_job",
        summary="Say that a job has all its files",
    )
    async def complete_job(request: Request, job_id: JobId) -> Response:
        """No more uploads are taken: the job ends when all items are settled. Said by itself after an hour of
        silence."""
        return await act(request, job_id, "complete")

    @router.get(
        "/{job_id}/items",
        response_model=JobItemsView,
        responses=answer("In the order in which they came.", ITEMS) | MISSING,
        operation_id="list_job_items",
        summary="List what was uploaded, and what came of it",
    )
    async def list_items(job_id: JobId, asked: Annotated[JobItemsParameters, Query()]) -> Response:
        """Pictures and videos, settled or not."""
        await desk.find(job_id)
        after = int(asked.cursor) if asked.cursor else 0
        return json_response(
            await reader.items(job_id, after, asked.limit, asked.state, asked.reason or None, asked.kind)
        )

    @router.get(
        "/{job_id}/items/{number}/picture",
        response_class=Response,
        responses=PICTURES | errors({404: "the job has no item 7"}),
        operation_id="get_job_picture",
        summary="Show an item as a picture",
    )
    async def get_picture(
        job_id: JobId, number: Number, asked: Annotated[JobPictureParameters, Query()]
    ) -> Response:
        """As it was uploaded, or with boxes, or smaller. Of a video the best picture of each second in which
        something was found is kept; `X-Picture-Time` says where in the video it is."""
        await desk.find(job_id)
        found = await reader.picture(job_id, number, boxes=asked.boxes, width=asked.width, time=asked.time)
        headers = {"Cache-Control": "no-store"}
        if found.time is not None:
            headers["X-Picture-Time"] = f"{found.time:.3f}"
        return Response(found.data, media_type=found.content_type, headers=headers)

    @router.get(
        "/{job_id}/timeline",
        response_model=JobTimelineView,
        responses=answer("What is known so far.", TIMELINE) | errors({404: "the job has no video 7"}),
        operation_id="get_job_timeline",
        summary="Show who is seen when in a video",
    )
    async def get_timeline(
        job_id: JobId,
        item: Annotated[
            int, Query(ge=1, le=2**53, description="the video's number in the job", examples=[1])
        ],
    ) -> Response:
        """Presences, windows and stretches that showed nothing new, in seconds of the video; while it is still
        sent, too."""
        await desk.find(job_id)
        return json_response(await reader.timeline(job_id, item))

    @router.get(
        "/{job_id}/results",
        response_class=Response,
        responses=RESULTS | errors({404: "nothing of this job has been computed yet"}),
        operation_id="get_job_results",
        summary="Download results",
    )
    async def get_results(
        job_id: JobId,
        form: Annotated[
            ResultFormat, Query(alias="format", description="a line for each input, or COCO's JSON")
        ] = "ndjson",
    ) -> Response:
        """Every input that is settled so far, in the forms of `framefleet batch`."""
        await desk.find(job_id)
        return ResultStream(await reader.results(job_id, form), job_id, form)

    return router


def created(description: str, example: object) -> Responses:
    """An answer to what was made, with one example of it."""
    return {201: answer(description, example)[200]}


PICTURES: Responses = {
    200: {
        "description": "The picture.",
        "content": {each: {} for each in ("image/jpeg", "image/png", "image/webp")},
    }
}
COCO = {
    "info": {"description": "framefleet"},
    "images": [],
    "videos": [],
    "annotations": [],
    "categories": [],
}
RESULTS: Responses = {
    200: {
        "description": "A download; it is broken off where the books stop answering.",
        "content": {
            "application/x-ndjson": {},
            "text/csv": {},
            "application/json": {"schema": {"type": "object", "required": list(COCO)}, "example": COCO},
        },
    }
}
