"""A browser's session as a signed cookie. Pure; times in Unix seconds.

`v2.<token id>.<role>.<begin>.<nonce>.<HMAC>`: it does not contain the token, outlives a restart of the gateway, and is
signed with a key that comes from its own token and from the main one. So it ends with either, and the file of
hashes alone signs nothing.
"""

import hmac
import re
from dataclasses import dataclass

from gateway.tokens.roles import Role

SESSION_SECONDS = 90 * 24 * 3600.0
RENEW_SECONDS = 24 * 3600.0
CLOCK_SKEW_SECONDS = 300.0

_VALUE = re.compile(r"v2\.(main|[0-9a-f]{8})\.(viewer|operator)\.(\d{1,12})\.([A-Za-z0-9_-]{12})")


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """What a cookie says. The nonce stays the same when it is renewed, so that signing out ends all of its cookies."""

    token_id: str
    role: Role
    begin: int
    nonce: str

    def alive(self, wall: float) -> bool:
        """Neither too old nor from the future."""
        return -CLOCK_SKEW_SECONDS <= wall - self.begin < SESSION_SECONDS


def session_key(main_token: str, token_id: str, token_digest: str) -> bytes:
    """The key that signs the sessions of one token."""
    return hmac.digest(
        main_token.encode(), f"framefleet session v2 {token_id} {token_digest}".encode(), "sha256"
    )


def seal(session: BrowserSession, key: bytes) -> str:
    """The cookie's value."""
    text = f"v2.{session.token_id}.{session.role}.{session.begin}.{session.nonce}"
    return f"{text}.{_sign(text, key)}"


def claimed(value: str) -> tuple[BrowserSession, str, str] | None:
    """The session that a cookie claims to be, its signed text and its signature; None if it is none of ours."""
    text, _, signature = value.rpartition(".")
    found = _VALUE.fullmatch(text)
    if found is None or not value.isascii():
        return None
    role: Role = "operator" if found[2] == "operator" else "viewer"
    return BrowserSession(found[1], role, int(found[3]), found[4]), text, signature


def signed(text: str, signature: str, key: bytes) -> bool:
    """Whether we signed it; takes the same time wherever it differs."""
    return hmac.compare_digest(signature.encode(), _sign(text, key).encode())


def _sign(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()
