"""The remote lane as text."""

from collections.abc import Mapping
from typing import Any

from cli.console import table
from cli.dlq.tables import plain

WORKERS = ("WORKER", "STATE", "ENDPOINT", "MODEL", "AT ONCE", "CALLS", "ERRORS")
SPENT = ("PERIOD", "SPENT", "UNCERTAIN", "RESERVED", "BUDGET", "RAISED", "CALLS", "FRAMES")


def said(view: Mapping[str, Any]) -> str:
    """Return its state, why, and tables of the money and of the workers."""
    waiting = "an unknown number of" if view["waiting"] is None else str(view["waiting"])
    parts = [
        f"{view['state']}, {waiting} frames wait" + (f": {plain(view['reason'])}" if view["reason"] else "")
    ]
    periods = [period for period in (view["day"], view["month"]) if period]
    if periods:
        parts.append(table(SPENT, [_period(each, view["raised"]) for each in periods], right=SPENT[1:]))
    if view["workers"]:
        parts.append(table(WORKERS, [_worker(each) for each in view["workers"]], right=WORKERS[4:]))
    if view["warning"]:
        parts.append(f"WARNING: {plain(view['warning'])}")
    if view["warned"]:
        parts.append("more than the warning threshold (WORKER_REMOTE_WARN) was spent this month")
    return "\n".join(parts)


def _period(period: Mapping[str, Any], raised: Mapping[str, float]) -> tuple[str, ...]:
    limit, more = period["limit"], raised.get(period["period"], 0.0)
    return (
        plain(period["period"]),
        f"${period['spent']:,.4f}",
        f"${period['uncertain']:,.4f}",
        f"${period['reserved']:,.4f}",
        "none" if limit is None else f"${limit:,.2f}",
        f"${more:,.2f}" if more else "",
        str(period["calls"]),
        str(period["frames"]),
    )


def _worker(worker: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        plain(worker["node_id"]),
        plain(worker["held_by"] or worker["state"]),
        plain(worker["endpoint"]),
        plain(worker["model"]),
        str(worker["concurrency"]),
        str(worker["calls"]),
        str(worker["errors"]),
    )
