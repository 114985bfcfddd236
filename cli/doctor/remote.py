"""The remote lane, a part of the area `workers`: why it waits, and whether its workers share their limits and books."""

from collections.abc import Mapping
from typing import Any

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import ASIDE_SECONDS, ask
from cli.doctor.place import Place

NAME = "remote lane"


def check(place: Place, findings: Findings) -> None:
    """Note what the gateway says of the lane, if there is a worker for it."""
    try:
        answer = ask(f"{place.gateway}/api/remote", token=place.token, seconds=ASIDE_SECONDS)
        if answer.status == 200:
            judge(answer.json(), findings)
    except NoAnswer as why:
        findings.unknown(NAME, f"not known: the gateway {why}", "see gateway")


def judge(said: Mapping[str, Any], findings: Findings) -> None:
    """Note why the lane waits. Raises NoAnswer."""
    try:
        state, warning = said["state"], said["warning"]
        if warning:
            findings.error(NAME, warning, "docs/remote.md#money")
        if state in ("held", "paused"):
            findings.warning(NAME, f"{state}: {said['reason']}", "framefleet remote status; docs/remote.md")
        elif state == "open" and not warning:
            findings.ok(NAME, f"{len(said['workers'])} workers, open")
    except (KeyError, TypeError):
        raise NoAnswer("answers, but not as this version's gateway does") from None
