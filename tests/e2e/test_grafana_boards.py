"""Every panel of Grafana's dashboards has figures of a whole system, or is listed with the reason why it has none."""

import pytest

from deploy.grafana.boards.__main__ import BOARDS
from tests.e2e.test_overview import promql
from tests.helpers.board_lint import expressions, filled, metrics
from tests.helpers.eventually import eventually
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

FILTERED = ("> 0", "== 1")
"""Ends of expressions that show only what goes wrong. Here nothing does."""
NATURE = {
    "cv_sender_seconds_total": "no sender has a name",
    "framefleet_certificate_expiry_timestamp_seconds": "no camera has a certificate",
    "framefleet_token_expiry_timestamp_seconds": "no token ends",
    "framefleet_job_items_total": "nobody runs a job",
    "framefleet_time_on_app_seconds_bucket": "nobody has left for five minutes",
    "gateway_history_query_seconds_bucket": "nobody has asked the history",
    "gateway_logins_total": "nobody signs in all the time",
    "gateway_paint_age_seconds_bucket": "nobody looks all the time",
    "producer_frames_skipped_total": "the demo's pictures move",
    "producer_replies_missing_total": "every frame has its result",
}
"""Metrics whose series come with what they count."""


def may_be_empty(expression: str) -> bool:
    """Whether there is a reason for an expression to have no series here."""
    used = metrics(expression)
    return (
        expression.endswith(FILTERED)
        or not used.isdisjoint(NATURE)
        # There is no node exporter here, and objectives are recorded once in some minutes.
        or any(name.startswith(("node_", "slo:")) for name in used)
    )


def test_every_panel_has_figures(native: Native) -> None:
    waiting = [
        (board["uid"], title, expression)
        for board in BOARDS
        for title, expression in expressions(board)
        if not may_be_empty(expression)
    ]
    assert len(waiting) > 70

    def all_have() -> bool:
        waiting[:] = [each for each in waiting if not promql(native, filled(each[2]))]
        return not waiting

    try:
        eventually("every panel has figures", all_have, 60)
    except AssertionError:
        pytest.fail(f"no figures: {waiting}")
