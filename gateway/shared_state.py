"""Whether several gateways share what they can share: counts of viewers, links, sign-outs, limits of logins."""

import time
from typing import TYPE_CHECKING

from gateway.attendance.register import AttendanceRegister
from gateway.consumers import Gateways

if TYPE_CHECKING:  # the client of Redis costs time at start
    from gateway.security.shared_logins import SharedLogins

ALONE = "other gateways are heard, and REDIS_URL is not set"


class SharedState:
    """May be asked from any thread. `logins`: None where Redis, or authentication, is not used."""

    def __init__(
        self, redis_url: str, gateways: Gateways, register: AttendanceRegister, logins: "SharedLogins | None"
    ) -> None:
        self._wanted = bool(redis_url)
        self._gateways = gateways
        self._register = register
        self._logins = logins

    def trouble(self) -> str:
        """Say why it is not shared; empty while it is, or where nothing is to be."""
        if not self._wanted:
            return ALONE if self._gateways.live(time.monotonic()) > 1 else ""
        return self._register.trouble or (self._logins.trouble if self._logins is not None else "")

    def notes(self) -> list[str]:
        """What works less well than it should, while the gateway does its work all the same."""
        trouble = self.trouble()
        return (
            [f"counts viewers, makes links, signs out and limits logins alone: {trouble}"] if trouble else []
        )

    def figure(self) -> float | None:
        """1 while it is shared, 0 while it is not, None where it is not to be."""
        return float(not self.trouble()) if self._wanted else None
