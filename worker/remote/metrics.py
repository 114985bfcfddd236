"""The metrics of the remote lane."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contract.remote import HeldBy, RemoteReport, SpentReport
from worker.remote.prices import DOLLAR
from worker.remote.treasury import Cost
from worker.remote.usage import Usage

CALL_BUCKETS = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 120)
OUTCOMES = ("ok", "throttled", "timeout", "error", "bad_answer", "refused", "denied")
HOLDS: tuple[HeldBy, ...] = ("budget", "operator", "breaker", "refused", "books")


class RemoteMetrics:
    """Calls, tokens and money of one worker; what is said of the books is said by every worker alike."""

    def __init__(self, node_id: str, registry: CollectorRegistry) -> None:
        node, labels = {"node_id": node_id}, ["node_id"]
        self._node_id = node_id
        calls = Counter(
            "cv_remote_calls_total",
            "Calls to the remote endpoint by outcome",
            [*labels, "outcome"],
            registry=registry,
        )
        self._calls = {each: calls.labels(node_id, each) for each in OUTCOMES}
        self._seconds = Histogram(
            "cv_remote_call_seconds",
            "Time from the start of a call to its answer or its end",
            labels,
            registry=registry,
            buckets=CALL_BUCKETS,
        ).labels(**node)
        tokens = Counter(
            "cv_remote_tokens_total",
            "Tokens by the endpoint's own count",
            [*labels, "direction"],
            registry=registry,
        )
        self._tokens = {each: tokens.labels(node_id, each) for each in ("in", "out")}
        cost = Counter(
            "cv_remote_cost_dollars_total",
            "What calls have cost; uncertain: nobody knows whether they were charged",
            [*labels, "certainty"],
            registry=registry,
        )
        self._cost = {each: cost.labels(node_id, each) for each in ("certain", "uncertain")}
        self._usage_invalid = Counter(
            "cv_remote_usage_invalid_total",
            "Answers without a usage that can be true: what was expected is booked",
            labels,
            registry=registry,
        ).labels(**node)
        self._put_back = Counter(
            "cv_remote_frames_put_back_total",
            "Frames that went back to the queue, since no call may go out",
            [*labels, "by"],
            registry=registry,
        )
        self._sent = Counter(
            "cv_remote_sent_bytes_total", "Bytes of requests that were sent", labels, registry=registry
        ).labels(**node)
        self._rate_wait = Counter(
            "cv_remote_rate_wait_seconds_total",
            "Time that calls waited for the limit of calls and tokens a minute",
            labels,
            registry=registry,
        ).labels(**node)
        held = Gauge(
            "cv_remote_held", "1 while the lane is paused, by what", [*labels, "by"], registry=registry
        )
        self._held = {each: held.labels(node_id, each) for each in HOLDS}
        self._concurrency = Gauge(
            "cv_remote_concurrency", "Calls that may be under way at once now", labels, registry=registry
        ).labels(**node)
        self._spent = Gauge(
            "cv_remote_spent_dollars",
            "What all workers have booked in the current day and month, uncertain and reserved included",
            [*labels, "period"],
            registry=registry,
        )
        self._budget = Gauge(
            "cv_remote_budget_dollars",
            "The budget of the current day and month",
            [*labels, "period"],
            registry=registry,
        )
        self._cached = Counter(
            "cv_remote_cached_frames_total",
            "Frames answered from the cache, for nothing",
            labels,
            registry=registry,
        ).labels(**node)

    def called(self, outcome: str, seconds: float, sent: int) -> None:
        """Count a call that is over."""
        self._calls[outcome].inc()
        self._seconds.observe(seconds)
        self._sent.inc(sent)

    def used(self, usage: Usage) -> None:
        """Count tokens."""
        self._tokens["in"].inc(usage.given)
        self._tokens["out"].inc(usage.got)

    def usage_invalid(self) -> None:
        """Count an answer whose usage cannot be true."""
        self._usage_invalid.inc()

    def cost(self, cost: Cost) -> None:
        """Count money."""
        self._cost["certain"].inc(cost.spent / DOLLAR)
        self._cost["uncertain"].inc(cost.uncertain / DOLLAR)

    def put_back(self, by: str) -> None:
        """Count a frame that went back to the queue."""
        self._put_back.labels(self._node_id, by).inc()

    def cached(self) -> None:
        """Count a frame that cost nothing."""
        self._cached.inc()

    def waited(self, seconds: float) -> None:
        """Count time that a call waited for the rate."""
        self._rate_wait.inc(seconds)

    def report(self, report: RemoteReport) -> None:
        """Say how it stands."""
        for by, gauge in self._held.items():
            gauge.set(report.held_by == by)
        self._concurrency.set(report.concurrency)
        self._period("day", report.day)
        self._period("month", report.month)

    def _period(self, period: str, report: SpentReport | None) -> None:
        if report is None:
            return
        self._spent.labels(self._node_id, period).set(report.spent + report.uncertain + report.reserved)
        if report.limit is not None:
            self._budget.labels(self._node_id, period).set(report.limit)
