"""The area `certificates`: whether those of the addresses in use are trusted, and when they end."""

import socket
import ssl
import time
from urllib.parse import urlsplit

from cli.doctor.finding import Findings
from cli.doctor.http import ANSWER_SECONDS
from cli.doctor.place import Place

DAY = 86_400.0
SOON_DAYS = 14
PORTS = {"amqps": 5671, "https": 443}


def check(place: Place, findings: Findings) -> None:
    """Note certificates that end within two weeks, or are refused already."""
    for url in (*place.urls, place.prometheus, place.public_url):
        parts = urlsplit(url)
        if parts.scheme in PORTS and parts.hostname:
            _look(parts.hostname, parts.port or PORTS[parts.scheme], findings)


def _look(host: str, port: int, findings: Findings) -> None:
    where = f"{host}:{port}"
    try:
        with (
            socket.create_connection((host, port), timeout=ANSWER_SECONDS) as line,
            ssl.create_default_context().wrap_socket(line, server_hostname=host) as wrapped,
        ):
            ends = ssl.cert_time_to_seconds(str((wrapped.getpeercert() or {})["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        findings.error(
            where,
            f"its certificate is refused: {error.verify_message}",
            "renew it, or trust its issuer on this machine",
        )
    except (OSError, KeyError, ValueError):
        findings.unknown(
            where, "no certificate could be read", "is this address right, and does it speak TLS?"
        )
    else:
        judge(where, ends - time.time(), findings)


def judge(where: str, seconds: float, findings: Findings) -> None:
    """Note how long a certificate is good for."""
    said = f"its certificate ends in {seconds / DAY:.1f} days"
    if seconds < SOON_DAYS * DAY:
        findings.warning(where, said, "renew it now, and look why it did not renew itself")
    else:
        findings.ok(where, said)
