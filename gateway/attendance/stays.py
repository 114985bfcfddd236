"""How long sessions stay: from the first visitor to the last one before a pause. Pure; `wall` is Unix seconds."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.attendance_figures import Device

MAX_STAYS = 50_000


@dataclass(slots=True)
class _Stay:
    device: Device
    first: float
    last: float
    names: tuple[bytes, ...]


class Stays:
    """Sessions that are here, by their digests. `observe(device, seconds)` is told of each that has ended."""

    def __init__(self, pause: float, observe: Callable[[Device, float], None], most: int = MAX_STAYS) -> None:
        self._pause = pause
        self._observe = observe
        self._most = most
        self._stays: OrderedDict[bytes, _Stay] = OrderedDict()

    def seen(self, names: Sequence[bytes], device: Device, wall: float) -> None:
        """Note a session that was seen. Around midnight it has two names: by the second it is known tomorrow."""
        stay = next((found for name in names if (found := self._stays.get(name)) is not None), None)
        if stay is not None and not 0 <= wall - stay.last < self._pause:
            self._end(stay)
            stay = None
        if stay is None:
            stay = _Stay(device, wall, wall, ())
        stay.last = wall
        known = tuple(dict.fromkeys((*stay.names, *names)))
        for name in known[:-2]:
            self._stays.pop(name, None)
        stay.names = known[-2:]
        for name in stay.names:
            self._stays[name] = stay
            self._stays.move_to_end(name)
        while len(self._stays) > self._most:
            self._end(next(iter(self._stays.values())))

    def end_silent(self, wall: float) -> None:
        """End those that were not seen for so long; and all that a clock which was set back has seen in the future."""
        while self._stays:
            oldest = next(iter(self._stays.values()))
            if 0 <= wall - oldest.last < self._pause:
                return
            self._end(oldest)

    def end_all(self) -> None:
        """End all: the gateway stops."""
        while self._stays:
            self._end(next(iter(self._stays.values())))

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._stays)

    def _end(self, stay: _Stay) -> None:
        for name in [name for name in stay.names if self._stays.get(name) is stay]:
            del self._stays[name]
        self._observe(stay.device, max(0.0, stay.last - stay.first))
