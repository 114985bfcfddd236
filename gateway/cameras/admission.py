"""Which cameras are shown although no producer speaks for them: so many of each sender. Pure; `now` is monotonic.

A camera that a producer announces is always let in and counts for nobody. Others count for the sender of their results,
or, without a name, for all plain clients together. One that sent a handful of frames and no more is forgotten after ten
minutes, so that a misspelt name takes nobody's place for long.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import UNSET

from contract.result import Result

GHOST_RESULTS = 10
GHOST_SECONDS = 600.0
FORGET_SECONDS = 24 * 3600.0
BEGIN_SECONDS = 5.0
"""After the gateway's start no producer may have been heard yet: whatever comes is let in."""
ANNOUNCE_SECONDS = 5.0
"""So long after its first frame a producer may take to announce a camera, before it counts as refused."""
MAX_REFUSED = 10_000
UNNAMED = ""
"""In place of a sender's name: plain clients of the services' own user."""


@dataclass(slots=True)
class _Admitted:
    sender: str
    last: float
    results: int = 0


@dataclass(slots=True)
class _Refused:
    sender: str
    first: float
    last: float
    counted: bool = False


def sender_of(result: Result) -> str:
    """The name of the sender that a result's frame came from; UNNAMED where that has none."""
    return UNNAMED if result.sender is UNSET else result.sender


def ghost(results: int, silent: float) -> bool:
    """Whether a camera that sent so few results, and nothing for `silent` seconds, is taken for a mistake."""
    return results < GHOST_RESULTS and silent > GHOST_SECONDS


class Admission:
    """`announced(camera_id)` tells whether a producer speaks for it; `limit(sender)` how many others are let in.

    `known(sender)`: whether there is such a sender. Of one that is gone nothing more comes, and nothing is told.
    """

    def __init__(
        self,
        announced: Callable[[str], bool],
        limit: Callable[[str], int],
        known: Callable[[str], bool] = lambda _sender: True,
    ) -> None:
        self._announced = announced
        self._limit = limit
        self._known = known
        self._begin: float | None = None
        self._admitted: dict[str, _Admitted] = {}
        self._count: Counter[str] = Counter()
        self._refused: dict[str, _Refused] = {}

    def shows(self, camera_id: str, sender: str, now: float) -> bool:
        """Whether a live result of the camera, from that sender, is shown as a camera's."""
        if not self.lists(camera_id, sender, now):
            return False
        if (admitted := self._admitted.get(camera_id)) is not None:
            admitted.results += 1
        return True

    def lists(self, camera_id: str, sender: str, now: float) -> bool:
        """Whether the camera of a result that is stored, from that sender, has events and minutes of its own."""
        if self._announced(camera_id):
            return True
        if (admitted := self._admitted.get(camera_id)) is not None:
            admitted.last = now
            return True
        if self._begin is None:
            self._begin = now
        if now - self._begin > BEGIN_SECONDS and self._count[sender] >= self._limit(sender):
            self._refuse(camera_id, sender, now)
            return False
        self._admitted[camera_id] = _Admitted(sender, now)
        self._count[sender] += 1
        self._refused.pop(camera_id, None)
        return True

    def tidy(self, now: float) -> Counter[str]:
        """Forget what is gone; how many more cameras of each sender were refused since the last time."""
        for camera_id in [c for c, each in self._admitted.items() if self._over(c, each, now)]:
            self._count[self._admitted.pop(camera_id).sender] -= 1
        for camera_id in self._no_longer_left_out():
            del self._refused[camera_id]
        newly: Counter[str] = Counter()
        for camera_id, refused in list(self._refused.items()):
            if self._announced(camera_id) or now - refused.last > GHOST_SECONDS:
                del self._refused[camera_id]
            elif not refused.counted and now - refused.first > ANNOUNCE_SECONDS:
                refused.counted = True
                newly[refused.sender] += 1
        return newly

    def cameras(self, sender: str) -> int:
        """How many cameras are let in that count for the sender."""
        return self._count[sender]

    def refused(self) -> Counter[str]:
        """How many cameras of each sender are left out now."""
        return Counter(each.sender for each in self._refused.values() if each.counted)

    def notices(self) -> list[str]:
        """Say what is left out, and what to do: a sentence for each sender."""
        return [
            _notice(sender, count, self._limit(sender)) for sender, count in sorted(self.refused().items())
        ]

    def _no_longer_left_out(self) -> list[str]:
        """Cameras whose sender is gone, or has room for them now: then whichever sends comes in."""
        gone: list[str] = []
        for sender, count in Counter(each.sender for each in self._refused.values()).items():
            room = self._limit(sender) - self._count[sender] if self._known(sender) else count
            if room > 0:
                own = [
                    (each.last, camera_id)
                    for camera_id, each in self._refused.items()
                    if each.sender == sender
                ]
                gone.extend(camera_id for _, camera_id in sorted(own)[:room])
        return gone

    def _refuse(self, camera_id: str, sender: str, now: float) -> None:
        refused = self._refused.get(camera_id)
        if refused is not None:
            refused.last = now
        elif len(self._refused) < MAX_REFUSED:
            self._refused[camera_id] = _Refused(sender, now, now)

    def _over(self, camera_id: str, admitted: _Admitted, now: float) -> bool:
        silent = now - admitted.last
        if silent > FORGET_SECONDS or self._announced(camera_id):
            return True
        return admitted.sender == UNNAMED and ghost(admitted.results, silent)


def _notice(sender: str, count: int, limit: int) -> str:
    are = "cameras are" if count > 1 else "camera is"
    if sender == UNNAMED:
        return (
            f"{count:,} {are} not shown: no producer speaks for them, and GATEWAY_MAX_UNANNOUNCED_CAMERAS is "
            f"{limit:,}. Raise it, or let their sender have a name: framefleet senders add"
        )
    return (
        f"{count:,} {are} not shown that {sender} sends: it may have {limit:,}. If they are meant: framefleet senders "
        f"set {sender} --max-cameras N"
    )
