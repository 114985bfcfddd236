"""This gateway as others know it: what it says of itself on `control`, and shows of itself."""

import time
from collections.abc import Callable, Sequence

from contract.api.nodes import GatewayView
from contract.status import WatchAnnouncement
from runtime.memory import resident_bytes
from runtime.version import VERSION


class Myself:
    """Named `gateway_id`, on the machine `host`; it begins when it is made.

    `motion`: it may want frames that show motion and no face.
    """

    def __init__(self, gateway_id: str, host: str, motion: bool = False) -> None:
        self._gateway_id = gateway_id
        self._motion = motion
        self._host = host
        self._since = time.time()

    def announcement(self, camera_ids: list[str], frames: Sequence[str] = ()) -> WatchAnnouncement:
        """The cameras whose pictures it wants, the frames that it wants once, and who wants them."""
        return WatchAnnouncement(
            gateway_id=self._gateway_id,
            cameras=camera_ids,
            frames=list(frames),
            since=self._since,
            version=VERSION,
            host=self._host,
            memory=resident_bytes(),
            motion=self._motion,
        )

    def view(self, missing: Callable[[], list[str]]) -> GatewayView:
        """What it shows of itself; `missing` tells what it lacks."""
        return GatewayView(
            gateway_id=self._gateway_id,
            own=True,
            state="running",
            since=self._since,
            last_seen=time.time(),
            version=VERSION,
            host=self._host,
            memory=resident_bytes(),
            missing=missing(),
        )
