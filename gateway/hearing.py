"""Whether the gateway hears the broker: who hears nobody says nothing of others. Pure; `now` is monotonic seconds.

A broker that stands still keeps its connections, and heartbeats tell of it after eight seconds. By then every node
and producer would have been given up as silent. The broker answers questions every two seconds: where it does not, the
silence is the gateway's own.
"""

from collections.abc import Callable

from contract.status import LOST_AFTER_SECONDS

DEAF_AFTER_SECONDS = LOST_AFTER_SECONDS - 2.0
"""Two answers missing."""
SETTLES_SECONDS = 10.0
"""Whoever lost the broker with the gateway is back and heard by then."""
NO_BROKER = "the gateway has no broker"
NOT_YET = "not heard yet since the gateway has its broker again"


class Hearing:
    """`answered()` tells when the broker last answered; before it ever did, nobody is known who could be blamed."""

    def __init__(self, answered: Callable[[], float]) -> None:
        self._answered = answered
        self._was_deaf = False
        self._back = float("-inf")

    def deaf(self, now: float) -> bool:
        """Whether the broker tells the gateway nothing."""
        answered = self._answered()
        if answered == float("-inf"):
            return False
        if now - answered > DEAF_AFTER_SECONDS:
            self._was_deaf = True
        elif self._was_deaf:
            self._was_deaf, self._back = False, now
        return self._was_deaf

    def until(self, now: float) -> float:
        """Until when somebody's silence is their own: the broker's last answer.

        Whoever was heard two seconds before a broker stood still would be overdue before the broker is.
        """
        return min(now, self._answered())

    def settled(self, now: float) -> bool:
        """Whether a silence is that of others: the broker answers, and has for a while."""
        return not self.deaf(now) and now - self._back > SETTLES_SECONDS

    def missing(self, now: float) -> list[str]:
        """What is lacking, as a sentence of /readyz."""
        return ["RabbitMQ: the broker has stopped answering"] if self.deaf(now) else []


UNBROKEN = Hearing(lambda: float("inf"))
"""That of somebody who needs no broker."""
