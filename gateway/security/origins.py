"""Where a request comes from, as browsers tell it: Origin, Sec-Fetch-Site, Host. Pure."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from gateway.addresses import is_loopback

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Origins:
    """`further`: origins, beside the gateway's own, whose pages may connect."""

    def __init__(self, further: frozenset[str]) -> None:
        self._further = further

    def allow(self, origin: str, host: str, *, secure: bool) -> bool:
        """Whether a page of `origin` may change something here, being reached as `host`, by HTTPS or not known."""
        origin = origin.lower()
        parts = _split(origin)
        if parts is None:
            return origin in self._further
        scheme, netloc = parts
        if origin in self._further:
            return True
        # Behind a proxy that is not trusted we do not know that the browser came by HTTPS.
        if secure and scheme != "https":
            return False
        port = DEFAULT_PORTS.get(scheme, "")
        return bool(netloc) and netloc.removesuffix(port) == host.lower().removesuffix(port)

    def own_page(self, headers: Headers) -> bool:
        """Whether the browser says that one of our own pages sent this. Asked once `allow` has seen the Origin."""
        return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"

    def own_host(self, host: str) -> bool:
        """Without a token, a foreign page whose name was made to resolve to this machine must not get in."""
        parts = _split(f"http://{host}")
        name = urlsplit(f"//{host}").hostname if parts is not None else None
        return is_loopback(name or "") or any(
            urlsplit(origin).netloc == host.lower() for origin in self._further
        )


def _split(origin: str) -> tuple[str, str] | None:
    """Scheme and authority; None for `null` and for what is not an origin."""
    try:
        parts = urlsplit(origin)
        parts.port  # noqa: B018  # raises for what is not a number
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.scheme in DEFAULT_PORTS else None
