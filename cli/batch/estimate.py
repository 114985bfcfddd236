"""What a job in the remote lane would cost, before it costs anything; the operator says whether it may."""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from batch.inputs.found import Found
from batch.inputs.walk import Finder
from batch.job import Job
from batch.store import State
from cli.confirmation import confirmed
from cli.errors import CommandError
from cli.gateway import ask, known_gateway
from cli.layout import Layout
from contract.jobs import job_camera

CHUNK = 500


def affordable(job: Job, arguments: argparse.Namespace) -> bool:
    """Say what the job's open pictures would cost, and ask; `--yes` answers. Raises CommandError."""
    count = _open_pictures(job, retry=arguments.retry_failed)
    if not count:
        return True
    try:
        gateway = known_gateway(arguments.url, arguments.token, os.environ, Layout(), "batch --lane remote")
        view = ask(gateway, "/api/remote", without="--yes goes on without knowing what it costs")
    except CommandError as error:
        if not arguments.yes:
            raise
        print(f"what it costs is not known: {error}", file=sys.stderr)
        return True
    lines, costs = estimate(count, view)
    print("\n".join(lines), file=sys.stderr)
    print(
        f"  as the camera {job_camera(job.job_id)}, which WORKER_REMOTE_CAMERAS must name: job-*",
        file=sys.stderr,
    )
    return not costs or confirmed(f"Send {_pictures(count)} there?", yes=arguments.yes)


def estimate(count: int, view: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Lines on what so many pictures cost by what /api/remote says, and whether they cost anything. Pure."""
    workers = view["workers"]
    if not workers:
        return [
            f"{count:,} pictures for the remote lane, which has no worker: what they cost is not known"
        ], True
    to = ", ".join(sorted({f"{each['model']} at {each['endpoint']}" for each in workers}))
    most = max(each["frame_most"] for each in workers)
    lines = [f"{_pictures(count)} to {to}:"]
    if not most:
        return [*lines, "  they cost nothing, by its prices"], False
    lines.append(f"  at most ${count * most:,.2f} by today's prices, ${most:,.4f} each")
    month = view["month"]
    if month and month["frames"]:
        usual = (month["spent"] + month["uncertain"]) / month["frames"]
        lines.append(
            f"  about ${count * usual:,.2f} as frames of {month['period']} have cost, ${usual:,.4f} each"
        )
    for period in filter(None, (view["day"], month)):
        if period["limit"] is not None:
            left = period["limit"] - period["spent"] - period["uncertain"] - period["reserved"]
            lines.append(f"  left of the budget for {period['period']}: ${max(0.0, left):,.2f}")
    if view["state"] != "open":
        lines.append(f"  the lane is {view['state']}: {view['reason']}")
    return lines, True


def _open_pictures(job: Job, *, retry: bool) -> int:
    """Enter the job's items in its books, and count those that are not settled."""
    store, finder = job.store, Finder(job.wish.base)
    store.begin_listing()
    some: list[Found] = []
    for found in finder.find(job.inputs()):
        some.append(found)
        if len(some) >= CHUNK:
            store.add(some)
            some.clear()
    store.add(some)
    counts = store.counts()
    return counts[State.WAITING] + counts[State.SENT] + (counts[State.FAILED] if retry else 0)


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"
