"""Explains what went wrong with an HTTP camera, in one word for metrics and in a sentence for the operator."""

import errno
import os
import socket
import ssl

import aiohttp

from producer.errors import NotHttp, OffLimits, SourceError, Untrusted
from producer.trust import mistrust


def in_plain_words(error: Exception, shown: str) -> SourceError:
    """The client's or the system's error as a SourceError. `shown` is the address without credentials.

    aiohttp's own texts are not used, because they repeat the URL.
    """
    reason, text = _said(error)
    return SourceError(reason, f"{shown} {text}")


def _said(error: Exception) -> tuple[str, str]:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "timeout", "does not take the connection in time: is it switched on and reachable?"
        case TimeoutError():
            return "timeout", "does not answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "dns", "has a host that is not known: check its name"
        case aiohttp.ClientConnectorError(os_error=OffLimits() as off) | (OffLimits() as off):
            return "elsewhere", str(off)
        case aiohttp.ServerFingerprintMismatch() | Untrusted():
            return "tls", "shows another certificate than the one of its fingerprint"
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            return "tls", f"has a certificate that is not trusted here ({mistrust(why)})"
        case aiohttp.ClientSSLError():
            return (
                "tls",
                "does not speak TLS, or only a version of it that is too old: is it http:// at this port?",
            )
        case aiohttp.ClientConnectorError(os_error=OSError(errno=number)) if number:
            return "refused", f"cannot be reached: {os.strerror(number)}"
        case aiohttp.ClientConnectorError():
            return "refused", "cannot be reached: no connection"
        case aiohttp.ClientResponseError() | NotHttp():
            return "not_http", "does not answer as HTTP servers do: check the port"
        case aiohttp.InvalidURL():
            return "invalid_url", "is not an address that can be used"
        case aiohttp.ServerDisconnectedError() | EOFError():
            return "closed", "hung up without an answer"
        case socket.gaierror():
            return "dns", "has a host that is not known: check its name"
        case ssl.SSLError():
            return "tls", "has a certificate that is not trusted here, or does not speak TLS"
        case OSError(errno=errno.ECONNREFUSED | errno.EHOSTUNREACH | errno.ENETUNREACH as number):
            return "refused", f"cannot be reached: {os.strerror(number)}"
        case _:
            return "closed", "broke off its answer"
