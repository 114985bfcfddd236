"""The desired drains of this gateway, by `gateway.desired`."""

from collections.abc import Callable
from pathlib import Path

from contract.drains import DesiredDrains, NodeDrain
from gateway.desired.keeper import Keeper
from gateway.drains.wish import DRAINS, drained, undrained
from gateway.nodes import Nodes


class DrainKeeper(Keeper[DesiredDrains]):
    """Keeps them; `nodes` learns which workers are meant to be out of work."""

    def __init__(
        self, folder: Path, desired: DesiredDrains, nodes: Nodes, announce: Callable[[DesiredDrains], None]
    ) -> None:
        def taken(held: DesiredDrains) -> None:
            nodes.drains = held.nodes

        super().__init__(DRAINS, folder, desired, nodes, announce, taken)

    async def drain(self, node_id: str, drain: NodeDrain) -> DesiredDrains:
        """Desire that the worker takes no frames. Raises CannotKeep, NotHeardYet, TooManyDrains."""
        return await self.change(lambda desired: drained(desired, node_id, drain), drained=node_id)

    async def undrain(self, node_id: str) -> DesiredDrains:
        """Desire that the worker takes frames again. Raises CannotKeep, NotHeardYet."""
        return await self.change(lambda desired: undrained(desired, node_id), undrained=node_id)
