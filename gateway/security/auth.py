"""Who asks: tokens, sessions and one-time codes.

Requests and clocks are unknown here: the text of the headers and the time (`wall`, Unix seconds) are arguments.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import TooManyGuesses
from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.security.codes import Codes
from gateway.security.credentials import cookie_of, token_of
from gateway.security.guesses import Guesses
from gateway.security.sessions import (
    RENEW_SECONDS,
    SESSION_SECONDS,
    BrowserSession,
    claimed,
    seal,
    session_key,
    signed,
)
from gateway.tokens.entries import MAIN, digest, id_of
from gateway.tokens.keyring import Keyring
from gateway.tokens.roles import Role, lesser

__all__ = ["Authenticator", "Identity", "TooManyGuesses", "session_holder", "token_holder"]

MAX_REVOKED = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `session` names a browser's session; programs have none. `expires` (Unix seconds) ends either.

    `token_id` is that of the token, or of the one by which the link was made that began the session; empty when
    authentication is off.
    """

    role: Role = "operator"
    name: str | None = None
    token_id: str = ""
    session: str | None = None
    expires: float | None = None
    renew: bool = False

    @property
    def holders(self) -> tuple[str, ...]:
        """What it ends with, as keys: its session and its token."""
        token = (token_holder(self.token_id),) if self.token_id else ()
        return (*token, session_holder(self.session)) if self.session is not None else token


def token_holder(token_id: str) -> str:
    """The key of all that a token holds open."""
    return f"token {token_id}"


def session_holder(session: str) -> str:
    """The key of all that a session holds open."""
    return f"session {session}"


class Authenticator:
    """Checks credentials. `token` None: authentication is off, everybody is the operator.

    `on_guess` is told the address of each different wrong secret, which is no more than the limits let through.
    """

    def __init__(
        self,
        token: str | None,
        keyring: Keyring | None = None,
        on_guess: Callable[[str], None] = lambda address: None,
    ) -> None:
        self._token = token
        self._keyring = keyring or Keyring()
        self._guesses = Guesses()
        self._codes = Codes()
        self._revoked: OrderedDict[str, None] = OrderedDict()
        self._on_guess = on_guess

    @property
    def required(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def refresh(self) -> frozenset[str]:
        """Follow the tokens file; the holders of what is open under tokens that are others now, or gone."""
        return frozenset(token_holder(each) for each in self._keyring.refresh())

    # --- who is it ---------------------------------------------------------------------------------------

    def identify(
        self, authorization: str, cookies: str, address: str, wall: float, *, secure: bool = False
    ) -> Identity | None:
        """Find out who sends these headers; None if nobody known. `secure`: by HTTPS. Raises TooManyGuesses."""
        if self._token is None:
            return Identity()
        presented = token_of(authorization)
        if presented is not None:
            return self.check(presented, address, wall)
        return self._session(cookie_of(cookies, SECURE_COOKIE if secure else COOKIE), wall)

    def check(self, presented: str, address: str, wall: float) -> Identity | None:
        """Find out whose token that is; None if nobody's. Raises TooManyGuesses."""
        if self._token is None:
            return Identity()
        identity = self._match(presented, wall)
        # The main token may be a person's choice, and so a right guess must not help while the address is shut out.
        # A further one is 256 random bits: no limit need protect it, and none may shut out who has it.
        if identity is None or identity.token_id == MAIN:
            self._guesses.check(address, wall)
        self._count(identity, presented, address, wall)
        return identity

    def redeem(self, code: str, address: str, wall: float) -> Identity | None:
        """Use a code up and find out who may begin a session with it; None if it is none. Raises TooManyGuesses."""
        if self._token is None:
            return Identity()
        grant = self._codes.take(code, wall)
        identity = self._of_token(grant.token_id, grant.role, wall) if grant is not None else None
        if identity is None:
            self._guesses.check(address, wall)
        self._count(identity, code, address, wall)
        return identity

    # --- what is given out -------------------------------------------------------------------------------

    def new_code(self, identity: Identity, role: Role, wall: float) -> tuple[str, float]:
        """A one-time code for a session with at most `identity`'s rights, and its end."""
        return self._codes.new(identity.token_id or MAIN, lesser(role, identity.role), wall)

    def new_session(self, identity: Identity, wall: float) -> str:
        """A cookie's value; the next one of `identity`'s session if it has one."""
        nonce = identity.session or secrets.token_urlsafe(9)
        session = BrowserSession(identity.token_id, identity.role, int(wall), nonce)
        return seal(session, self._key(identity.token_id))

    def revoke(self, session: str) -> None:
        """End a session before its time (until the gateway restarts; the browser's cookie is deleted as well)."""
        self._revoked[session] = None
        if len(self._revoked) > MAX_REVOKED:
            self._revoked.popitem(last=False)

    # --- inside ------------------------------------------------------------------------------------------

    def _match(self, presented: str, wall: float) -> Identity | None:
        given = digest(presented)
        if hmac.compare_digest(given, digest(self._token or "")):
            return Identity(name=MAIN, token_id=MAIN)
        identifier = id_of(presented)
        entry = self._keyring.find(identifier) if identifier is not None else None
        if entry is None or not hmac.compare_digest(given, entry.sha256):
            return None
        return self._of_token(entry.id, entry.role, wall)

    def _of_token(self, token_id: str, role: Role, wall: float) -> Identity | None:
        """Identify whoever has that token, with at most these rights; None if the token no longer lets in."""
        if token_id == MAIN:
            return Identity(role, MAIN, MAIN)
        entry = self._keyring.find(token_id)
        if entry is None or entry.state(wall) != "valid":
            return None
        return Identity(lesser(role, entry.role), entry.name, entry.id, expires=entry.expires)

    def _session(self, cookie: str, wall: float) -> Identity | None:
        claim = claimed(cookie)
        if claim is None:
            return None
        session, text, signature = claim
        holder = self._of_token(session.token_id, session.role, wall)
        if holder is None or not signed(text, signature, self._key(session.token_id)):
            return None
        if session.nonce in self._revoked or not session.alive(wall):
            return None
        end = session.begin + SESSION_SECONDS
        return Identity(
            holder.role,
            holder.name,
            holder.token_id,
            session=session.nonce,
            expires=end if holder.expires is None else min(end, holder.expires),
            renew=wall - session.begin > RENEW_SECONDS,
        )

    def _key(self, token_id: str) -> bytes:
        token = self._token or ""
        entry = None if token_id == MAIN else self._keyring.find(token_id)
        return session_key(token, token_id, entry.sha256 if entry is not None else digest(token))

    def _count(self, identity: Identity | None, secret: str, address: str, wall: float) -> None:
        if identity is not None:
            self._guesses.right(address)
        elif self._guesses.wrong(address, secret, wall):
            self._on_guess(address)
