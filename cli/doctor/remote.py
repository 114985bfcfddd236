"""The remote lane, a part of the area `workers`: why it waits, and whether its workers share their limits and books."""

import time
from collections.abc import Mapping
from typing import Any

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import ASIDE_SECONDS, ask
from cli.doctor.place import Place

NAME = "remote lane"
DAY = 86_400
OLD_DAYS = 90
"""After so many days providers may ask for other prices than those in a file."""
TODO = {
    "budget": "framefleet remote raise DOLLARS (--month), or wait until the next day or month",
    "operator": "framefleet remote resume, unless that is meant",
    "breaker": "look whether the endpoint is up and can be reached from there: WORKER_REMOTE_URL; it goes on by itself",
    "refused": "mend what it names: key, model, address, account; restart it after a change of settings or key",
    "books": "look at Redis and its REDIS_URL, or at the disk of WORKER_REMOTE_FOLDER; it goes on by itself",
}
"""By what holds a worker."""
OTHERWISE = "framefleet remote status; docs/remote.md"
START = "start a worker with WORKER_LANE=remote: docs/remote.md"
COMPARE = "compare WORKER_REMOTE_PRICES with what the provider asks for, and save the file again: docs/remote.md#money"


def check(place: Place, findings: Findings) -> None:
    """Note what the gateway says of the lane, if there is a worker for it."""
    try:
        answer = ask(f"{place.gateway}/api/remote", token=place.token, seconds=ASIDE_SECONDS)
        if answer.status == 200:
            judge(answer.json(), time.time(), findings)
    except NoAnswer as why:
        findings.unknown(NAME, f"not known: the gateway {why}", "see gateway")


def judge(said: Mapping[str, Any], now: float, findings: Findings) -> None:
    """Note why the lane waits, what is not shared, and prices that may be out of date. Raises NoAnswer."""
    try:
        if said["warning"]:
            findings.error(NAME, said["warning"], "docs/remote.md#money")
        state, workers = said["state"], said["workers"]
        if state == "absent" and said["waiting"]:
            findings.error(NAME, f"{said['waiting']} frames wait, and no worker takes them", START)
        elif state == "paused":
            findings.warning(NAME, f"paused: {said['reason']}", TODO["operator"])
        elif state == "held":
            findings.warning(NAME, f"held: {said['reason']}", TODO.get(workers[0]["held_by"], OTHERWISE))
        elif state == "open":
            _open(said, findings)
        for each in workers:
            _prices(each, now, findings)
    except (KeyError, TypeError, IndexError):
        raise NoAnswer("answers, but not as this version's gateway does") from None


def _open(said: Mapping[str, Any], findings: Findings) -> None:
    """Some worker takes frames: others may not."""
    held = [each for each in said["workers"] if each["state"] == "held"]
    for each in held:
        todo = TODO.get(each["held_by"], OTHERWISE)
        findings.warning(f"{NAME} of {each['node_id']}", f"held: {each['reason']}", todo)
    if not held and not said["warning"]:
        findings.ok(NAME, f"{len(said['workers'])} workers, open")


def _prices(worker: Mapping[str, Any], now: float, findings: Findings) -> None:
    changed = worker["prices_changed"]
    days = 0 if changed is None else int((now - changed) / DAY)
    if days > OLD_DAYS:
        found = f"the file was last written {days} days ago: what is booked may not be what is charged"
        findings.warning(f"prices of {worker['node_id']}", found, COMPARE)
