"""Asks an RTSP camera itself what is wrong where FFmpeg's error does not tell: in few words, without a login."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from producer.trust import UNVERIFIED

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 3.0
PORTS = {"rtsp": 554, "rtsps": 322}
MOST = 16 * 1024  # bytes of an answer

_STATUS = re.compile(rb"RTSP/\d\.\d (\d{3})")
_CHALLENGE = re.compile(r"^WWW-Authenticate:\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_ALGORITHM = re.compile(r'\balgorithm\s*=\s*"?([\w-]+)', re.IGNORECASE)
_QOP = re.compile(r'\bqop\s*=\s*(?:"([^"]*)"|([\w-]+))', re.IGNORECASE)
_KNOWN = frozenset({"MD5", "MD5-SESS"})


@dataclass(frozen=True, slots=True)
class RtspAnswer:
    """What an RTSP camera answered.

    `status` is None if the answer was not RTSP; `silent`: nothing was said; `challenges`: how it wants a login.
    """

    status: int | None
    silent: bool = False
    challenges: tuple[str, ...] = ()


def ask(url: str) -> RtspAnswer | None:
    """The answer of an RTSP address to a request for its description; None if nobody takes the connection. Blocks."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    try:
        line = socket.create_connection((host, parts.port or PORTS[scheme]), CONNECT_SECONDS)
    except OSError:
        return None
    with line:
        line.settimeout(ANSWER_SECONDS)
        try:
            if scheme == "rtsps":
                line = UNVERIFIED.context().wrap_socket(line, server_hostname=host)  # nothing secret is said
            line.sendall(_description(parts.netloc.rpartition("@")[2], parts.path, parts.query, scheme))
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MOST and (more := line.recv(4096)):
                head += more
        except OSError:
            head = b""
        finally:
            line.close()
    found = _STATUS.match(head)
    if found is None:
        return RtspAnswer(None, silent=not head)
    return RtspAnswer(
        int(found[1]), challenges=tuple(_CHALLENGE.findall(head.decode("latin-1").replace("\r", "")))
    )


def strange_login(challenges: tuple[str, ...]) -> str | None:
    """The name of an offered way to log in, if FFmpeg knows none of them; else None."""
    unknown = None
    for challenge in challenges:
        scheme = challenge.partition(" ")[0]
        if scheme.lower() == "basic":
            return None
        name = scheme
        if scheme.lower() == "digest":
            algorithm, qop = _ALGORITHM.search(challenge), _QOP.search(challenge)
            name = f"Digest with {algorithm[1] if algorithm else 'MD5'}"
            offered = (qop[1] or qop[2] or "").replace(",", " ").split() if qop else []
            if algorithm is None or algorithm[1].upper() in _KNOWN:
                if not offered or "auth" in offered:
                    return None
                name += f" and qop {offered[0]}"
        unknown = unknown or name
    return unknown


def _description(place: str, path: str, query: str, scheme: str) -> bytes:
    address = f"{scheme}://{place}{path}{'?' if query else ''}{query}"
    return (
        f"DESCRIBE {address} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: framefleet\r\n\r\n"
    ).encode("utf-8", "replace")
