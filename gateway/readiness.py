"""Whether the gateway can do its work, and what it lacks."""

from broker.link import Link
from gateway.history.database import Database
from gateway.history.recorder import Recorder


class Readiness:
    """Looks at the link to RabbitMQ and at the history. May be asked from any thread."""

    def __init__(self, link: Link, recorder: Recorder, database: Database) -> None:
        self._link = link
        self._recorder = recorder
        self._database = database

    def missing(self) -> list[str]:
        """What the gateway lacks to do its work, one sentence each."""
        lacks = self._link.missing()
        if self._recorder.trouble:
            lacks.append(f"history: {self._recorder.trouble}")
        elif not self._database.opened:
            lacks.append("history: it is being opened")
        return lacks
