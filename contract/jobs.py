"""A job: many pictures or videos that are computed through a lane that waits, and answered apart from all live results.

Each of its items is a task with `reply_to` = the job's own queue, which the job's client declares. Workers publish the
answer there, kept by the broker and confirmed, before they acknowledge the task; nobody else ever sees it: not the
exchange `results`, not the history, not the page. An item that cannot be computed is answered with the reason, and is
no dead letter.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from contract.identifiers import MAX_CAMERA_ID
from contract.topology import MIB, UNLIMITED_DELIVERIES, Queue

PREFIX = "job."
"""What the names of jobs' queues begin with. Workers keep what they publish to such a queue."""
MAX_JOB_ID = MAX_CAMERA_ID - len("job-")
JOB_ID = re.compile(rf"^[A-Za-z0-9_-]{{1,{MAX_JOB_ID}}}\Z")
KEEP_DAYS = 7
"""So long answers wait for a client that does not come back."""
MAX_ANSWERS = 100_000

MAX_REASONS = 10
"""So many reasons are told of."""

MAX_NOTE = 500

LONGEST_EVERY = 3600
"""Seconds between two pictures of a video that are looked at, at most."""

JobState = Literal["running", "draining", "done", "interrupted"]
Count = Annotated[int, Meta(ge=0, lt=2**53)]
"""Up to what a browser counts exactly."""


class JobStatus(Struct, frozen=True, kw_only=True, tag_field="kind", tag="job"):
    """What a job's client says of it every two seconds, on `status`; routing key `job.<job_id>`.

    `items` are those found so far, and `listed` whether that is all; `retries` counts items that were sent again.
    `since` is when this run of the client began. Times in Unix seconds. All that follows `host` is of this run alone:
    `lookups` of pictures among results that are kept, and the `hits` of these; pictures of videos that were `analysed`,
    were `still` or `repeated`, or were left out by their number a second (`thinned`); the videos' `windows`.

    `rate` is items settled a second lately, `reasons` why items failed and how many, the most first, ten at most;
    `note` says what it waits for, if it does. `uploaded`: it is a gateway's own job, of the one called
    `gateway`; empty: it does not tell.
    """

    job_id: Annotated[str, Meta(pattern=JOB_ID.pattern)]
    state: JobState
    items: Count
    listed: bool
    ok: Count
    failed: Count
    outstanding: Count
    retries: Count
    since: float
    time: float
    version: Annotated[str, Meta(max_length=64)]
    host: Annotated[str, Meta(max_length=255)] = ""
    lookups: Count = 0
    hits: Count = 0
    analysed: Count = 0
    still: Count = 0
    repeated: Count = 0
    thinned: Count = 0
    windows: Count = 0
    rate: Annotated[float, Meta(ge=0)] = 0.0
    reasons: Annotated[dict[Annotated[str, Meta(max_length=64)], Count], Meta(max_length=MAX_REASONS)] = {}
    note: Annotated[str, Meta(max_length=MAX_NOTE)] | None = None
    uploaded: bool = False
    gateway: Annotated[str, Meta(max_length=255)] = ""


def is_job_queue(name: object) -> bool:
    """Tell whether that is the queue of a job's answers, by its name."""
    return isinstance(name, str) and name.startswith(PREFIX)


def job_camera(job_id: str) -> str:
    """The `camera_id` of a job's items. No camera is called so: their results are nobody's but the job's."""
    return f"job-{job_id}"


def answers_queue(job_id: str) -> Queue:
    """The queue of a job's answers. It ends by itself when nobody has read from it for a week."""
    return Queue(
        f"{PREFIX}{job_id}",
        {
            "x-queue-type": "quorum",
            "x-max-length": MAX_ANSWERS,
            "x-max-length-bytes": 1024 * MIB,
            "x-overflow": "reject-publish",
            "x-delivery-limit": UNLIMITED_DELIVERIES,
            "x-expires": KEEP_DAYS * 86_400_000,
        },
    )
