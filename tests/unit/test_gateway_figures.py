"""Which source a card's figure is from, and that changing it makes no figure jump."""

import time
from typing import cast

from gateway.errors import PrometheusError
from gateway.figures import FigureBoard
from gateway.nodes import Nodes
from gateway.prometheus import promql
from gateway.prometheus.client import Prometheus
from gateway.statistics import Statistics
from tests.helpers.results import result

Vector = list[tuple[dict[str, str], float | None]]


class Answers:
    """A Prometheus that has the same figure for everything; `whole`: of all of the last minute."""

    def __init__(self) -> None:
        self.figure: float | None = 0.83
        self.whole = True
        self.away: PrometheusError | None = None

    async def query(self, expression: str) -> Vector:
        if self.away is not None:
            raise self.away
        if expression == promql.WHOLE_MINUTE:
            return [({}, 1.0)] if self.whole else []
        return [({}, self.figure)]

    def board(self, own: Statistics, *, connected: bool = True) -> FigureBoard:
        # A new one for each look: what many dashboards share is kept for two seconds.
        return FigureBoard(
            cast(Prometheus, self), own, Nodes(), connected=lambda: connected, waiting=lambda: 3
        )


def busy(seconds: int) -> Statistics:
    """One that has listened for so long, to a frame computed and one dropped a second."""
    now = time.time()
    own = Statistics(now - seconds)
    for second in range(seconds):
        own.result(result(now), now - seconds + second, 0.1)
        own.dropped(1, now - seconds + second)
    return own


async def test_a_prometheus_that_was_away_is_believed_when_it_knows_the_whole_minute() -> None:
    """Its first two scrapes tell of five seconds: as "the last minute" these would jump."""
    answers, own = Answers(), busy(90)
    answers.whole = False
    metrics = await answers.board(own).metrics()
    assert metrics.notComputed is not None
    assert abs(metrics.notComputed - 0.5) < 0.02
    assert {
        metrics.source.notComputed,
        metrics.source.errors,
        metrics.source.latency,
        metrics.source.avgLatency,
    } == {"gateway"}
    assert {metrics.source.processingRate, metrics.source.queueDepth} == {"prometheus"}  # of ten seconds
    answers.whole = True
    assert (await answers.board(own).metrics()).notComputed == 0.83


async def test_a_part_of_the_minute_is_better_than_less_of_it() -> None:
    answers = Answers()
    answers.whole = False
    assert (await answers.board(busy(30)).metrics()).source.notComputed == "prometheus"
    assert (await answers.board(busy(90), connected=False).metrics()).source.notComputed == "prometheus"


async def test_it_says_whether_prometheus_answers_and_since_when() -> None:
    answers, own = Answers(), busy(90)
    board = answers.board(own)
    state = (await board.metrics()).prometheus
    assert state is not None
    assert (state.error, state.since) == (None, None)
    answers.away = PrometheusError(502, "unavailable", "Prometheus cannot be reached: Connection refused")
    state = (await answers.board(own).metrics()).prometheus
    assert state is not None
    assert state.error == str(answers.away)
    assert abs((state.since or 0) - time.time()) < 5
    nobody = FigureBoard(None, own, Nodes(), connected=lambda: True, waiting=lambda: 3)
    assert (await nobody.metrics()).prometheus is None
