"""Who asks: tokens, sessions and one-time codes.

Requests and clocks are unknown here: the text of the headers and the time (`wall`, Unix seconds) are arguments.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import SharedUnavailable, TooManyGuesses
from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.security.codes import Codes
from gateway.security.credentials import cookie_of, token_of
from gateway.security.guesses import Guesses, network_of
from gateway.security.sessions import (
    RENEW_SECONDS,
    SESSION_SECONDS,
    BrowserSession,
    claimed,
    seal,
    session_key,
    signed,
)
from gateway.security.sign_outs import ALL, SignOutLine, SignOuts
from gateway.tokens.entries import MAIN, digest, id_of
from gateway.tokens.keyring import Keyring
from gateway.tokens.roles import Role, lesser
from gateway.tokens.strength import is_random
from runtime.logs import get_logger

if TYPE_CHECKING:
    from gateway.security.shared_logins import SharedLogins

log = get_logger("gateway")

__all__ = ["Authenticator", "Identity", "TooManyGuesses", "session_holder", "token_holder"]


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
        sign_outs: SignOuts | None = None,
    ) -> None:
        self._token = token
        self._may_be_guessed = token is not None and not is_random(token)
        self._keyring = keyring or Keyring()
        self._guesses = Guesses()
        self._codes = Codes()
        self._sign_outs = sign_outs or SignOuts()
        self._on_guess = on_guess
        self._shared: SharedLogins | None = None
        self._ended_elsewhere: dict[str, str] = {}

    def share(self, url: str) -> "SharedLogins | None":
        """Share codes, sign-outs and the limits of guesses with the gateways that have this Redis and the main token.

        Returns what is to be run; None where authentication is off.
        """
        if self._token is None:
            return None
        from gateway.security.shared_logins import (
            SharedLogins,  # late: the client of Redis costs time at start
        )

        key = hmac.digest(self._token.encode(), b"framefleet shared logins v1", "sha256")
        self._shared = SharedLogins(
            url, key, known=self._sign_outs.lines, signed_out=self._hear_sign_outs, guessed=self._hear_guess
        )
        return self._shared

    @property
    def required(self) -> bool:
        """Whether a token is needed at all."""
        return self._token is not None

    def refresh(self, wall: float) -> dict[str, str]:
        """Follow the files of tokens and sign-outs; the holders of what is to be closed, and why."""
        changed = self._keyring.refresh()
        ended = {
            token_holder(each): "its token was revoked or changed" for each in changed
        } | self._ended_elsewhere
        self._ended_elsewhere = {}
        for token_id in changed:
            entry = self._keyring.find(token_id)
            if entry is None or entry.state(wall) == "revoked":
                self._sign_out(token_id, ALL, wall)
        try:
            elsewhere = self._sign_outs.refresh(wall)
        except OSError as error:
            log.warning("the sign-outs of other gateways cannot be read", error=str(error))
            return ended
        return ended | {session_holder(each): "signed out" for each in elsewhere}

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
        # A main token that a person chose may be guessed: then a right guess must not help while the address is shut
        # out. 256 random bits, which every further token has, need no limit, and none may shut out who has them.
        if identity is None or (identity.token_id == MAIN and self._may_be_guessed):
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

    async def exchange(self, code: str, address: str, wall: float) -> Identity | None:
        """Do the same with a code that another gateway may have made. Raises TooManyGuesses.

        While Redis is away, only codes that were made here meanwhile let in.
        """
        shared = self._shared
        if shared is None:
            return self.redeem(code, address, wall)
        await shared.settled(code)
        if self._codes.find(code) is None:
            try:
                grant = await shared.take(code)
            except SharedUnavailable as error:
                log.warning("a link cannot be looked up", error=str(error))
                grant = None
            if grant is not None and wall < grant.expires:
                identity = self._of_token(grant.token_id, grant.role, wall)
                if identity is not None:
                    self._count(identity, code, address, wall)
                    return identity
        return self.redeem(code, address, wall)

    async def settled(self, code: str) -> None:
        """Wait until other gateways know a new code, two seconds at most."""
        if self._shared is not None:
            await self._shared.settled(code)

    # --- what is given out -------------------------------------------------------------------------------

    def new_code(self, identity: Identity, role: Role, wall: float) -> tuple[str, float]:
        """A one-time code for a session with at most `identity`'s rights, and its end."""
        code, expires = self._codes.new(identity.token_id or MAIN, lesser(role, identity.role), wall)
        grant = self._codes.find(code)
        if self._shared is not None and grant is not None:
            self._shared.keep(code, grant, self._codes.forget)
        return code, expires

    def new_session(self, identity: Identity, wall: float) -> str:
        """A cookie's value; the next one of `identity`'s session if it has one."""
        nonce = identity.session or secrets.token_urlsafe(9)
        session = BrowserSession(identity.token_id, identity.role, int(wall), nonce)
        return seal(session, self._key(identity.token_id))

    def sign_out(self, identity: Identity, wall: float) -> None:
        """End `identity`'s session before its time, with all cookies that renewed it."""
        if identity.session is not None:
            self._sign_out(identity.token_id, identity.session, wall)

    # --- inside ------------------------------------------------------------------------------------------

    def _sign_out(self, token_id: str, nonce: str, wall: float) -> None:
        self._sign_outs.add(token_id, nonce, wall)
        if self._shared is not None:
            self._shared.tell((int(wall), token_id, nonce))

    def _hear_sign_outs(self, lines: list[SignOutLine]) -> None:
        """Other gateways say that sessions have ended, or all of a token: kept here as well."""
        fresh = [line for line in dict.fromkeys(lines) if not self._sign_outs.knows(line)]
        self._sign_outs.keep(fresh)
        for _, token_id, nonce in fresh:
            holder = token_holder(token_id) if nonce == ALL else session_holder(nonce)
            self._ended_elsewhere[holder] = "signed out"

    def _hear_guess(self, network: str, guess: str, wall: float) -> None:
        self._guesses.wrong(network, guess, wall)

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
        if self._sign_outs.over(session) or not session.alive(wall):
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
            if self._shared is not None:
                self._shared.warn(network_of(address), secret)
