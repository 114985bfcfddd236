"""How much of something a holder may have in a while: so much a second, and so much at once after a rest. Pure."""

from collections import OrderedDict

from gateway.security.holders import Holders, levels

MAX_REMEMBERED = 10_000


class Allowance:
    """What each token and each session has used. `per_second` and `at_once` hold for a session; a token has `sessions`
    times as much. `now` is monotonic seconds."""

    def __init__(self, per_second: float, at_once: float, sessions: int = 4) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._sessions = sessions
        self._free_at: OrderedDict[Holders, float] = OrderedDict()  # when all that was used is made up for

    def use(self, holders: Holders, amount: float, now: float) -> float:
        """Use so much, and return for how many seconds to wait before it is done."""
        return max(0.0, *(self._use(holder, part, now) for holder, part in self._parts(holders, amount)))

    def book(self, holders: Holders, amount: float, now: float) -> float:
        """Use so much if nothing need be waited for; else use nothing, and return for how many seconds to wait."""
        wait = max(0.0, *(self._over(holder, part, now) for holder, part in self._parts(holders, amount)))
        return wait or self.use(holders, amount, now)

    # --- inside ------------------------------------------------------------------------------------------

    def _parts(self, holders: Holders, amount: float) -> tuple[tuple[Holders, float], ...]:
        token, session = levels(holders)
        return ((token,), amount / self._sessions), ((token, session), amount)

    def _over(self, holder: Holders, amount: float, now: float) -> float:
        made_up = max(now, self._free_at.get(holder, now)) + amount / self._per_second
        return max(0.0, made_up - now - self._at_once / self._per_second)

    def _use(self, holder: Holders, amount: float, now: float) -> float:
        over = self._over(holder, amount, now)
        self._free_at[holder] = max(now, self._free_at.pop(holder, now)) + amount / self._per_second
        if len(self._free_at) > MAX_REMEMBERED:
            self._free_at.popitem(last=False)
        return over
