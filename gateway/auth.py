"""The token and what is derived from it. Pure: no HTTP here, time is an argument (`wall`, Unix seconds)."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

COOKIE = "framefleet_session"
SESSION_SECONDS = 90 * 24 * 3600.0
RENEW_SECONDS = 24 * 3600.0
CLOCK_SKEW_SECONDS = 300.0
GUESSES = 10
GUESS_SECONDS = 60.0
MAX_ADDRESSES = 10_000
MAX_REVOKED = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `session` names a browser's session, and `expires` (Unix seconds) ends it; programs have neither."""

    role: str = "operator"
    session: str | None = None
    expires: float | None = None
    renew: bool = False


class TooManyGuesses(Exception):
    """Too many different wrong tokens from one address: nothing more is tried for a minute."""


class Authenticator:
    """Checks credentials against the one token. `token` None: authentication is off, everybody is the operator.

    A session cookie is `<begin>.<nonce>.<HMAC>` with a key derived from the token: it does not contain the token,
    outlives a restart of the gateway and ends when the token changes.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token is not None else None
        self._key = (
            hmac.digest(token.encode(), b"framefleet session v1", "sha256") if token is not None else b""
        )
        self._guesses: OrderedDict[str, tuple[float, set[bytes]]] = OrderedDict()
        self._revoked: OrderedDict[str, None] = OrderedDict()

    @property
    def required(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def identify(self, authorization: str, cookies: str, address: str, wall: float) -> Identity | None:
        """Who sends these headers; None if nobody known. Raises TooManyGuesses."""
        if self._token is None:
            return Identity()
        presented = token_of(authorization)
        if presented is not None:
            return Identity() if self.check(presented, address, wall) else None
        return self._session(cookie_of(cookies), wall)

    def check(self, presented: str, address: str, wall: float) -> bool:
        """Whether that is the token. Raises TooManyGuesses."""
        if self._token is None:
            return True
        begin, wrong = self._guesses.get(address, (wall, set[bytes]()))
        if not 0 <= wall - begin < GUESS_SECONDS:
            begin, wrong = wall, set()
        if len(wrong) >= GUESSES:
            raise TooManyGuesses
        if hmac.compare_digest(presented.encode(), self._token):
            return True
        # A program that repeats one wrong token guesses nothing: only different ones count.
        wrong.add(hashlib.sha256(presented.encode()).digest())
        self._guesses[address] = (begin, wrong)
        self._guesses.move_to_end(address)
        if len(self._guesses) > MAX_ADDRESSES:
            self._guesses.popitem(last=False)
        return False

    def new_session(self, wall: float) -> str:
        """A cookie's value."""
        name = f"{int(wall)}.{secrets.token_urlsafe(9)}"
        return f"{name}.{self._sign(name)}"

    def revoke(self, session: str) -> None:
        """End a session before its time (until the gateway restarts; the browser's cookie is deleted as well)."""
        self._revoked[session] = None
        if len(self._revoked) > MAX_REVOKED:
            self._revoked.popitem(last=False)

    def _session(self, cookie: str, wall: float) -> Identity | None:
        name, _, signature = cookie.rpartition(".")
        if not name or not hmac.compare_digest(signature.encode(), self._sign(name).encode()):
            return None
        if name in self._revoked:
            return None
        begin = float(name.partition(".")[0])  # we wrote it
        if not -CLOCK_SKEW_SECONDS <= wall - begin < SESSION_SECONDS:
            return None
        return Identity(session=name, expires=begin + SESSION_SECONDS, renew=wall - begin > RENEW_SECONDS)

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), "sha256").hexdigest()


def token_of(authorization: str) -> str | None:
    """The token in an Authorization header: Bearer, or the password of Basic. None if the header is empty."""
    scheme, _, value = authorization.strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def cookie_of(header: str) -> str:
    """The session in a Cookie header, or an empty string."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def load_token(folder: Path) -> str:
    """The token kept in `folder`, generated at the first start; readable by its owner only. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "token"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text().strip()
        if len(kept) >= 16:
            return kept
        path.unlink()  # cut short by a crash, or emptied to get a new one
        return load_token(folder)
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token
