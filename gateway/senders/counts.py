"""How many frames came from each sender since the gateway started. Pure; `wall` is Unix time."""

from collections import Counter


class SenderCounts:
    """Results by the name of their sender."""

    def __init__(self) -> None:
        self.frames: Counter[str] = Counter()
        self.last: dict[str, float] = {}

    def add(self, sender: str, wall: float) -> None:
        """Note a result of a named sender: workers name those only that they were told of."""
        self.frames[sender] += 1
        self.last[sender] = wall
