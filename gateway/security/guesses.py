"""How often somebody may be wrong. Pure: time is an argument (`wall`, Unix seconds), memory is bounded.

An IPv6 customer has at least a /64, and so the whole network counts as one address.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.errors import TooManyGuesses

PER_ADDRESS = 10
IN_ALL = 600
"""Many addresses together: ten a second are no accident."""
WINDOW_SECONDS = 60.0
MAX_ADDRESSES = 10_000


@dataclass(slots=True)
class _Tries:
    begin: float
    wrong: set[bytes] = field(default_factory=set)
    count: int = 0
    told: bool = False

    def over(self, wall: float) -> bool:
        return not 0 <= wall - self.begin < WINDOW_SECONDS


class Guesses:
    """Counts different wrong secrets: a program that repeats one wrong token guesses nothing."""

    def __init__(self, per_address: int = PER_ADDRESS, in_all: int = IN_ALL) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._together = _Tries(0.0)

    def check(self, address: str, wall: float) -> None:
        """Raises TooManyGuesses if this address guesses, or if everybody does and this one has never been right."""
        key = network_of(address)
        tries = self._tries.get(key)
        if tries is not None and not tries.over(wall) and len(tries.wrong) >= self._per_address:
            raise _limited(tries)
        together = self._together
        if key not in self._known and not together.over(wall) and together.count >= self._in_all:
            raise _limited(together)

    def wrong(self, address: str, secret: str, wall: float) -> bool:
        """Count a wrong secret; return whether it is a new one of this address."""
        key = network_of(address)
        tries = self._tries.get(key)
        if tries is None or tries.over(wall):
            tries = self._tries[key] = _Tries(wall)
        self._tries.move_to_end(key)
        if len(self._tries) > MAX_ADDRESSES:
            self._tries.popitem(last=False)
        fingerprint = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        if fingerprint in tries.wrong:
            return False
        tries.wrong.add(fingerprint)
        if self._together.over(wall):
            self._together = _Tries(wall)
        self._together.count += 1
        return True

    def right(self, address: str) -> None:
        """Note that somebody at this address has a right token: others' guessing does not shut it out."""
        key = network_of(address)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > MAX_ADDRESSES:
            self._known.popitem(last=False)


def network_of(address: str) -> str:
    """The address, or for IPv6 its /64; IPv4 written as IPv6 is IPv4."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _limited(tries: _Tries) -> TooManyGuesses:
    first, tries.told = not tries.told, True
    return TooManyGuesses(first=first)
