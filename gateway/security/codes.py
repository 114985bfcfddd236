"""One-time codes of ready links, kept in memory only, as hashes. Pure: `wall` is Unix seconds."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from gateway.tokens.roles import Role

CODE_SECONDS = 24 * 3600.0
MAX_CODES = 1_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code is exchanged for: a session with this role, that ends with the token by which the link was made."""

    token_id: str
    role: Role
    expires: float


class Codes:
    """Each is taken once. The oldest go when there are very many."""

    def __init__(self) -> None:
        self._grants: OrderedDict[bytes, Grant] = OrderedDict()

    def new(self, token_id: str, role: Role, wall: float) -> tuple[str, float]:
        """A code of 192 random bits, and until when it can be used."""
        code, expires = secrets.token_urlsafe(24), wall + CODE_SECONDS
        self._grants[_digest(code)] = Grant(token_id, role, expires)
        if len(self._grants) > MAX_CODES:
            self._grants.popitem(last=False)
        return code, expires

    def take(self, code: str, wall: float) -> Grant | None:
        """What the code grants; None if it never was one, was used, or has expired. It is used up by this."""
        # Looked up by its hash: how long that takes tells nothing about the code.
        grant = self._grants.pop(_digest(code), None)
        return grant if grant is not None and wall < grant.expires else None

    def find(self, code: str) -> Grant | None:
        """What the code grants, without using it up."""
        return self._grants.get(_digest(code))

    def forget(self, code: str) -> None:
        """Drop a code: somebody else keeps it from now on."""
        self._grants.pop(_digest(code), None)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
