"""A further token: who has it, what it may do, until when. Pure; times in Unix seconds.

A token is `ff_<id>_<secret>`. The id finds its entry, so that one comparison, in constant time, decides. The secret is
256 random bits: a plain SHA-256 of it cannot be searched, and a slow password hash would only cost time.
"""

import hashlib
import re
import secrets
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.errors import InvalidToken
from gateway.tokens.roles import Role

NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$"
MAIN = "main"
"""Name and id of the token that is not in the file."""
_TOKEN = re.compile(r"ff_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")

State = Literal["valid", "expired", "revoked"]


class TokenEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file keeps of a token. No field has a default: one that is misspelt must not mean `never expires`."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$")]
    name: Annotated[str, Meta(pattern=NAME)]
    role: Role
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    created: float
    expires: float | None
    revoked: float | None

    def state(self, wall: float) -> State:
        """Tell whether the token still lets in."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and wall >= self.expires else "valid"


def make_token(name: str, role: Role, created: float, expires: float | None) -> tuple[TokenEntry, str]:
    """A new token and what is kept of it. Raises InvalidToken."""
    if name == MAIN or not re.fullmatch(NAME[1:-1], name):
        raise InvalidToken(
            f"{name!r} cannot be a token's name: 1 to 64 of A-Z a-z 0-9 space . _ @ -, and not {MAIN}"
        )
    identifier = secrets.token_hex(4)
    token = f"ff_{identifier}_{secrets.token_urlsafe(32)}"
    return TokenEntry(identifier, name, role, digest(token), created, expires, None), token


def digest(token: str) -> str:
    """What is kept instead of the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(token: str) -> str | None:
    """Return the id in a token of ours; None for anything else."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None
