"""Who may have how many WebSockets: an address, a token, and all together. Pure.

Where there is no room, a seat of the token that has the most of them is taken from it for one that has fewer; within a
token the sessions share in the same way. So nobody keeps others out by having come first.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.security.guesses import network_of

Refused = Literal["token", "address", "full"]


@dataclass(frozen=True, slots=True, eq=False)
class ViewerSeat:
    """One client: its token and its session (a program's is the token again), its address, and how to end it.

    `address` is empty for clients that are not counted by address.
    """

    token: str
    session: str
    address: str
    end: Callable[[], None]


class ViewerSeats:
    """All clients. A limit of 0 means none."""

    def __init__(self, limit: int, per_address: int, per_token: int) -> None:
        self._limit = limit
        self._per_address = per_address
        self._per_token = per_token
        self._taken: dict[ViewerSeat, str] = {}  # and the address, or its network
        self._of_address: Counter[str] = Counter()
        self._of_token: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many are taken."""
        return len(self._taken)

    def take(self, seat: ViewerSeat) -> Refused | None:
        """Take a seat, if need be from who has most; or return which limit is reached."""
        network = network_of(seat.address) if seat.address else ""
        if self._per_token and self._of_token[seat.token] >= self._per_token:
            return "token"
        if network and self._per_address and self._of_address[network] >= self._per_address:
            neighbours = [other for other, where in self._taken.items() if where == network]
            if not self._make_room(neighbours, seat):
                return "address"
        if self._limit and len(self._taken) >= self._limit and not self._make_room(self._taken, seat):
            return "full"
        self._taken[seat] = network
        self._of_token[seat.token] += 1
        if network:
            self._of_address[network] += 1
        return None

    def leave(self, seat: ViewerSeat) -> None:
        """Free the seat. May be called again."""
        network = self._taken.pop(seat, None)
        if network is None:
            return
        _decrease(self._of_token, seat.token)
        if network:
            _decrease(self._of_address, network)

    def _make_room(self, among: Iterable[ViewerSeat], asking: ViewerSeat) -> bool:
        """Take one of these from the token, or else the session, that would still have as many as the asking one."""
        seats = list(among)
        token = _richest([seat.token for seat in seats], asking.token)
        if token is not None:
            seats = [seat for seat in seats if seat.token == token]
            session: str | None = Counter(seat.session for seat in seats).most_common(1)[0][0]
        else:
            seats = [seat for seat in seats if seat.token == asking.token]
            session = _richest([seat.session for seat in seats], asking.session)
        if session is None:
            return False
        last = next(seat for seat in reversed(seats) if seat.session == session)
        self.leave(last)
        last.end()
        return True


def _richest(holders: Sequence[str], asking: str) -> str | None:
    """The one with most, if it has more than the asking one would have with one more."""
    counts = Counter(holders)
    if not counts:
        return None
    richest, most = counts.most_common(1)[0]
    return richest if most > counts[asking] + 1 else None


def _decrease(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
