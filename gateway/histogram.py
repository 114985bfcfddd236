"""Durations counted by edges, and their percentiles as Prometheus' histogram_quantile() finds them. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence


def no_counts(edges: Sequence[float]) -> "array[int]":
    """Counts of nothing."""
    return array("I", bytes(4 * (len(edges) + 1)))


def bucket_of(edges: Sequence[float], seconds: float) -> int:
    """Where a duration is counted."""
    return bisect_left(edges, seconds)


def added(a: "array[int] | None", b: "array[int]") -> "array[int]":
    """The counts of both."""
    return array("I", b) if a is None else array("I", [x + y for x, y in zip(a, b, strict=True)])


def quantile(edges: Sequence[float], counts: "array[int]", share: float) -> float | None:
    """The duration below which `share` of them lie, None without any; above the last edge it is that edge."""
    total = sum(counts)
    if total == 0:
        return None
    rank = share * total
    below = 0
    for index, (edge, count) in enumerate(zip(edges, counts, strict=False)):
        if count and below + count >= rank:
            start = edges[index - 1] if index else 0.0
            return start + (edge - start) * max(0.0, rank - below) / count
        below += count
    return float(edges[-1])
