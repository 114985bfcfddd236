"""What workers and gateways make of jobs: an item is answered to its job alone, and a job that stands still is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from broker import Delivery, Outcome
from broker.properties import Properties
from contract.api.jobs import ClientJobFailureView
from contract.failures import FailureReason
from contract.jobs import JOB_ID, JobStatus, answers_queue, is_job_queue
from contract.result import FailedReply, parse_reply
from contract.senders import Sender
from contract.status import encode_status, parse_status, status_routing_key
from contract.task import TaskHead
from contract.topology import RETRY_EXCHANGE, Lane
from gateway.jobs.board import FORGET_SECONDS, MAX_SHOWN, SHOWN_SECONDS, STALLED_SECONDS, JobBoard
from gateway.jobs.views import client_job_view
from gateway.metrics import GatewayMetrics
from runtime.priority import nice_for
from tests.unit.test_settler import RESULT, Desk
from worker.arrival import Arrival, Completion
from worker.intake import Intake
from worker.job_items import HELD_SECONDS, is_tried_again
from worker.processor import Computed, Failed, Processed

BROKEN = Failed(FailureReason.NOT_AN_IMAGE, "it is none")


class JobDesk(Desk):
    """A settler that gets items of a job."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Processed] = []
        metrics: Any = self.metrics
        metrics.item_settled = lambda outcome, *_figures: self.items.append(outcome)

    def settle_item(
        self, outcome: Processed, computed: float = 1e9, headers: Any = None, exchange: str = ""
    ) -> None:
        method = SimpleNamespace(delivery_tag=7, exchange=exchange, redelivered=False)
        fields = None if headers is None else headers
        sent = Properties(
            message_id="m", reply_to="job.j", correlation_id="j:1:0123456789abcdef", fields=fields
        )
        head = TaskHead(timestamp=1.0, camera_id="job-j", frame_id="j:1:0123456789abcdef")
        arrival = Arrival(Intake(Lane.BATCH), Delivery(self.channel, method, sent, b"body"), head, "job-j")
        self.settler.settle(Completion(arrival, outcome, computed))


def test_a_result_goes_to_the_job_is_kept_and_then_acknowledged() -> None:
    desk = JobDesk()
    desk.settle_item(Computed(RESULT, b""))
    ((message, _),) = desk.publisher.sent
    assert (message.exchange, message.routing_key, message.persistent) == ("", "job.j", True)
    assert message.correlation_id == "j:1:0123456789abcdef"
    assert desk.channel.settled == []
    desk.publisher.tell(Outcome.CONFIRMED)
    assert desk.channel.settled == [("ack", 7)]
    assert desk.publisher.sent == []  # nobody else hears of it
    assert (desk.items, desk.metrics.counted, desk.released) == ([Computed(RESULT, b"")], [], 1)
    assert (desk.tally.processed, desk.tally.failed) == (1, 0)


def test_a_failure_is_an_answer_and_no_dead_letter() -> None:
    desk = JobDesk()
    desk.settle_item(BROKEN)
    message = desk.publisher.tell(Outcome.CONFIRMED)
    reply = parse_reply(message.body)
    assert isinstance(reply, FailedReply)
    assert (message.routing_key, reply.reason, reply.error) == ("job.j", "not_an_image", "it is none")
    assert desk.items == [BROKEN]
    assert desk.tally.failed == 0


def test_what_may_pass_is_tried_again_first() -> None:
    desk = JobDesk()
    desk.settle_item(Failed(FailureReason.CRASHED, "it died"))
    message = desk.publisher.tell(Outcome.CONFIRMED)
    assert message.routing_key == "frame_queue.batch.retry.1s"
    assert message.reply_to == "job.j"
    assert desk.items == []


def test_a_queue_that_takes_nothing_is_let_go_after_a_while() -> None:
    desk = JobDesk()
    desk.settle_item(Computed(RESULT, b""))
    desk.publisher.tell(Outcome.REJECTED)
    assert desk.released == 0
    (again,) = desk.later
    again()
    assert len(desk.publisher.sent) == 1  # tried again
    late = JobDesk()
    late.settle_item(Computed(RESULT, b""), computed=-1e9)
    late.publisher.tell(Outcome.REJECTED)
    assert (late.released, late.channel.settled) == (1, [("ack", 7)])
    assert is_tried_again(Outcome.DISCONNECTED, 1e9)
    assert not is_tried_again(Outcome.CONFIRMED, 0)
    assert not is_tried_again(Outcome.QUEUE_DOWN, HELD_SECONDS)


def test_a_named_sender_has_no_jobs() -> None:
    method = SimpleNamespace(delivery_tag=7, exchange="", redelivered=False)
    delivery = Delivery(None, method, Properties(reply_to="job.j"), b"")
    assert Arrival(Intake(Lane.BATCH), delivery).of_job
    assert not Arrival(Intake(Lane.BATCH, Sender(name="school")), delivery).of_job
    assert not is_job_queue(b"job.j")
    assert not is_job_queue(None)


WALL = 1_795_216_000.0


def status(**fields: Any) -> JobStatus:
    given: dict[str, Any] = {
        "job_id": "j", "state": "running", "items": 10, "listed": True, "ok": 0, "failed": 0, "outstanding": 5,
        "retries": 0, "since": 1.0, "time": 2.0, "version": "1",
    }  # fmt: skip
    return JobStatus(**(given | fields))


def test_a_job_s_word_and_its_queue() -> None:
    assert parse_status(encode_status(status())) == status()
    assert status_routing_key(status()) == "job.j"
    assert answers_queue("j").arguments["x-expires"] == 7 * 86_400_000
    assert JOB_ID.match("a" * 60)
    assert not JOB_ID.match("a" * 61)
    assert not JOB_ID.match("a.b")


@pytest.mark.parametrize(
    "fields",
    [
        {"job_id": "a.b"},
        {"ok": -1},
        {"items": 1e300},
        {"host": "h" * 256},
        {"note": "n" * 501},
        {"rate": -1.0},
        {"reasons": {str(number): 1 for number in range(11)}},
        {"reasons": {"r" * 65: 1}},
    ],
)
def test_a_word_without_bounds_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Expected|Invalid|valid"):
        parse_status(encode_status(status(**fields)))


def test_jobs_that_run_stand_still_and_are_lost() -> None:
    metrics = GatewayMetrics()
    board = JobBoard(metrics)

    def counts(now: float) -> tuple[float | None, ...]:
        board.tick(now)
        read = metrics.registry.get_sample_value
        return (
            *(read("framefleet_jobs", {"state": state}) for state in ("running", "stalled", "lost")),
            read("framefleet_job_items_waiting"),
        )

    assert counts(0) == (0, 0, 0, 0)
    for now in range(0, 200, 2):
        board.heard(status(ok=min(5, now)), now)
    assert counts(100) == (1, 0, 0, 5)
    assert counts(198) == (0, 1, 0, 5)  # nothing settled since the sixth second
    board.heard(status(ok=6), 200)
    assert counts(200) == (1, 0, 0, 4)
    assert counts(210) == (0, 0, 1, 0)  # its client is silent
    board.heard(status(ok=6), 212)
    board.heard(status(ok=10, state="done"), 214)
    assert counts(214) == (0, 0, 0, 0)
    board.heard(status(), 300)
    assert counts(300 + FORGET_SECONDS + 1) == (0, 0, 0, 0)
    board.heard(status(items=10, ok=9, failed=1), 400)
    board.heard(status(items=10, ok=9, failed=1), 400 + STALLED_SECONDS + 1)
    assert counts(400 + STALLED_SECONDS + 2)[:2] == (1, 0)  # all is settled: it does not stand still


def test_jobs_of_command_lines_are_listed_until_they_are_silent_for_a_while() -> None:
    board = JobBoard(GatewayMetrics(), "gateway-1")

    def shown(now: float) -> list[tuple[str, str]]:
        board.tick(now)
        views = [client_job_view(job, now, WALL + now) for job in board.shown(now)]
        return [(view.job_id, view.state) for view in views]

    run = {"since": 1000.0, "time": 1060.0, "rate": 2.0}  # by a clock that is far off
    board.heard(status(job_id="a", items=10, ok=4, failed=2, reasons={"empty": 2}, note="waiting", **run), 60)
    board.heard(status(job_id="b", since=1001.0, time=1060.0), 61)
    board.heard(status(job_id="gateway's", uploaded=True, gateway="gateway-1"), 61)
    board.heard(status(job_id="of one that does not tell", uploaded=True), 61)
    assert shown(62) == [("b", "running"), ("a", "running")]
    view = client_job_view(board.shown(62)[1], 62, WALL + 62)
    assert (view.started, view.heard) == (WALL, WALL + 60)
    assert (view.rate, view.eta_seconds, view.note) == (2.0, 2.0, "waiting")
    assert view.failures == [ClientJobFailureView("empty", 2)]
    assert view.gateway is None
    board.heard(status(job_id="another's", uploaded=True, gateway="gateway-2", since=9.0), 0)
    assert [job.status.gateway for job in board.shown(62)] == ["", "", "gateway-2"]
    assert client_job_view(board.shown(62)[2], 62, WALL + 62).gateway == "gateway-2"
    del board._jobs["another's"]
    board.heard(status(job_id="b", since=1001.0, time=1070.0, state="interrupted"), 70)
    assert shown(72) == [("b", "interrupted"), ("a", "lost")]
    late = client_job_view(board.shown(72)[1], 72, WALL + 72)
    assert (late.rate, late.eta_seconds, late.heard) == (0.0, None, WALL + 60)
    assert shown(60 + SHOWN_SECONDS + 1) == [("b", "interrupted")]
    assert shown(70 + SHOWN_SECONDS + 1) == []
    board.heard(status(job_id="b", since=2001.0, time=2001.0), 500)  # gone on with
    assert shown(500) == [("b", "running")]
    for number in range(MAX_SHOWN + 9):
        board.heard(status(job_id=f"j{number}", since=3000.0 + number), 501)
    assert len(shown(501)) == MAX_SHOWN
    assert shown(501)[0] == (f"j{MAX_SHOWN + 8}", "running")


def test_what_jobs_looked_up_and_skipped_is_counted_once() -> None:
    metrics = GatewayMetrics()
    board = JobBoard(metrics)

    def counts() -> tuple[float | None, ...]:
        read = metrics.registry.get_sample_value
        return (
            *(read("framefleet_job_lookups_total", {"outcome": outcome}) for outcome in ("hit", "miss")),
            *(read("framefleet_job_frames_total", {"outcome": outcome}) for outcome in ("analysed", "still")),
            read("framefleet_job_windows_total"),
        )

    assert counts() == (0, 0, 0, 0, 0)
    board.heard(status(lookups=10, hits=4, analysed=2), 0)
    board.heard(status(lookups=15, hits=4, analysed=3, still=7), 2)
    board.heard(status(lookups=15, hits=4, analysed=3, still=7, windows=2, state="done"), 4)
    board.heard(status(lookups=15, hits=4, analysed=3, still=7, windows=2, state="done"), 4)  # told twice
    assert counts() == (4, 11, 3, 7, 2)
    board.heard(status(lookups=5, hits=5, since=100.0, time=101.0), 6)  # the next run begins from nothing
    assert counts() == (9, 11, 3, 7, 2)
    late = {"job_id": "k", "since": 1.0, "time": 1000.0}
    board.heard(status(lookups=500, hits=500, **late), 8)  # this gateway hears of it in its midst
    board.heard(status(lookups=501, hits=501, **late), 8)
    assert counts() == (10, 11, 3, 7, 2)


@pytest.mark.parametrize(("share", "nice"), [(1, 0), (0.5, 0), (0.25, 5), (0.1, 10), (0.01, 19), (0.001, 19)])
def test_a_share_as_a_nice_value(share: float, nice: int) -> None:
    assert nice_for(share) == nice


def test_the_retry_exchange_is_not_the_job_s() -> None:
    """Attempts are counted by our own header on the way that only services have: the last one is answered."""
    desk = JobDesk()
    from broker.properties import fields_of
    from contract.dead_letters import ATTEMPTS

    desk.settle_item(
        Failed(FailureReason.CRASHED, "it died"), headers=fields_of({ATTEMPTS: 3}), exchange=RETRY_EXCHANGE
    )
    assert desk.publisher.tell(Outcome.CONFIRMED).routing_key == "job.j"
