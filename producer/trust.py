"""Judges a camera's certificate: as browsers do, by its fingerprint, or without looking."""

import asyncio
import hashlib
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from producer.errors import Untrusted

FINGERPRINT = re.compile(r"(?:sha-?256[:=]?)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.IGNORECASE)
LOOK_SECONDS = 5.0

OTHER_NAMES = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, and the same for mail and IP addresses
OTHER_NAME = "it is for another host"


@dataclass(frozen=True, slots=True)
class Trust:
    """How the certificate of a camera is judged.

    `fingerprint` is the SHA-256 of the one certificate that is trusted, whoever signed it. Without a fingerprint
    `verify` says whether an authority must have signed the certificate for the name that is asked.
    """

    verify: bool = True
    fingerprint: bytes | None = None

    def context(self) -> ssl.SSLContext:
        """The context for a socket. A fingerprint must then be compared, by `check`, with the certificate."""
        return _context(self.verify and self.fingerprint is None)

    def check(self, certificate: bytes | None) -> None:
        """Raise Untrusted unless this certificate, shown on a connection with `context()`, is the trusted one."""
        if self.fingerprint is not None and (certificate is None or _digest(certificate) != self.fingerprint):
            raise Untrusted("another certificate than the one that is trusted")


UNVERIFIED = Trust(verify=False)
"""For questions that say nothing secret."""


def parse_tls(text: str) -> Trust:
    """What `tls` says of a camera: `verify`, `off`, or the fingerprint to pin. Raises ValueError."""
    word = text.strip()
    match word.lower():
        case "verify":
            return Trust()
        case "off":
            return UNVERIFIED
        case "pin":
            raise ValueError("not a certificate: to pin one, write its fingerprint, tls: sha256:...")
    try:
        return Trust(fingerprint=parse_fingerprint(word))
    except ValueError:
        raise ValueError("none of verify, off and sha256: with 64 hexadecimal digits") from None


def strictest(said: Iterable[Trust]) -> Trust | None:
    """The strictest of what several places say of one camera; None if they say nothing. A pinned certificate is it."""
    all_said = list(said)
    pinned = next((each for each in all_said if each.fingerprint is not None), None)
    if pinned is not None or not all_said:
        return pinned
    return Trust(verify=any(each.verify for each in all_said))


def parse_fingerprint(text: str) -> bytes:
    """`sha256:AB:CD:...`, as browsers and OpenSSL write it, or only its digits. Raises ValueError."""
    found = FINGERPRINT.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "not a SHA-256 fingerprint: sha256: and 64 hexadecimal digits, with or without colons"
        )
    return bytes.fromhex(found[1].replace(":", ""))


def mistrust(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not trusted, without the host's name: OpenSSL repeats it, and it may be a secret."""
    return OTHER_NAME if error.verify_code in OTHER_NAMES else error.verify_message


def written(fingerprint: bytes) -> str:
    """The fingerprint as settings take it: sha256: and its digits."""
    return f"sha256:{fingerprint.hex()}"


async def shown_fingerprint(host: str, port: int) -> bytes | None:
    """The fingerprint of the certificate that a host shows now, unverified; None if it shows none."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=UNVERIFIED.context())
        try:
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.transport.abort()
    except (OSError, TimeoutError):  # ssl.SSLError is an OSError
        return None
    return _digest(certificate) if certificate else None


def _digest(certificate: bytes) -> bytes:
    return hashlib.sha256(certificate).digest()


@cache
def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
