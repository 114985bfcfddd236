"""Questions to Prometheus, as it is meant to answer them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli.doctor.errors import NoAnswer
from cli.doctor.http import ANSWER_SECONDS, ASIDE_SECONDS, ask

MOST_TARGETS = 200


def data_of(url: str, path: str, seconds: float = ANSWER_SECONDS) -> Any:
    """What `data` holds in the answer of `url` to /api/v1/`path`. Raises NoAnswer."""
    if not url:
        raise NoAnswer("is not known")
    answer = ask(f"{url.rstrip('/')}/api/v1/{path}", seconds=seconds)
    read = answer.json()
    if not isinstance(read, dict) or read.get("status") not in ("success", "error"):
        raise NoAnswer("answers, but is not a Prometheus")
    if read["status"] == "error":
        raise NoAnswer(f"refuses the question: {str(read.get('error'))[:200]}")
    return read.get("data")


def query(
    url: str, expression: str, seconds: float = ANSWER_SECONDS
) -> list[tuple[Mapping[str, str], float]]:
    """Labels and value of each series. Raises NoAnswer."""
    data = data_of(url, f"query?query={quote(expression)}", seconds)
    try:
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(dict(each["metric"]), float(each["value"][1])) for each in data["result"]]
    except (KeyError, TypeError, ValueError, IndexError):
        raise NoAnswer("answers, but not as Prometheus does") from None


def series(url: str, expression: str) -> list[tuple[Mapping[str, str], float]]:
    """`query`, of which the answer is only of use if there is one: empty if not."""
    try:
        return query(url, expression, ASIDE_SECONDS)
    except NoAnswer:
        return []


def targets_of(url: str, job: str) -> list[str]:
    """The addresses from which Prometheus reads a job's metrics; empty if it does not answer."""
    try:
        targets = data_of(url, "targets?state=active", ASIDE_SECONDS)["activeTargets"]
        found = {each["discoveredLabels"]["__address__"] for each in targets if each["labels"]["job"] == job}
    except (NoAnswer, KeyError, TypeError):
        return []
    return sorted(map(str, found))[:MOST_TARGETS]
