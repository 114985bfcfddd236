"""Whether the gateway can do its work, and what it lacks."""

import time
from collections.abc import Callable

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
        self.alone: Callable[[], str] = lambda: ""
        """Says why what gateways share is not shared; empty while it is, or where nothing is to be."""

    def notes(self) -> list[str]:
        """What works less well than it should, while the gateway does its work all the same."""
        alone = self.alone()
        return [f"counts viewers, makes links, signs out and limits logins alone: {alone}"] if alone else []

    def missing(self) -> list[str]:
        """What the gateway lacks to do its work, one sentence each."""
        # A broker that stands still is told of before the link gives it up.
        lacks = self._link.missing() or self._hearing.missing(time.monotonic())
        if self._recorder.trouble:
            lacks.append(f"history: {self._recorder.trouble}")
        elif not self._database.opened:
            lacks.append("history: it is being opened")
        return lacks
