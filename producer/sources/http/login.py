"""Logs in to a camera in the strongest way that it offers; the password itself is sent only where nothing else is."""

from base64 import b64encode
from collections.abc import Sequence

from yarl import URL

from producer.sources.http.challenges import Challenge, challenges
from producer.sources.http.digest import Digest, strongest


class Login:
    """User name and password of one camera, and how it wants them.

    They are not sent before the camera asks for them. Where Digest is offered, or once was, Basic is never used, since
    it would send the password itself. `trouble` says why a camera that asks for a login does not get one.
    """

    def __init__(self, user: str | None, password: str | None) -> None:
        self._user, self._password = user or "", password or ""
        self.known = user is not None or password is not None
        self.trouble: str | None = None
        self._basic: str | None = None
        self._digest: Digest | None = None
        self._digest_was_offered = False

    def header(self, url: URL) -> str | None:
        """The Authorization header of the next request for `url`; None while the camera has not asked for one."""
        return self._basic if self._digest is None else self._digest.answer("GET", url.raw_path_qs)

    def learns(self, offers: Sequence[str], *, again: bool) -> bool:
        """Learn from a 401 with these `WWW-Authenticate` headers whether another request, logged in, may help.

        `again` if this request was already repeated with what was learnt before.
        """
        if not self.known:
            return False
        found = challenges(offers)
        before, self._digest, self.trouble = self._basic, None, None
        self._basic = None
        digests = [challenge for challenge in found if challenge.scheme == "digest"]
        self._digest_was_offered = self._digest_was_offered or bool(digests)
        if digests:
            self._digest = strongest(digests, self._user, self._password)
            if self._digest is None:
                self.trouble = (
                    f"asks for a Digest login of a kind that is not known here ({_algorithms(digests)})"
                )
                return False
            # Refused although the nonce was new: the password is wrong. A nonce that aged meanwhile says `stale`.
            if again and not self._digest.stale:
                self._digest = None
                return False
            return True
        if not any(challenge.scheme == "basic" for challenge in found):
            self.trouble = _unknown(found)
            return False
        if self._digest_was_offered:
            self.trouble = (
                "asked for a Digest login before and now wants the password itself (Basic), which it does not get: if "
                "that is meant, restart the producer"
            )
            return False
        basic = "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        if basic == before:
            return False
        self._basic = basic
        return True


def _algorithms(digests: Sequence[Challenge]) -> str:
    said = (f"{c.fields.get('algorithm', 'MD5')}, qop {c.fields.get('qop', 'none')}" for c in digests)
    return "; ".join(said)[:100]


def _unknown(found: Sequence[Challenge]) -> str:
    if not found:
        return "asks for a login without saying how (no WWW-Authenticate)"
    names = ", ".join(challenge.scheme for challenge in found)[:60]
    return f"asks for a login of a kind that is not known here ({names}); known are Digest and Basic"
