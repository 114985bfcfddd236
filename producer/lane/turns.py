"""Whose turn it is: cameras in line, each as often as its weight says. Pure.

Start-time fair queueing (Goyal, Vin & Cheng, SIGCOMM 1996), which is stride scheduling (Waldspurger & Weihl, MIT
1995) for clients that come and go. A turn of weight w costs 1/w of virtual time. A camera that queues up gets as its
tag the time at which its last turn is used up; the lowest tag is next, and of equal tags the one that came first. With
equal weights and every camera in line that is a plain round robin.

A camera that comes late keeps its tag unless that lies more than `GRACE` turns back (in the textbook it never keeps
it). After each turn a camera is away until its frame is computed and it has a newer one; that is not idleness, and
without grace a weight of 4 came to 2.1 (see the tests). A longer absence earns a camera nothing. While a
camera of weight w waits, another of weight v has v/w + 1 + GRACE turns at most: nobody starves, whatever the weights.
"""

import heapq
import itertools

GRACE = 2.0  # turns


class Turns:
    """A line of cameras; each stands in it once at most. Costs O(log n) a turn."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []  # tag, order of arrival, camera
        self._arrival: dict[str, int] = {}  # of those in line; entries of the heap that differ are void
        self._weight: dict[str, float] = {}  # other than 1
        self._end: dict[str, float] = {}  # virtual time at which a camera's last turn is used up
        self._time = 0.0  # virtual: the highest tag that had its turn
        self._count = itertools.count()

    def __len__(self) -> int:
        return len(self._arrival)

    def weigh(self, camera_id: str, weight: float) -> None:
        """Give the camera `weight` turns for each one of a camera of weight 1, from its next turn on."""
        if not 0 < weight < float("inf"):
            raise ValueError(f"a weight is a positive number, not {weight}")
        self._weight[camera_id] = weight

    def join(self, camera_id: str) -> None:
        """Queue up; a camera that stands in line already keeps its place."""
        if camera_id in self._arrival:
            return
        end = self._end.get(camera_id, self._time)
        tag = max(end, self._time - GRACE / self._weight.get(camera_id, 1.0))
        arrival = self._arrival[camera_id] = next(self._count)
        heapq.heappush(self._heap, (tag, arrival, camera_id))

    def take(self) -> str | None:
        """The camera whose turn it is leaves the line; None if nobody is in line."""
        while self._heap:
            tag, arrival, camera_id = heapq.heappop(self._heap)
            if self._arrival.get(camera_id) != arrival:
                continue
            del self._arrival[camera_id]
            self._time = max(self._time, tag)
            self._end[camera_id] = tag + 1 / self._weight.get(camera_id, 1.0)
            return camera_id
        return None

    def leave(self, camera_id: str) -> None:
        """Leave the line without a turn. What the last turn cost is remembered."""
        self._arrival.pop(camera_id, None)

    def forget(self, camera_id: str) -> None:
        """The camera is no longer served here."""
        for known in (self._arrival, self._weight, self._end):
            known.pop(camera_id, None)
