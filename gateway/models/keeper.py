"""The desired models of this gateway, by `gateway.desired`."""

import time
from collections.abc import Callable
from pathlib import Path

from contract.api.models import ModelSwitchView
from contract.models import DesiredModels
from contract.topology import Lane
from gateway.desired.keeper import Keeper
from gateway.models.wish import MODELS, newest_switch, switched
from gateway.nodes import Nodes


class ModelKeeper(Keeper[DesiredModels]):
    """Keeps them; `nodes` learns which revision settles it. `last` is what was switched last, since the start."""

    def __init__(
        self, folder: Path, desired: DesiredModels, nodes: Nodes, announce: Callable[[DesiredModels], None]
    ) -> None:
        self.last: ModelSwitchView | None = None
        before = desired

        def taken(held: DesiredModels) -> None:
            nonlocal before
            self.last = newest_switch(before, held, time.time()) or self.last
            before = held
            nodes.revision = held.revision

        super().__init__(MODELS, folder, desired, nodes, announce, taken)

    async def switch(
        self, spec: str | None, *, lane: Lane | None = None, camera_id: str | None = None
    ) -> DesiredModels:
        """Desire another model for the camera, the lane, or else the cluster (None: none).

        Raises CannotKeep, NotHeardYet, TooManyCameras.
        """
        return await self.change(
            lambda desired: switched(desired, spec, lane=lane, camera_id=camera_id),
            model=spec,
            lane=lane,
            camera_id=camera_id,
        )
