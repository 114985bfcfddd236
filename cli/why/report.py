"""The answer to why, for people and scripts."""

from typing import Any

from cli.dlq.tables import plain
from cli.why.logs import LogWord
from gateway.times import written

STATUSES = {
    "computed": 0,
    "unknown": 3,
    "expired": 4,
    "dead_lettered": 4,
    "retried_waiting": 4,
    "repeated": 4,
}
"""Exit statuses by verdict; 1 and 2 are the command's own failure and misuse."""
PLACES = {
    "history": "history",
    "dead_letters": "dead letters",
    "camera": "camera",
    "queues": "queues",
    "metrics": "Prometheus",
    "logs": "logs",
}
WAITS = "It failed, and waits for another attempt: the last line of the logs on it says why."


def with_logs(answer: dict[str, Any], logs: LogWord) -> dict[str, Any]:
    """Add what the logs say; they alone tell that a frame waits for another attempt."""
    witness = {"place": "logs", "state": logs.state, "words": logs.words}
    told = {**answer, "witnesses": [*answer["witnesses"], witness], "logs": list(logs.lines)}
    if answer["verdict"] == "unknown" and logs.waits:
        told |= {"verdict": "retried_waiting", "words": WAITS, "reason": "retried", "remedy": None}
    return told


def report(answer: dict[str, Any]) -> str:
    """The answer in lines."""
    lines = [
        f"{plain(str(answer['frame_id']))}: {plain(str(answer['verdict']).replace('_', ' '))}",
        plain(str(answer["words"])),
    ]
    if answer.get("reason"):
        lines.append(f"  reason  {plain(str(answer['reason']))}")
    if answer.get("remedy"):
        lines.append(f"  remedy  {plain(str(answer['remedy']))}")
    if hops := answer["hops"]:
        lines += ["", "its way", *(_hop(hop) for hop in hops)]
    lines += ["", "who was asked"]
    lines += [
        f"  {PLACES.get(each['place'], plain(str(each['place']))):<13} {plain(str(each['words']))}"
        for each in answer["witnesses"]
    ]
    lines += [f"    {plain(line)}" for line in answer.get("logs", [])]
    return "\n".join(lines)


def _hop(hop: dict[str, Any]) -> str:
    seconds = hop.get("seconds")
    age = "" if seconds is None else f"{seconds:.3f} s"
    when = "-" if hop.get("time") is None else written(float(hop["time"]))
    by = f"  by {plain(str(hop['node_id']))}" if hop.get("node_id") else ""
    detail = f"  {plain(str(hop['detail']))}" if hop.get("detail") else ""
    return f"  {plain(str(hop['hop']).replace('_', ' ')):<13}{age:>12}  {when}{by}{detail}"
