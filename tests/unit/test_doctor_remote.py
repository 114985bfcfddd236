"""`framefleet doctor` on the remote lane: what the gateway tells of workers in each kind of trouble, judged."""

import msgspec
import pytest

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import AreaFinding, Findings, Level
from cli.doctor.remote import judge
from contract.remote import DesiredRemote, HeldBy, RemoteReport
from contract.status import NodeStatus
from gateway.remote.overview import overview

NOW = 1_796_040_000.0
DAY = 86_400
REFUSED = "the endpoint does not take the key: see WORKER_REMOTE_KEY_FILE (401)"
UNREACHABLE = "gpu-1:8000 cannot be reached: is it up, and does WORKER_REMOTE_URL name the right port?"


def report(
    by: HeldBy = "", reason: str = "", *, books: str = "file:a", days: int | None = None
) -> RemoteReport:
    return RemoteReport(
        endpoint="gpu-1:8000",
        model="seer",
        state="held" if by else "open",
        held_by=by,
        reason=reason,
        books=books,
        prices_changed=None if days is None else NOW - days * DAY,
    )


def found(*reports: RemoteReport, paused: bool = False, waiting: int = 0) -> list[AreaFinding]:
    """What the doctor finds where the workers `r-1`, `r-2`, … say this."""
    statuses = [
        NodeStatus(
            node_id=f"r-{number}",
            state="running",
            lane="remote",
            model="seer",
            detector="seer",
            fallback=None,
            prefetch=10,
            fps=0.0,
            busy=0.0,
            processed=0,
            failed=0,
            since=NOW,
            time=NOW,
            version="1",
            remote=each,
        )
        for number, each in enumerate(reports, 1)
    ]
    view = msgspec.to_builtins(overview(statuses, DesiredRemote(paused=paused), waiting))
    findings = Findings("workers")
    judge(view, NOW, findings)
    assert all(each.todo for each in findings.all if each.level is not Level.OK)
    return findings.all


def test_all_well() -> None:
    (one,) = found(report(days=89), report(books="file:a"))
    assert (one.level, one.found) == (Level.OK, "2 workers, open")


def test_no_worker_is_fine_until_frames_wait() -> None:
    assert found() == []
    (one,) = found(waiting=7)
    assert (one.level, one.found) == (Level.ERROR, "7 frames wait, and no worker takes them")
    assert "WORKER_LANE=remote" in one.todo


@pytest.mark.parametrize(
    ("by", "reason", "todo"),
    [
        ("breaker", UNREACHABLE, "WORKER_REMOTE_URL"),
        ("refused", REFUSED, "restart it"),
        ("budget", "the budget ($5.00 for 2026-11-30) has not enough left", "framefleet remote raise"),
        ("books", "the books cannot be written (disk full)", "WORKER_REMOTE_FOLDER"),
    ],
)
def test_a_held_lane_says_why_and_what_to_do(by: HeldBy, reason: str, todo: str) -> None:
    (one,) = found(report(by, reason))
    assert (one.level, one.name, one.found) == (Level.WARNING, "remote lane", f"held: {reason}")
    assert todo in one.todo


def test_one_of_two_workers_is_held() -> None:
    (one,) = found(report(), report("refused", REFUSED))
    assert (one.level, one.name) == (Level.WARNING, "remote lane of r-2")
    assert REFUSED in one.found


def test_a_lane_that_an_operator_paused() -> None:
    (one,) = found(report("operator", "an operator has paused the remote lane"), paused=True)
    assert (one.level, "framefleet remote resume" in one.todo) == (Level.WARNING, True)


def test_two_machines_without_redis_have_a_limit_each() -> None:
    (one,) = found(report(books="file:a"), report(books="file:b"), report(books=""))
    assert one.level is Level.ERROR
    assert "2 separate places" in one.found
    assert "REDIS_URL" in one.found


def test_prices_that_nobody_has_looked_at_for_long() -> None:
    well, old = found(report(), report(days=91))
    assert (well.level, old.level, old.name) == (Level.OK, Level.WARNING, "prices of r-2")
    assert "91 days" in old.found
    assert "WORKER_REMOTE_PRICES" in old.todo


def test_an_answer_of_another_version() -> None:
    with pytest.raises(NoAnswer):
        judge({"state": "open"}, NOW, Findings("workers"))
    with pytest.raises(NoAnswer):
        judge({"state": "held", "warning": "", "reason": "", "workers": []}, NOW, Findings("workers"))
