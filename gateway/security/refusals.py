"""What a token is refused because it has had its share: counted each time, told once a minute."""

import time
from collections import OrderedDict

from gateway.metrics import GatewayMetrics
from gateway.security.holders import Holders, levels
from runtime.logs import get_logger

log = get_logger("gateway")

TELL_SECONDS = 60.0
MAX_REMEMBERED = 1_000


class Refusals:
    """Counts in `gateway_refused_total`, and writes which token it is."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._refused = metrics.refused
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    def note(self, reason: str, holders: Holders, count: int = 1) -> None:
        """Note that something, or `count` of it, was refused; `reason` is the word of the metric."""
        self._refused.labels(reason).inc(count)
        token, _ = levels(holders)
        now, key = time.monotonic(), (reason, token)
        if now - self._told.get(key, float("-inf")) < TELL_SECONDS:
            return
        self._told[key] = now
        self._told.move_to_end(key)
        if len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
        log.warning(
            "a token asks for more than its share, and waits or goes without; said once a minute",
            reason=reason,
            holder=token,
        )
