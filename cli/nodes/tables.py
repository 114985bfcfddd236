"""Workers, producers and gateways as text."""

from collections.abc import Mapping
from typing import Any

from cli.console import size, table
from cli.dlq.tables import ago, plain

WORKERS = ("WORKER", "STATE", "LANE", "MODEL", "FPS", "BUSY", "P95", "MEMORY", "VERSION", "SINCE", "HOST")
PRODUCERS = ("PRODUCER", "STATE", "CAMERAS", "FPS", "MEMORY", "VERSION", "SINCE", "HOST")
GATEWAYS = ("GATEWAY", "STATE", "MEMORY", "VERSION", "SINCE", "HOST")
RIGHT = ("FPS", "BUSY", "P95", "MEMORY", "CAMERAS")

View = Mapping[str, Any]
OUT_OF_WORK = ("draining", "drained")
SILENT = ("lost", "unknown")


def listing(answer: View, now: float) -> str:
    """Return a table of each kind, and what is noteworthy below."""
    parts = [
        table(WORKERS, [_worker(each, now) for each in answer["items"]], right=RIGHT)
        if answer["items"]
        else "no worker is heard"
    ]
    if answer["producers"]:
        parts.append(table(PRODUCERS, [_producer(each, now) for each in answer["producers"]], right=RIGHT))
    parts.append(table(GATEWAYS, [_gateway(each, now) for each in answer["gateways"]], right=RIGHT))
    notes = [f"{plain(each['node_id'])}: {plain(lack)}" for each in answer["items"] for lack in each["lacks"]]
    notes += [
        f"{plain(each['node_id'])}: {_drained(each['drain'], now)}"
        for each in answer["items"]
        if each["drain"] and each["state"] not in OUT_OF_WORK
    ]
    notes += [
        f"{plain(each['node_id'])}: {_drained(each, now)}, and not there; it will take no frames if it comes back"
        for each in answer["absent"]
    ]
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def price(worker: View) -> str:
    """Say in numbers what draining the worker leaves."""
    without = worker["without"]
    lane, workers, capacity, load = worker["lane"], without["workers"], without["capacity"], without["load"]
    if not workers:
        return f"No other worker takes frames of the lane {lane}: {load:.1f} frames a second will wait or expire."
    remain = f"{workers} {'worker remains' if workers == 1 else 'workers remain'} in the lane {lane}"
    if capacity is None:
        return (
            f"{remain}; how much they can do is not known yet. {load:.1f} frames a second are computed now."
        )
    few = " That is too little: frames will wait or expire." if capacity < load else ""
    return f"{remain}, good for about {capacity:.1f} frames a second; {load:.1f} are computed now.{few}"


def drain_said(answer: View, name: str, now: float) -> str:
    """Say what a drain does: a worker that is not heard cannot begin with it."""
    if silence := _silence(answer, name, now):
        return f"{name} {silence}. It will finish what it has and take no more when it is back."
    return f"{name} finishes what it has and takes no more."


def undrain_said(answer: View, name: str, now: float) -> str:
    """Say what the way back does."""
    if silence := _silence(answer, name, now):
        return f"{name} {silence}. It will take frames when it is back."
    return f"{name} takes frames again."


def _silence(answer: View, name: str, now: float) -> str:
    """Why the worker does not hear of it now; empty if it does."""
    worker = next((each for each in answer["items"] if each["node_id"] == name), None)
    if worker is None:
        return "is not heard"
    if worker["state"] == "unknown":
        return "is not heard now, for the gateway itself does not hear RabbitMQ"
    return f"has not been heard for {ago(worker['last_seen'], now)}" if worker["state"] == "lost" else ""


def _worker(each: View, now: float) -> tuple[str, ...]:
    here = each["state"] not in SILENT
    return (
        plain(each["node_id"]),
        _drained(each["drain"], now, each["state"])
        if each["drain"] and each["state"] in OUT_OF_WORK
        else _state(each, now),
        each["lane"],
        plain(each["model"]),
        f"{each['fps']:.1f}" if here else "-",
        f"{each['busy']:.0%}" if here else "-",
        "-" if each["p95"] is None else f"{1000 * each['p95']:.1f} ms",
        *_process(each, now),
    )


def _producer(each: View, now: float) -> tuple[str, ...]:
    fps = "-" if each["fps"] is None else f"{each['fps']:.1f}"
    return plain(each["producer_id"]), _state(each, now), str(each["cameras"]), fps, *_process(each, now)


def _gateway(each: View, now: float) -> tuple[str, ...]:
    return plain(each["gateway_id"]), _state(each, now), *_process(each, now)


def _state(each: View, now: float) -> str:
    return f"lost {ago(each['last_seen'], now)}" if each["state"] == "lost" else str(each["state"])


def _process(each: View, now: float) -> tuple[str, ...]:
    memory, since = each["memory"], each["since"]
    return (
        "-" if memory is None else size(memory),
        plain(each["version"] or "-"),
        "-" if since is None else ago(since, now),
        plain(each["host"] or "-"),
    )


def _drained(drain: View, now: float, state: str = "drained") -> str:
    by = f" by {plain(drain['by'])}" if drain["by"] else ""
    return f"{state} {ago(drain['since'], now)} ago{by}"
