"""What was seen and is not counted yet: each visitor once a minute, and no more than there is room for. Pure."""

from gateway.attendance.identities import Seen, Visitor

MAX_VISITORS = 10_000


class Batch:
    """Visitors by minute. `most` bounds all of them together."""

    def __init__(self, most: int = MAX_VISITORS) -> None:
        self._most = most
        self._size = 0
        self.minutes: dict[int, set[Visitor]] = {}
        self.lost = 0

    def add(self, minute: int, visitor: Seen) -> bool:
        """Note a visitor. Returns whether there is no room for more. Costs less than a microsecond."""
        seen = self.minutes.get(minute)
        if seen is None:
            seen = self.minutes[minute] = set()
        if visitor in seen:
            return False
        if self._size >= self._most:
            self.lost += 1
            return True
        seen.add(Visitor(*visitor))
        self._size += 1
        return self._size >= self._most

    def __len__(self) -> int:
        """Return how many there are."""
        return self._size
