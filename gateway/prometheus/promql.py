"""Every PromQL that the gateway asks, in one place. Shares, latencies and failures over a minute, as the cards say.

What is shown as now, the rate and the depth, looks back ten seconds, two scrapes: a minute's mean would show half the
rate half a minute after everything has stopped. Where Prometheus has no two scrapes in ten seconds (a frozen worker, or
one that scrapes more slowly) it has no such figure, and the gateway's own is shown.

Each of FIGURES is also computed by the gateway (gateway/statistics.py), of the same frames over the same window:
docs/dashboard.md says what each is. Whoever changes one here changes it there.

`or 0 * …` stands in for a counter whose labels have not occurred yet: it gives 0 while workers report at all, and
nothing (so the gateway's own figure) while none does.
"""


def _results(window: str) -> str:
    """Results a second: without jobs' items, whose answers are none (contract.jobs)."""
    everything = f"sum(rate(cv_frames_processed_total[{window}]))"
    items = f'sum(rate(framefleet_job_items_total{{outcome="ok"}}[{window}]))'
    return f"({everything} - ({items} or 0 * {everything}))"


PROCESSED = _results("1m")
FAILED = f"(sum(rate(cv_frames_failed_total[1m])) or 0 * {PROCESSED})"
# What a sender with a name lets expire in its own queue is its own affair.
EXPIRED = (
    f"((sum(rate(cv_frames_expired_total[1m])) or 0 * {PROCESSED})"
    f' - (sum(rate(cv_sender_frames_total{{outcome="expired"}}[1m])) or 0 * {PROCESSED}))'
)
# Frames that a source had to give up because nothing could take them; what it skips to keep its pace is not a loss.
DROPPED = f"(sum(rate(producer_frames_dropped_total[1m])) or 0 * {PROCESSED})"


def _ages(part: str, by: str = "") -> str:
    """A part of the histogram from capture to result, over all workers, without the frames of senders with a name."""
    everybody = f"sum(rate(cv_frame_age_seconds_{part}[1m])){by}"
    return f"({everybody} - (sum(rate(cv_sender_frame_age_seconds_{part}[1m])){by} or 0 * {everybody}))"


def _latency(share: float) -> str:
    """Capture to result."""
    return f"histogram_quantile({share}, {_ages('bucket', ' by (le)')})"


FIGURES = {
    "processingRate": _results("10s"),
    "avgLatency": f"{_ages('sum')} / {_ages('count')}",
    # Ready messages of the task queues as RabbitMQ counts them. Not Prometheus' five minutes back: a broker that came
    # back at another port would be counted twice, and one that is frozen would be shown as it was.
    "queueDepth": (
        "sum(max by (queue) (last_over_time("
        'rabbitmq_detailed_queue_messages_ready{queue=~"frame_queue|frame_queue[.](batch|gpu)"}[10s])))'
    ),
    "p50": _latency(0.5),
    "p95": _latency(0.95),
    "p99": _latency(0.99),
    # The share of frames that were not computed, whatever the reason. 0/0 is NaN: no frames, no share.
    "notComputed": (f"({EXPIRED} + {FAILED} + {DROPPED}) / ({PROCESSED} + {EXPIRED} + {FAILED} + {DROPPED})"),
    "errors": FAILED,
}
"""Queries with one value."""

OF_A_MINUTE = frozenset({"avgLatency", "p50", "p95", "p99", "notComputed", "errors"})
"""Those of FIGURES that tell of the last minute."""
WHOLE_MINUTE = "count(count_over_time(cv_frames_processed_total[30s] offset 45s))"
"""Whether Prometheus has seen the whole of it: one that has been away takes the seconds that it knows for all of it."""

BY_LABEL = {
    "failedByReason": ("reason", "sum(rate(cv_frames_failed_total[1m])) by (reason)"),
    "fps": ("node_id", "sum(rate(cv_frames_processed_total[10s])) by (node_id)"),
    "busy": ("node_id", "sum(rate(cv_busy_seconds_total[1m])) by (node_id)"),
    "nodeP95": (
        "node_id",
        "histogram_quantile(0.95, sum(rate(cv_processing_seconds_bucket[1m])) by (le, node_id))",
    ),
}
"""Queries with one value per value of a label."""

HISTORY = {
    "processingRate": PROCESSED,
    "latencyP50": FIGURES["p50"],
    "latencyP95": FIGURES["p95"],
    "queueDepth": FIGURES["queueDepth"],
    "notComputed": FIGURES["notComputed"],
    "errors": FIGURES["errors"],
}
"""Queries over time."""


def dropped_of(camera_id: str) -> str:
    """Frames of the camera that its producer gave up so far, by reason. Any text may be the name: it is quoted."""
    quoted = camera_id.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'sum by (reason) (producer_frames_dropped_total{{camera_id="{quoted}"}})'
