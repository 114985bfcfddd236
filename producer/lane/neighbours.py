"""The other producers that fill the same lanes, as their heartbeats tell of them. Pure: `now` is monotonic seconds.

Producers that share a queue see the same delay. So that a camera gets the same of each, whoever serves it and however
many cameras that one has, all windows together grow at one rate, each by the share of its cameras' weight, and all are
cut by the same proportion. That comes to shares by weight within seconds (Chiu & Jain, "Analysis of the increase and
decrease algorithms for congestion avoidance in computer networks", Computer Networks and ISDN Systems 17, 1989).
"""

from collections.abc import Hashable, Mapping

from contract.status import LaneLoad

GROWTH = 0.1
"""Per round trip, of all windows of a lane together. A round trip is little more than the time that frames wait, so
this is also by how much that overshoots its target."""
FORGOTTEN_AFTER = 10.0  # seconds without a heartbeat


class Neighbours:
    """Knows the other producers. Feed it their heartbeats."""

    def __init__(self) -> None:
        self._heard: dict[Hashable, tuple[float, Mapping[str, LaneLoad]]] = {}

    def heard(self, producer: Hashable, lanes: Mapping[str, LaneLoad], now: float) -> None:
        """Another producer says how it fills its lanes."""
        self._heard[producer] = now, lanes

    def left(self, producer: Hashable) -> None:
        """Another producer said that it stops."""
        self._heard.pop(producer, None)

    def gain(self, lane: str, own: LaneLoad, now: float) -> float:
        """Frames by which our window of this lane grows in a round trip."""
        self._heard = {p: told for p, told in self._heard.items() if now - told[0] <= FORGOTTEN_AFTER}
        others = [lanes[lane] for _, lanes in self._heard.values() if lane in lanes]
        windows = own.window + sum(load.window for load in others)
        weights = own.weight + sum(load.weight for load in others)
        return GROWTH * windows * (own.weight / weights if weights else 1.0)
