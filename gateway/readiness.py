"""Whether the gateway can do its work, and what it lacks."""

import time

from broker.link import Link
from gateway.hearing import Hearing
from gateway.history.database import Database
from gateway.history.recorder import Recorder


class Readiness:
    """Looks at the link to RabbitMQ and at the history. May be asked from any thread."""

    def __init__(self, link: Link, hearing: Hearing, recorder: Recorder, database: Database) -> None:
        self._link = link
        self._hearing = hearing
        self._recorder = recorder
        self._database = database

    def missing(self) -> list[str]:
        """What the gateway lacks to do its work, one sentence each."""
        # A broker that stands still is told of before the link gives it up.
        lacks = self._link.missing() or self._hearing.missing(time.monotonic())
        if self._recorder.trouble:
            lacks.append(f"history: {self._recorder.trouble}")
        elif not self._database.opened:
            lacks.append("history: it is being opened")
        return lacks
