"""Ages of frames whose capture time was written by another machine's clock.

A clock that is an hour off must neither make fresh frames look stale nor stale ones fresh. Senders that heartbeat
tell us their time directly, past the queue in which their frames wait; the smallest difference seen over the last
heartbeats is their clock's offset, to within a message's way. Of the others a delay that is plausible is believed;
one that is not (the future, or more than a minute) is taken relative to the smallest delay seen from them. Where frames
waited for somebody to take them, that is the likelier reason for a minute, and it is believed.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from math import inf

SAMPLES = 10
INSIGNIFICANT_SECONDS = 0.1  # what time synchronisation leaves; not worth correcting
PLAUSIBLE_SECONDS = 60.0
FORGET_SECONDS = 600.0
MAX_SENDERS = 20_000


@dataclass(frozen=True, slots=True)
class Age:
    """Seconds since capture, never negative; `skewed` if the sender's clock had to be corrected for."""

    seconds: float
    skewed: bool


@dataclass(slots=True)
class _Heard:
    offsets: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))


@dataclass(slots=True)
class _Delays:
    smallest: float
    seen: float


class Clocks:
    """Knows other machines' clocks. All times are Unix seconds; pure, bounded."""

    def __init__(self) -> None:
        self._heard: OrderedDict[str, _Heard] = OrderedDict()
        self._delays: OrderedDict[str, _Delays] = OrderedDict()

    def hear(self, sender: str, their_time: float, now: float) -> None:
        """A heartbeat of `sender` says that it is `their_time`."""
        heard = self._heard.setdefault(sender, _Heard())
        self._heard.move_to_end(sender)
        heard.offsets.append(now - their_time)
        _bound(self._heard)

    def age(
        self, timestamp: float, now: float, *, sender: str | None, camera_id: str, backlog: bool = False
    ) -> Age:
        """Tell the age of a frame that says it was captured at `timestamp`.

        `backlog`: it may have waited for longer than anybody has taken frames. Nothing is learnt from its delay.
        """
        delay = now - timestamp
        heard = self._heard.get(sender) if sender is not None else None
        if heard is not None:
            offset = min(heard.offsets)
            if abs(offset) < INSIGNIFICANT_SECONDS:
                return Age(max(0.0, delay), delay < -INSIGNIFICANT_SECONDS)
            return Age(max(0.0, delay - offset), True)
        if -INSIGNIFICANT_SECONDS <= delay <= (inf if backlog else PLAUSIBLE_SECONDS):
            return Age(max(0.0, delay), False)
        return Age(delay - self._smallest(sender or camera_id, delay, now), True)

    def _smallest(self, name: str, delay: float, now: float) -> float:
        known = self._delays.get(name)
        if known is None or now - known.seen > FORGET_SECONDS or delay < known.smallest:
            self._delays[name] = _Delays(delay, now)
            smallest = delay
        else:
            known.seen = now
            smallest = known.smallest
        self._delays.move_to_end(name)
        _bound(self._delays)
        return smallest


def _bound(known: "OrderedDict[str, _Heard] | OrderedDict[str, _Delays]") -> None:
    while len(known) > MAX_SENDERS:
        known.popitem(last=False)
