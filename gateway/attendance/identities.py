"""What is counted in place of people: hashes under a salt that is forgotten. Pure.

A salt is random and holds for a day. A window that begins before midnight (UTC) must not count its people twice after
it. So within the longest window before midnight everything is hashed under the next day's salt as well, and a question
only looks at what was hashed under the salt of its own day.
"""

import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

EPOCH_MINUTES = 24 * 60
SALT_BYTES = 32
DIGEST_BYTES = 8


class Visitor(NamedTuple):
    """Somebody was here. `user` is a token's id, `place` an address or an anonymous id.

    `device` is what an application declared, else empty.
    """

    user: str
    place: str
    agent: str
    device: str = ""


Seen = tuple[str, str, str, str]
"""The fields of a Visitor, or one: both are equal, and a request pays less for a plain tuple."""


def epoch_of(minute: int) -> int:
    """The day of a minute, both since 1970."""
    return minute // EPOCH_MINUTES


def epochs_of(minute: int, longest: int) -> tuple[int, ...]:
    """The days whose questions look at this minute, by windows of at most `longest` minutes: one or two."""
    first, last = epoch_of(minute), epoch_of(minute + longest)
    return (first,) if first == last else (first, last)


def user_digest(salt: bytes, visitor: Visitor) -> bytes:
    """What stands for the user."""
    return blake2b(b"user " + _bytes(visitor.user), key=salt, digest_size=DIGEST_BYTES).digest()


def session_digest(salt: bytes, visitor: Visitor) -> bytes:
    """What stands for the session: user, place and agent."""
    parts = (visitor.user, visitor.place, visitor.agent)
    text = b"".join(b"%d:%b" % (len(part), part) for part in map(_bytes, parts))
    return blake2b(text, key=salt, digest_size=DIGEST_BYTES).digest()


class Salts:
    """This process's own, made when they are needed."""

    def __init__(self) -> None:
        self._salts: dict[int, bytes] = {}

    def of(self, epoch: int) -> bytes:
        """The salt of that day."""
        return self._salts.setdefault(epoch, secrets.token_bytes(SALT_BYTES))

    def learn(self, epoch: int, salt: bytes) -> None:
        """Take somebody else's from now on."""
        self._salts[epoch] = salt

    def keep(self, epochs: Iterable[int]) -> None:
        """Forget all others: what was hashed under them can be compared with nothing any more."""
        kept = set(epochs)
        self._salts = {epoch: salt for epoch, salt in self._salts.items() if epoch in kept}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
