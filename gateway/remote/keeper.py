"""What this gateway desires of the remote lane, by `gateway.desired`."""

from collections.abc import Callable
from pathlib import Path

from contract.remote import DesiredRemote
from gateway.desired.keeper import Keeper
from gateway.nodes import Nodes
from gateway.remote.wish import REMOTE, paused, raised


class RemoteKeeper(Keeper[DesiredRemote]):
    """Keeps it, and tells the workers."""

    def __init__(
        self, folder: Path, desired: DesiredRemote, nodes: Nodes, announce: Callable[[DesiredRemote], None]
    ) -> None:
        super().__init__(REMOTE, folder, desired, nodes, announce, lambda held: None)

    async def pause(self, on: bool) -> DesiredRemote:
        """Pause the lane, or let it go on. Raises CannotKeep, NotHeardYet."""
        return await self.change(lambda desired: paused(desired, on), paused=on)

    async def add(self, period: str, dollars: float) -> DesiredRemote:
        """Raise the budget of a day or month. Raises CannotKeep, NotHeardYet."""
        return await self.change(
            lambda desired: raised(desired, period, dollars), period=period, dollars=dollars
        )
