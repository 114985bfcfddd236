"""What can go wrong with an HTTP camera, as one word for metrics and a sentence for the operator."""

import os

import aiohttp

from producer.frames import SourceError


def in_plain_words(error: TimeoutError | aiohttp.ClientError, shown: str) -> SourceError:
    """The client's error as ours. `shown` is the address without credentials.

    aiohttp's own texts are not used: they repeat the URL.
    """
    reason, text = _said(error)
    return SourceError(reason, f"{shown} {text}")


def _said(error: Exception) -> tuple[str, str]:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "timeout", "does not take the connection in time: is it switched on and reachable?"
        case TimeoutError():
            return "timeout", "does not answer in time"
        case aiohttp.TooManyRedirects():
            return "redirects", "redirects without end: ask for the address that it should lead to"
        case aiohttp.RedirectClientError():
            return "redirects", "redirects to something that is no HTTP address"
        case aiohttp.ClientConnectorDNSError():
            return "dns", "has a host that is not known: check its name"
        case aiohttp.ClientSSLError():
            return "tls", "has a certificate that is not trusted here, or does not speak TLS"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=number)) if number:
            return "refused", f"cannot be reached: {os.strerror(number)}"
        case aiohttp.ClientConnectorError():
            return "refused", "cannot be reached: no connection"
        case aiohttp.ClientResponseError():
            return "not_http", "does not answer as HTTP servers do: check the port"
        case aiohttp.InvalidURL():
            return "invalid_url", "is no address that can be used"
        case _:
            return "closed", f"broke off its answer ({type(error).__name__})"
