"""Jobs and uploads as they are answered. Pure."""

from collections.abc import Sequence
from typing import cast, get_args

from batch.uploads.messages import JobFigures
from contract.api.jobs import (
    ClientJobFailureView,
    ClientJobState,
    ClientJobView,
    JobFailureView,
    JobFramesView,
    JobLatencyView,
    JobSettingsView,
    JobView,
    JobViewState,
    UploadView,
)
from gateway.jobs.board import HeardJob
from gateway.jobs.index import JobRow, UploadRow
from gateway.jobs.remedies import what_to_do

STATES: tuple[JobViewState, ...] = get_args(JobViewState)


def upload_view(upload: UploadRow, offset: int) -> UploadView:
    """An upload of which `offset` bytes have come."""
    return UploadView(
        upload_id=upload.upload_id,
        name=upload.path,
        size=upload.size,
        offset=offset,
        state="complete" if upload.complete else "receiving",
        note=upload.note,
    )


def job_view(
    job: JobRow, figures: JobFigures | None, waits: str | None, uploads: Sequence[tuple[UploadRow, int]]
) -> JobView:
    """A job; `figures` are those of its process, None without one. `waits` says what it waits for."""
    now = figures or job.figures
    going = figures is not None
    return JobView(
        job_id=job.job_id,
        name=job.name,
        state=cast(JobViewState, job.state),
        note=job.note or (now.note if going else waits),
        complete=job.complete,
        settings=JobSettingsView(**{key: job.settings[key] for key in ("every", "windows", "skip", "lane")}),
        created=job.created,
        started=job.started,
        ended=job.ended,
        by=job.by,
        items=now.items,
        ok=now.ok,
        failed=now.failed,
        retried=now.retried,
        rate=now.rate if going else 0.0,
        eta_seconds=now.eta if going and job.complete else None,
        bytes=job.bytes,
        files=job.files,
        videos=now.videos,
        frames=JobFramesView(now.decoded, now.skipped, now.reused, now.computed),
        failures=[JobFailureView(reason, count, what_to_do(reason)) for reason, count in now.reasons.items()],
        latency=JobLatencyView(now.p50, now.p95, now.p99),
        uploads=[upload_view(upload, offset) for upload, offset in uploads],
    )


def client_job_view(job: HeardJob, now: float, wall: float) -> ClientJobView:
    """A job whose client is heard; `now` is monotonic, `wall` the same moment in Unix seconds."""
    status = job.status
    heard = wall - (now - job.heard)
    state = cast(ClientJobState, job.state(now))
    rate = status.rate if state == "running" else 0.0
    return ClientJobView(
        job_id=status.job_id,
        host=status.host,
        gateway=status.gateway if status.uploaded else None,
        state=state,
        note=None if job.over else status.note,
        # By this machine's clock: a client's may be wrong.
        started=heard - (status.time - status.since),
        heard=heard,
        items=status.items,
        listed=status.listed,
        ok=status.ok,
        failed=status.failed,
        retried=status.retries,
        rate=rate,
        eta_seconds=job.waiting / rate if status.listed and rate > 0 else None,
        failures=[ClientJobFailureView(reason, count) for reason, count in status.reasons.items()],
    )
