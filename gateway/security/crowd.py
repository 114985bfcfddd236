"""Who holds how many connections. Pure: keys are addresses, or for IPv6 networks (`guesses.network_of`)."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable

from gateway.security.guesses import network_of


class Shares:
    """What each address holds of something. `limit` 0: as much as it likes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        """Take one more; False if the address has its share already."""
        key = network_of(address)
        if self._limit and self._held[key] >= self._limit:
            return False
        self._held[key] += 1
        return True

    def give_back(self, address: str) -> None:
        """Count one less of an address."""
        key = network_of(address)
        self._held[key] -= 1
        if self._held[key] <= 0:
            del self._held[key]

    def __len__(self) -> int:
        """Return how many addresses hold something."""
        return len(self._held)


class Crowd:
    """All open connections, each with its address. `spared(address)`: whose are judged elsewhere or not at all.

    When there is no more room, the connection that has been idle for longest makes it: one that asks for nothing, or
    has not yet sent a whole request. So those that hold connections open cannot keep out those that use them.
    """

    def __init__(self, limit: int, per_address: int, spared: Callable[[str], bool]) -> None:
        self._limit = limit
        self._shares = Shares(per_address)
        self.spared = spared
        self._open: dict[Hashable, str | None] = {}
        self._idle: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()

    def admit(self, connection: Hashable, address: str) -> str | None:
        """Count a connection in, or return why not: `address` has too many, or there are too many `connections`."""
        counted = not self.spared(address)
        if counted and not self._shares.take(address):
            return "address"
        if len(self._open) >= self._limit:
            if not self._idle:
                if counted:
                    self._shares.give_back(address)
                return "connections"
            oldest, evict = next(iter(self._idle.items()))
            self.leave(oldest)
            evict()
        self._open[connection] = address if counted else None
        return None

    def leave(self, connection: Hashable) -> None:
        """Forget a connection that is gone."""
        self._idle.pop(connection, None)
        address = self._open.pop(connection, None)
        if address is not None:
            self._shares.give_back(address)

    def idle(self, connection: Hashable, evict: Callable[[], None]) -> None:
        """Note that the connection asks for nothing now; `evict` would end it at once."""
        if connection in self._open and connection not in self._idle:
            self._idle[connection] = evict

    def busy(self, connection: Hashable) -> None:
        """Note that the connection has asked for something."""
        self._idle.pop(connection, None)

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)
