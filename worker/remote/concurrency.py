"""How many calls may be under way at once: halved when the endpoint asks for less, and growing again."""

import asyncio


class Concurrency:
    """Slots for calls, at most `most`. Lives on one event loop.

    After a cut it grows by one with each answer, until one below where it was cut: so far the endpoint was content.
    From there on by one for each round of answers, as something that nobody has tried of late.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = most
        self.running = 0
        self._known = most  # up to here it grows fast
        self._answered = 0
        self._cut = 0  # calls that began before the last cut tell nothing new
        self._begun = 0
        self._freed = asyncio.Event()

    async def take(self) -> int:
        """Wait for a slot; the returned ticket goes into `throttled`. Give it back by `give_back`."""
        while self.running >= self.limit:
            self._freed.clear()
            await self._freed.wait()
        self.running += 1
        self._begun += 1
        return self._begun

    def give_back(self) -> None:
        """A call is over."""
        self.running -= 1
        self._freed.set()

    def throttled(self, ticket: int) -> None:
        """The endpoint wants fewer calls: half as many, once for all that were under way together."""
        if ticket > self._cut:
            self._known = self.limit - 1
            self.limit = max(1, self.limit // 2)
            self._cut, self._answered = self._begun, 0

    def succeeded(self) -> None:
        """A call was answered."""
        self._answered += 1
        if self.limit < self._most and (self.limit < self._known or self._answered >= self.limit):
            self.limit += 1
            self._answered = 0
            self._freed.set()
