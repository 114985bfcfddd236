"""How many cameras a sender uses in a day: names cost memory and rows wherever results go."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from contract.senders import Sender

DAY_SECONDS = 86_400.0


class CameraQuota:
    """Knows the cameras that each sender has used within a day, at most as many as it may. Each worker has its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[str, OrderedDict[str, float]] = {}

    def admit(self, sender: Sender, camera_id: str) -> bool:
        """Tell whether the sender may use that camera, and remember that it does."""
        now = self._clock()
        used = self._used.setdefault(sender.name, OrderedDict())
        while used and next(iter(used.values())) <= now - DAY_SECONDS:
            used.popitem(last=False)
        if camera_id not in used and len(used) >= sender.max_cameras:
            return False
        used[camera_id] = now
        used.move_to_end(camera_id)
        return True

    def keep(self, senders: Collection[str]) -> None:
        """Forget all senders but these."""
        self._used = {name: used for name, used in self._used.items() if name in senders}
