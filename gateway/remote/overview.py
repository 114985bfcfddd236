"""The remote lane in one view, of what its workers say. Pure."""

from collections.abc import Sequence
from typing import Literal

from contract.api.remote import RemoteView, RemoteWorkerView, SpentView
from contract.remote import DesiredRemote, RemoteReport, SpentReport
from contract.status import NodeStatus

NOBODY = "no worker takes frames of the remote lane: start one with WORKER_LANE=remote"
OPERATOR = "an operator has paused it"
APART = (
    "the workers count calls and money in {} separate places, so that each may use the whole limit and the whole "
    "budget: give all of them the same REDIS_URL, or on one machine the same WORKER_REMOTE_FOLDER"
)


def overview(statuses: Sequence[NodeStatus], desired: DesiredRemote, waiting: int | None) -> RemoteView:
    """The view of the workers that answer."""
    reports = [(status, status.remote) for status in statuses if status.remote is not None]
    newest = max(reports, key=lambda each: each[0].time, default=None)
    day, month = (None, None) if newest is None else (newest[1].day, newest[1].month)
    state, reason = _state([report for _, report in reports], desired)
    names = {each.period for each in (day, month) if each is not None}
    return RemoteView(
        state=state,
        reason=reason,
        waiting=waiting,
        workers=[_worker(status.node_id, report) for status, report in reports],
        day=_spent(day),
        month=_spent(month),
        warning=_warning([report for _, report in reports]),
        warned=any(report.warned for _, report in reports),
        raised={period: dollars for period, dollars in desired.raises.items() if period in names},
    )


def remote_open(statuses: Sequence[NodeStatus], desired: DesiredRemote) -> bool:
    """Tell whether a worker takes frames of the lane now."""
    reports = [status.remote for status in statuses if status.remote is not None]
    return _state(reports, desired)[0] == "open"


def _state(
    reports: Sequence[RemoteReport], desired: DesiredRemote
) -> tuple[Literal["absent", "open", "held", "paused"], str]:
    if desired.paused:
        return "paused", OPERATOR
    if not reports:
        return "absent", NOBODY
    held = [report for report in reports if report.state == "held"]
    if len(held) == len(reports):
        return "held", held[0].reason
    return "open", ""


def _warning(reports: Sequence[RemoteReport]) -> str:
    places = {report.books for report in reports if report.books}
    return APART.format(len(places)) if len(places) > 1 else ""


def _worker(node_id: str, report: RemoteReport) -> RemoteWorkerView:
    return RemoteWorkerView(
        node_id=node_id,
        endpoint=report.endpoint,
        model=report.model,
        state=report.state,
        held_by=report.held_by,
        reason=report.reason,
        concurrency=report.concurrency,
        calls=report.calls,
        errors=report.errors,
        frame_most=report.frame_most,
        prices_changed=report.prices_changed,
    )


def _spent(report: SpentReport | None) -> SpentView | None:
    if report is None:
        return None
    return SpentView(
        period=report.period,
        spent=report.spent,
        uncertain=report.uncertain,
        reserved=report.reserved,
        limit=report.limit,
        calls=report.calls,
        frames=report.frames,
    )
