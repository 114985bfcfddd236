"""Turns FFmpeg's errors into ours. Only the cause is kept: its texts may repeat the address with the password."""

import errno
import socket
from urllib.parse import urlsplit

import av

from producer.errors import SourceError
from producer.sources.streams.certificates import complaint
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.rtsp import RtspAnswer, ask, strange_login


def timeout(shown: str) -> SourceError:
    """The error of a source that did not open for as long as FFmpeg was told to wait."""
    return SourceError("timeout", f"{shown} does not answer in time: is it switched on and reachable?")


def silence(request: DecodeRequest) -> SourceError:
    """The error of a source that was open, and then sent nothing any more."""
    return SourceError(
        "timeout", f"{request.shown} is open, and has sent nothing for {request.read_timeout or 0:.0f} s"
    )


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
            return SourceError("missing", f"{shown} does not exist: check its path")
        case av.error.PermissionError():
            return SourceError("forbidden", f"{shown} may not be read by this user")
        case av.error.ConnectionRefusedError():
            return SourceError("refused", f"{shown} refuses the connection: check host and port")
        case av.error.InvalidDataError():
            return SourceError("not_a_video", f"{shown} is not a video that FFmpeg can read")
        case av.error.EOFError() | av.error.ConnectionResetError() | av.error.BrokenPipeError():
            return SourceError("closed", f"{shown} closed the stream")
        case av.error.ProtocolNotFoundError():
            return SourceError("protocol", f"{shown} needs a protocol that is not allowed or not known here")
        case MemoryError():
            return SourceError("memory", f"{shown} needs more memory than there is")
        case OSError(errno=errno.EPROTONOSUPPORT):
            return SourceError("transport", f"{shown} does not send its video in a way that was asked for")
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return SourceError("unreachable", f"there is no way to the host of {shown}: check the network")
        case OSError(strerror=str(text)):
            return SourceError("io_error", f"{shown} cannot be read: {text}")
        case _:
            return SourceError("io_error", f"{shown} cannot be read")


def open_failure(error: Exception, request: DecodeRequest, *, in_time: bool = True) -> SourceError:
    """The error of a source that could not be opened.

    FFmpeg often gives no reason for that; then we look for one, which takes a few seconds. `in_time`: the time that
    opening may take was not over.
    """
    failed = failure(error, request.shown) if in_time else timeout(request.shown)
    if isinstance(error, av.error.ArgumentError):  # it is not among the formats that are allowed
        return SourceError("not_a_video", f"{request.shown} is of no kind of video that is read here")
    if failed.reason == "io_error" and "://" in request.url and not _known(request.url):
        return SourceError("dns", f"the host of {request.shown} is not known: check its name")
    if failed.reason in ("io_error", "closed") and (untrusted := complaint(request)) is not None:
        return untrusted
    if request.url.lower().startswith(("rtsp://", "rtsps://")) and failed.reason in ASKED:
        better = _asked(failed.reason, request)
        if better is not None:
            return better
    if failed.reason == "unauthorised" and urlsplit(request.url).username is None:
        text = f"{request.shown} asks for a login: write the address with user:password@ before the host"
        return SourceError("unauthorised", text)
    return failed


ASKED = frozenset({"unauthorised", "timeout", "not_a_video", "closed", "io_error"})
"""Reasons for which the camera itself may know better what is wrong."""


def _asked(reason: str, request: DecodeRequest) -> SourceError | None:
    """What is wrong in the camera's own words, if they show it."""
    answer = ask(request.url)
    match reason, answer:
        case "timeout", None:
            text = "does not take the connection in time: is it switched on and reachable?"
        case "timeout", RtspAnswer(silent=True):
            text = "takes the connection and says nothing: is this its RTSP port?"
        case "timeout", RtspAnswer(status=int()):
            text = "answers, and sends no video in time: has it too many viewers?"
        case "unauthorised", RtspAnswer(challenges=challenges) if name := strange_login(challenges):
            text = f"takes logins by {name} only, which FFmpeg does not know: allow Digest with MD5 in the camera"
        case _, RtspAnswer(status=None, silent=False):
            reason, text = "not_rtsp", "does not answer as RTSP cameras do: check the port"
        case _:
            return None
    return SourceError(reason, f"{request.shown} {text}")


def _known(url: str) -> bool:
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except socket.gaierror:
        return False
    except ValueError:  # the address cannot be taken apart: the fault lies elsewhere
        return True
    return True
