"""FFmpeg's errors as ours. Its own texts may repeat the address with the password: only the cause is kept."""

import errno
import socket
from urllib.parse import urlsplit

import av

from producer.frames import SourceError


def timeout(shown: str) -> SourceError:
    """Nothing came for as long as FFmpeg was told to wait."""
    return SourceError("timeout", f"{shown} does not answer in time: is it switched on and reachable?")


def failure(error: Exception, shown: str) -> SourceError:
    """The error as one word for metrics and states, and a sentence that says what to do."""
    match error:
        case av.error.TimeoutError() | av.error.ExitError():
            return timeout(shown)
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return SourceError("unauthorised", f"{shown} refuses the user name or password")
        case av.error.HTTPNotFoundError():
            return SourceError("not_found", f"{shown} is not there: check the path in the address")
        case av.error.HTTPClientError():
            return SourceError(
                "http_4xx", f"{shown} answers that the request is wrong (4xx): check the address"
            )
        case av.error.HTTPServerError():
            return SourceError("http_5xx", f"{shown} answers that it has a fault of its own (5xx)")
        case av.error.FileNotFoundError():
            return SourceError("missing", f"{shown} does not exist: check the path in SOURCE")
        case av.error.PermissionError():
            return SourceError("forbidden", f"{shown} may not be read by this user")
        case av.error.ConnectionRefusedError():
            return SourceError("refused", f"{shown} refuses the connection: check host and port")
        case av.error.InvalidDataError():
            return SourceError("not_a_video", f"{shown} is no video that FFmpeg can read")
        case av.error.EOFError() | av.error.ConnectionResetError() | av.error.BrokenPipeError():
            return SourceError("closed", f"{shown} closed the stream")
        case av.error.ProtocolNotFoundError():
            return SourceError("protocol", f"{shown} needs a protocol that is not allowed or not known here")
        case MemoryError():
            return SourceError("memory", f"{shown} needs more memory than there is")
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return SourceError("unreachable", f"there is no way to the host of {shown}: check the network")
        case OSError(strerror=str(text)):
            return SourceError("io_error", f"{shown} cannot be read: {text}")
        case _:
            return SourceError("io_error", f"{shown} cannot be read: {type(error).__name__}")


def open_failure(error: Exception, url: str, shown: str) -> SourceError:
    """The same where opening failed: FFmpeg says "input/output error" of a host that nobody knows. May take seconds."""
    failed = failure(error, shown)
    if failed.reason == "io_error" and "://" in url and not _known(url):
        return SourceError("dns", f"the host of {shown} is not known: check its name")
    return failed


def _known(url: str) -> bool:
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except socket.gaierror:
        return False
    except ValueError:  # an address that cannot be taken apart: the fault lies elsewhere
        return True
    return True
