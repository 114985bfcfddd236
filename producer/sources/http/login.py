"""Logging in to a camera: Basic (RFC 7617) or Digest (RFC 7616), whichever it asks for."""

from base64 import b64encode
from collections.abc import Mapping, Sequence

import aiohttp
from aiohttp import ClientMiddlewareType, DigestAuthMiddleware


class Login:
    """User name and password of one camera, and how it wants them.

    They are not sent before the camera has asked for them: one that takes Digest shall not get the password itself.
    On a redirect to another host aiohttp leaves them behind.
    """

    def __init__(self, user: str | None, password: str | None) -> None:
        self._user, self._password = user or "", password or ""
        self.known = user is not None or password is not None
        self._basic: str | None = None
        self.middlewares: Sequence[ClientMiddlewareType] = ()

    def headers(self, others: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """The headers of a request: `others`, and the login once the camera has asked for Basic."""
        return others if self._basic is None else {**(others or {}), "Authorization": self._basic}

    def learns(self, response: aiohttp.ClientResponse) -> bool:
        """After a 401: whether asking again, in the way that the camera wants, may help."""
        if not self.known or elsewhere(response):
            return False
        if self._basic or self.middlewares:
            # What it took before, or never will: the next attempt begins anew, the camera may have changed.
            self._basic, self.middlewares = None, ()
            return False
        challenges = [challenge.lower() for challenge in response.headers.getall("WWW-Authenticate", [])]
        # The middleware reads the first challenge only.
        if challenges and challenges[0].startswith("digest") and ":" not in self._user:
            self.middlewares = (DigestAuthMiddleware(self._user, self._password),)
            return True
        if any(challenge.startswith("basic") for challenge in challenges):
            self._basic = "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
            return True
        return False


def elsewhere(response: aiohttp.ClientResponse) -> bool:
    """Whether a redirect led to another host: the password is for the first one only."""
    return bool(response.history) and response.history[0].url.origin() != response.url.origin()
