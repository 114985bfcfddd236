"""What this gateway keeps of what is desired of others: models, drains, the remote lane, and who may send."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.drains import DesiredDrains
from contract.models import DesiredModels
from contract.remote import DesiredRemote
from contract.senders import Senders
from contract.status import Control, NodeStatus
from gateway.desired.file import load
from gateway.drains.keeper import DrainKeeper
from gateway.drains.wish import DRAINS
from gateway.errors import BrokenSenders, WrongSetting
from gateway.models.keeper import ModelKeeper
from gateway.models.wish import MODELS
from gateway.nodes import Nodes
from gateway.remote.keeper import RemoteKeeper
from gateway.remote.wish import REMOTE
from gateway.senders.file import check
from gateway.senders.registry import SenderRegistry


@dataclass(frozen=True, slots=True)
class Keepers:
    """One for each kind. What all do, they do together here; what one alone can, is asked of it."""

    models: ModelKeeper
    drains: DrainKeeper
    remote: RemoteKeeper
    senders: SenderRegistry

    def reported(self, status: NodeStatus, now: float) -> None:
        """A node's heartbeat: one that has not heard is told at once."""
        self.models.reported(status, now)
        self.drains.reported(status, now)
        self.remote.reported(status, now)

    def examine(self, control: Control) -> None:
        """Raise ValueError for a wish that no gateway of ours said."""
        match control:
            case DesiredModels():
                self.models.examine(control)
            case DesiredDrains():
                self.drains.examine(control)
            case DesiredRemote():
                self.remote.examine(control)
            case Senders():
                check(control)

    def heard(self, control: Control, now: float) -> None:
        """Take another gateway's wish, or our own come back. `now` is monotonic."""
        match control:
            case DesiredModels():
                self.models.heard(control, now)
            case DesiredDrains():
                self.drains.heard(control, now)
            case DesiredRemote():
                self.remote.heard(control, now)
            case Senders():
                self.senders.heard(control)

    def announce(self, now: float) -> None:
        """Say all of it, for example after a reconnect."""
        for each in (self.models, self.drains, self.remote, self.senders):
            each.announce(now)

    def tick(self, now: float) -> None:
        """Repeat what it is time for, and follow the senders' file; call this once a second."""
        for each in (self.models, self.drains, self.remote, self.senders):
            each.tick(now)

    async def stop(self) -> None:
        """Finish writing."""
        for each in (self.models, self.drains, self.remote, self.senders):
            await each.stop()


def open_keepers(folder: Path, senders: Path, nodes: Nodes, announce: Callable[[Control], None]) -> Keepers:
    """Begin with what is in the files: `folder` has the desired ones', `senders` is their own. Raises WrongSetting."""
    return Keepers(
        models=ModelKeeper(folder, load(folder, MODELS), nodes, announce),
        drains=DrainKeeper(folder, load(folder, DRAINS), nodes, announce),
        remote=RemoteKeeper(folder, load(folder, REMOTE), nodes, announce),
        senders=_registry(senders, announce),
    )


def _registry(path: Path, announce: Callable[[Senders], None]) -> SenderRegistry:
    try:
        return SenderRegistry.load(path, announce)
    except BrokenSenders as error:
        raise WrongSetting(str(error)) from None
    except OSError as error:
        raise WrongSetting(
            f"the senders in {path} cannot be read: {error.strerror}; let this user read the file"
        ) from None
