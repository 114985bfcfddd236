"""The part of the services' logs that the operator sees on the terminal: warnings and errors, each of them once."""

import json
import re
import time
from collections.abc import Callable

LEVELS = {"warning": "warning", "warn": "warning", "error": "error", "critical": "error", "fatal": "error"}
NOT_DETAILS = {"event", "level", "service", "timestamp", "exception", "logger", "node_id"}
QUIET_SECONDS = 30.0
LONGEST = 600
LOGFMT = re.compile(r'\blevel=(\w+).*?\bmsg="((?:[^"\\]|\\.)*)"(?:.*?\berr="((?:[^"\\]|\\.)*)")?')


def notice(line: str) -> str | None:
    """The sentence of a log line that the operator should see, or None. Reads our JSON and Prometheus's logfmt."""
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            return None
        level = LEVELS.get(str(event.get("level", "")).lower())
        if level is None:
            return None
        details = [f"{key}={value}" for key, value in event.items() if key not in NOT_DETAILS]
        text = f"{event.get('event', '')} {' '.join(details)}".strip()
    else:
        found = LOGFMT.search(line)
        level = LEVELS.get(found[1].lower()) if found else None
        if found is None or level is None:
            return None
        text = f"{found[2]}: {found[3]}" if found[3] else found[2]
    return f"{level}: {text}"[:LONGEST]


class Repetitions:
    """A filter that lets a notice through once in a while, however often a service says it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, float] = {}

    def is_new(self, text: str) -> bool:
        """Return whether `text`, numbers aside, is new within the last half minute."""
        now = self._clock()
        self._seen = {key: when for key, when in self._seen.items() if now - when < QUIET_SECONDS}
        key = re.sub(r"\d+", "0", text)
        if key in self._seen:
            return False
        self._seen[key] = now
        return True
