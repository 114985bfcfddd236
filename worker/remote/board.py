"""What the remote lane computes with, as heartbeats and metrics name it: the switchboard of a worker with no models."""

import hashlib
from collections.abc import Callable

from contract.models import DesiredModels
from contract.topology import Lane
from worker.detection.detector import Named
from worker.remote.given import Remote
from worker.remote.request import FORM, PROMPT
from worker.remote.settings import RemoteSettings
from worker.switchboard import Routes

NOT_HERE = "the remote lane's model is chosen by WORKER_REMOTE_MODEL, not by a switch"


class RemoteModel(Named):
    """A model behind an endpoint. Its digest is that of what it is asked: nobody knows that of its weights."""

    def __init__(self, name: str, prompt: str) -> None:
        asked = hashlib.sha256(f"{prompt or PROMPT}\n{FORM}".encode()).hexdigest()
        self.name = name
        self.model = f"{name}@{asked[:8]}"


class RemoteBoard:
    """Has one model for all frames; `remote` is what the engine is given."""

    def __init__(self, settings: RemoteSettings, remote: Remote) -> None:
        self.remote = remote
        self._changed: Callable[[], None] = lambda: None
        self.routes: Routes[Named] = Routes(RemoteModel(settings.remote_model, settings.remote_prompt))

    def start(self, changed: Callable[[], None]) -> None:
        """Call `changed` after each change, from now on."""
        self._changed = changed

    def hear(self, desired: DesiredModels) -> None:
        """Take what operators desire of models, which is nothing that this lane could do."""
        if desired.revision > self.routes.revision:
            error = NOT_HERE if Lane.REMOTE.value in desired.lanes else None
            self.routes = Routes(self.routes.default, revision=desired.revision, error=error)
            self._changed()

    def stop(self) -> None:
        """Nothing runs."""

    def choose(self, _model: str | None, _camera_id: str) -> Named:
        """The one model; a task cannot choose what others pay for."""
        return self.routes.default
