"""/api/jobs/{job_id}/uploads: tus 1.0 (https://tus.io): core, creation, termination, expiration."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from contract.api.jobs import JobUploadsView
from gateway.errors import JobRefusal
from gateway.http.deadline import PATIENT
from gateway.http.documentation import Responses, answer, errors
from gateway.http.parameters import QueryParameters
from gateway.http.problems import TYPES, json_response, problem
from gateway.jobs.api import CURSOR, JobId
from gateway.jobs.api import MISSING as NO_JOB
from gateway.jobs.desk import JobDesk
from gateway.jobs.names import UNNAMED, metadata
from gateway.jobs.views import upload_view
from gateway.security.access import asked_by
from runtime.logs import get_logger

log = get_logger("gateway")

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
PATIENCE = "framefleet.patience"  # of gateway.server.connections
PIECES = "application/offset+octet-stream"
ID_PATTERN = "^[0-9a-f]{32}$"
CUT_OFF = "the upload was cut off; what came is kept: ask with HEAD how far it is, and go on from there"
CANCELLED = "its upload was cancelled"
LARGEST = 2**53
READ_OUT_BYTES, READ_OUT_SECONDS = 8 << 20, 5.0

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {PIECES: {"schema": {"type": "string", "format": "binary"}}},
    }
}
NAMED: dict[str, dict[str, Any]] = {
    "Tus-Resumable": {"schema": {"type": "string", "const": VERSION}},
    "Upload-Length": {"schema": {"type": "string", "pattern": "^[0-9]{1,16}$"}},
    "Upload-Offset": {"schema": {"type": "string", "pattern": "^[0-9]{1,16}$"}},
    "Upload-Metadata": {"schema": {"type": "string"}},
}
UPLOADS = {
    "uploads": [
        {
            "upload_id": "6d0c4c61c3f24b6f8a6de1d5b2a19f11",
            "name": "Sunday/0001.jpg",
            "size": 88_212,
            "offset": 88_212,
            "state": "complete",
            "note": None,
        }
    ],
    "next": None,
}
UploadId = Annotated[
    str,
    Path(pattern=ID_PATTERN, description="the upload's id", examples=["6d0c4c61c3f24b6f8a6de1d5b2a19f11"]),
]
MISSING = errors({404: "there is no upload 6d0c4c61c3f24b6f8a6de1d5b2a19f11 of this job"})
WRONG_VERSION = errors({412: f"this is tus {VERSION}: send the header Tus-Resumable: {VERSION}"})


class UploadsParameters(QueryParameters):
    """A page of a job's uploads."""

    limit: int = Field(500, ge=1, le=2000, description="how many at most")
    cursor: str = Field("", pattern=CURSOR, description="`next` of the page before; empty: the first page")


def with_headers(*names: str) -> dict[str, Any]:
    """The headers that an operation takes, for the document."""
    given = [
        {"name": name, "in": "header", "required": name != "Upload-Metadata", **NAMED[name]} for name in names
    ]
    return {"parameters": given}


def done(status: int, description: str) -> Responses:
    """An answer without a body."""
    return {status: {"description": description}}


def uploads_router(desk: JobDesk) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/jobs/{job_id}/uploads", tags=["Jobs"])
    uploads = desk.uploads

    @router.options(
        "",
        status_code=204,
        response_class=Response,
        responses=done(204, "What is offered."),
        operation_id="get_upload_options",
        summary="Say which tus is spoken",
    )
    async def options(job_id: JobId) -> Response:  # noqa: ARG001 - a part of the path
        """The protocol's version, its extensions, and how large a file may be."""
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(desk.limits.upload),
        }
        return answered(204, headers)

    @router.post(
        "",
        status_code=201,
        response_class=Response,
        openapi_extra=with_headers("Tus-Resumable", "Upload-Length", "Upload-Metadata"),
        responses=done(201, "It has begun: `Location` is where it goes on.")
        | WRONG_VERSION
        | errors(
            {
                400: "Upload-Length is needed: the size of the file in bytes",
                404: "there is no job 9c1d22f0a7b3",
                409: "this job takes no more files: make another one",
                413: "the file has more than 4096 MB (GATEWAY_UPLOAD_MB): cut it up",
                415: "the file is empty: there is nothing to compute in it",
                507: "the disk of GATEWAY_DATA_DIR has not enough room (GATEWAY_UPLOAD_FREE_MB)",
            }
        ),
        operation_id="create_upload",
        summary="Begin an upload",
    )
    async def create_upload(request: Request, job_id: JobId) -> Response:
        """A file of `Upload-Length` bytes; `Upload-Metadata` may name it: `filename` and its name in base64,
        with folders. One that does not grow for an hour is removed."""
        try:
            _check_version(request)
            size = _size(request, "Upload-Length")
            try:
                said = metadata(request.headers.get("upload-metadata", ""))
            except ValueError as error:
                raise JobRefusal(400, str(error)) from None
            upload = await uploads.create(job_id, said.get("filename") or said.get("name") or UNNAMED, size)
        except JobRefusal as error:
            return refused(error)
        place = f"/api/jobs/{job_id}/uploads/{upload.upload_id}"
        return answered(201, {"Location": place, "Upload-Offset": "0", **expires()})

    @router.get(
        "",
        response_model=JobUploadsView,
        responses=answer("In the order in which they began.", UPLOADS) | NO_JOB,
        operation_id="list_uploads",
        summary="List what was sent",
    )
    async def list_uploads(job_id: JobId, asked: Annotated[UploadsParameters, Query()]) -> Response:
        """Complete or not: whoever sends a folder again, from wherever, knows by it what need not be sent."""
        await desk.find(job_id)
        after = int(asked.cursor) if asked.cursor else 0
        found = await desk.list_uploads(job_id, after, asked.limit)
        following = str(found[-1][0].number) if len(found) == asked.limit else None
        return json_response(JobUploadsView([upload_view(*each) for each in found], following))

    @router.head(
        "/{upload_id}",
        response_class=Response,
        openapi_extra=with_headers("Tus-Resumable"),
        responses=done(200, "`Upload-Offset` of `Upload-Length` bytes have come.") | MISSING | WRONG_VERSION,
        operation_id="get_upload_offset",
        summary="Say how far an upload is",
    )
    async def get_upload(request: Request, job_id: JobId, upload_id: UploadId) -> Response:
        """After a cut, the upload goes on from there."""
        try:
            _check_version(request)
            upload = await uploads.find(job_id, upload_id)
            at = await uploads.at(upload)
        except JobRefusal as error:
            return refused(error)
        return answered(200, {"Upload-Offset": str(at), "Upload-Length": str(upload.size), **expires()})

    @router.patch(
        "/{upload_id}",
        status_code=204,
        response_class=Response,
        openapi_extra=BODY | with_headers("Tus-Resumable", "Upload-Offset"),
        responses=done(204, "`Upload-Offset` bytes have come.")
        | MISSING
        | WRONG_VERSION
        | errors(
            {
                400: "Upload-Offset is needed: a number of bytes",
                409: "the upload's offset is 4096, and not 0: go on from there",
                410: "the upload was cancelled",
                413: "there is more than the 8192 bytes of Upload-Length",
                415: "the file is not taken: it is PDF; JPEG, PNG and WebP pictures … are taken",
                423: "another request writes this upload: ask with HEAD how far it is, and go on then",
                507: "the disk of GATEWAY_DATA_DIR is nearly full: make room, and go on then",
            }
        ),
        operation_id="write_upload",
        summary="Send a piece of an upload",
    )
    async def write_upload(request: Request, job_id: JobId, upload_id: UploadId) -> Response:
        """From `Upload-Offset` on, as much as you like. Where it is cut off, what has come is kept."""
        stream = request.stream()
        try:
            _check_version(request)
            _check_type(request)
            offset = _size(request, "Upload-Offset")
            upload = await uploads.find(job_id, upload_id)
            _check_length(request, upload.size - offset)
            _be_patient(request)
            at = await uploads.write(upload, offset, stream)
        except ClientDisconnect:
            return problem(400, "bad_data", CUT_OFF)  # nobody reads it
        except JobRefusal as error:
            await _read_out(stream)
            return refused(error)
        return answered(204, {"Upload-Offset": str(at), **expires()})

    @router.delete(
        "/{upload_id}",
        status_code=204,
        response_class=Response,
        openapi_extra=with_headers("Tus-Resumable"),
        responses=done(204, "It is gone.")
        | MISSING
        | WRONG_VERSION
        | errors({409: "the upload is complete, and belongs to the job: delete the job instead"}),
        operation_id="delete_upload",
        summary="Cancel an upload",
    )
    async def delete_upload(request: Request, job_id: JobId, upload_id: UploadId) -> Response:
        """What has come of it is deleted."""
        try:
            _check_version(request)
            await uploads.cancel(await uploads.find(job_id, upload_id), CANCELLED)
        except JobRefusal as error:
            return refused(error)
        log.info("an upload was cancelled", job_id=job_id, **asked_by(request.scope))
        return answered(204, {})

    def expires() -> dict[str, str]:
        return {"Upload-Expires": formatdate(time.time() + desk.limits.upload_seconds, usegmt=True)}

    return router


def answered(status: int, headers: dict[str, str]) -> Response:
    """An answer of the protocol."""
    return Response(
        status_code=status, headers={"Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers}
    )


def refused(error: JobRefusal) -> Response:
    """A refusal of the protocol."""
    headers = {"Tus-Resumable": VERSION} | ({"Tus-Version": VERSION} if error.status == 412 else {})
    return problem(error.status, TYPES.get(error.status, "error"), str(error), headers)


async def _read_out(stream: AsyncIterator[bytes]) -> None:
    """Read on a little: whoever is answered while they send, and is then cut off, does not hear the answer."""
    read = 0
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(READ_OUT_SECONDS):
            async for piece in stream:
                read += len(piece)
                if read > READ_OUT_BYTES:
                    return


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise JobRefusal(412, f"this is tus {VERSION}: send the header Tus-Resumable: {VERSION}")


def _be_patient(request: Request) -> None:
    """Let the body take as long as it goes on: a phone sends for minutes."""
    request.scope[PATIENT] = True
    if (patience := request.scope.get(PATIENCE)) is not None:
        patience()


def _check_type(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != PIECES:
        raise JobRefusal(415, f"a piece is sent as Content-Type: {PIECES}")


def _check_length(request: Request, most: int) -> None:
    coming = request.headers.get("content-length", "")
    if coming.isdecimal() and int(coming) > most:
        raise JobRefusal(413, f"at most {max(0, most)} bytes are still to come, and the body has more")


def _size(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 16 or int(text) > LARGEST:
        raise JobRefusal(400, f"{name} is needed: a number of bytes")
    return int(text)
