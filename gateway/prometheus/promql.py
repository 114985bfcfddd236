"""Every PromQL that the gateway asks, in one place. Rates over a minute, as the cards say.

`or 0 * …` stands in for a counter whose labels have not occurred yet: it gives 0 while workers report at all, and
nothing (so the gateway's own figure) while none does.
"""

PROCESSED = "sum(rate(cv_frames_processed_total[1m]))"
FAILED = f"(sum(rate(cv_frames_failed_total[1m])) or 0 * {PROCESSED})"
EXPIRED = f"(sum(rate(cv_frames_expired_total[1m])) or 0 * {PROCESSED})"
# Frames that a source had to give up because nothing could take them; what it skips to keep its pace is no loss.
DROPPED = f"(sum(rate(producer_frames_dropped_total[1m])) or 0 * {PROCESSED})"


def _latency(share: float) -> str:
    """Capture to result, over all workers."""
    return f"histogram_quantile({share}, sum(rate(cv_frame_age_seconds_bucket[1m])) by (le))"


FIGURES = {
    "processingRate": PROCESSED,
    "avgLatency": "sum(rate(cv_frame_age_seconds_sum[1m])) / sum(rate(cv_frame_age_seconds_count[1m]))",
    # Ready messages of the task queues as RabbitMQ counts them. Thirty seconds back at most, not Prometheus' five
    # minutes: a broker that came back at another port would be counted twice.
    "queueDepth": (
        "sum(max by (queue) (last_over_time("
        'rabbitmq_detailed_queue_messages_ready{queue=~"frame_queue|frame_queue[.](batch|gpu)"}[30s])))'
    ),
    "p50": _latency(0.5),
    "p95": _latency(0.95),
    "p99": _latency(0.99),
    # The share of frames that were not computed, whatever the reason. 0/0 is NaN: no frames, no share.
    "notComputed": (f"({EXPIRED} + {FAILED} + {DROPPED}) / ({PROCESSED} + {EXPIRED} + {FAILED} + {DROPPED})"),
    "errors": FAILED,
}
"""Queries with one value."""

BY_LABEL = {
    "failedByReason": ("reason", "sum(rate(cv_frames_failed_total[5m])) by (reason)"),
    "fps": ("node_id", "sum(rate(cv_frames_processed_total[1m])) by (node_id)"),
    "busy": ("node_id", "sum(rate(cv_busy_seconds_total[1m])) by (node_id)"),
    "nodeP95": (
        "node_id",
        "histogram_quantile(0.95, sum(rate(cv_processing_seconds_bucket[1m])) by (le, node_id))",
    ),
}
"""Queries with one value per value of a label."""

HISTORY = {
    "processingRate": FIGURES["processingRate"],
    "latencyP50": FIGURES["p50"],
    "latencyP95": FIGURES["p95"],
    "queueDepth": FIGURES["queueDepth"],
    "notComputed": FIGURES["notComputed"],
    "errors": FIGURES["errors"],
}
"""Queries over time."""
