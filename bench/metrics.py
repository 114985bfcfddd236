"""What a process counts, read from its /metrics, and what two readings say of the time between. Pure."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]
Key = TypeVar("Key", float, str)


class Metrics:
    """One reading of Prometheus' text form."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[tuple[Labels, float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples with these labels; 0 if there is none."""
        return sum(value for its, value in self._samples.get(name, []) if labels.items() <= its.items())

    def by(self, label: str, name: str) -> dict[str, float]:
        """The sums by the values of one label."""
        sums: dict[str, float] = {}
        for its, value in self._samples.get(name, []):
            sums[its[label]] = sums.get(its[label], 0.0) + value
        return sums

    def below(self, name: str) -> dict[float, float]:
        """Of a histogram: how many observations lie at or below each edge, in order, the last edge being infinity."""
        return {float(edge): count for edge, count in self.by("le", f"{name}_bucket").items()}


def grown(before: Mapping[Key, float], after: Mapping[Key, float]) -> dict[Key, float]:
    """How much each number of a histogram (or of `by`) has grown; what is new began at 0."""
    return {key: count - before.get(key, 0.0) for key, count in after.items()}


def quantile(below: Mapping[float, float], share: float) -> float:
    """Below which value that share of the observations lies, as PromQL's histogram_quantile reckons: evenly within a
    bucket. Not a number without observations, the last edge if it lies beyond.
    """
    total = max(below.values(), default=0.0)
    rank, low, seen = share * total, 0.0, 0.0
    if total == 0:
        return float("nan")
    for edge, count in below.items():
        if count >= rank and edge != float("inf"):
            return low + (edge - low) * (rank - seen) / (count - seen)
        if edge != float("inf"):
            low, seen = edge, count
    return low


def under(below: Mapping[float, float], edge: float) -> float:
    """The share of the observations at or below an edge of the histogram, exactly."""
    return below[edge] / max(below.values())


def jain(shares: Iterable[float]) -> float:
    """Jain's fairness index: 1 if all are equal, 1/n if one has everything (DEC-TR-301, 1984)."""
    each = list(shares)
    return sum(each) ** 2 / (len(each) * sum(share**2 for share in each))
