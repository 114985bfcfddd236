"""Checks whether a stream's certificate is trusted. FFmpeg looks at none unless it is told to, as it is here."""

import contextlib
import hashlib
import os
import socket
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from producer.errors import SourceError
from producer.sources.streams.messages import DecodeRequest
from producer.trust import UNVERIFIED, mistrust, written

SECONDS = 5.0  # for one look at a certificate
PORTS = {"rtsps": 322, "rtmps": 443}
BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))


@contextlib.contextmanager
def tls_options(request: DecodeRequest) -> Iterator[dict[str, str]]:
    """FFmpeg's options for the certificate of the requested stream; they hold while it is opened.

    Raises SourceError if the certificate is not the one that is pinned by its fingerprint, or cannot be used.
    """
    if urlsplit(request.url).scheme.lower() not in PORTS:
        yield {}
    elif request.fingerprint is not None:
        pem, name = _pinned(request, request.fingerprint)
        # In memory: this process may write no file.
        with open(os.memfd_create("certificate.pem"), "w") as file:
            file.write(pem)
            file.flush()
            yield {"tls_verify": "1", "ca_file": f"/proc/self/fd/{file.fileno()}", "verifyhost": name}
    elif request.verify:
        bundle = authorities()
        yield {"tls_verify": "1", **({"ca_file": bundle} if bundle else {})}
    else:
        yield {"tls_verify": "0"}


def complaint(request: DecodeRequest) -> SourceError | None:
    """What is wrong with the certificate, if that is why a stream did not open; FFmpeg does not say. Takes seconds."""
    if urlsplit(request.url).scheme.lower() not in PORTS or not request.verify:
        return None
    context = ssl.create_default_context(cafile=authorities())
    try:
        _certificate(request.url, context)
    except ssl.SSLCertVerificationError as error:
        try:
            shown = _certificate(request.url, UNVERIFIED.context())
        except OSError:
            return None
        return SourceError(
            "tls",
            f"{request.shown} has a certificate that is not trusted here ({mistrust(error)}): if it is its own, "
            f"set tls: {written(hashlib.sha256(shown).digest())}",
        )
    except ssl.SSLError:
        return SourceError(
            "tls", f"{request.shown} does not speak TLS, or none that is known here: check the port"
        )
    except OSError:
        pass
    return None


def _pinned(request: DecodeRequest, fingerprint: bytes) -> tuple[str, str]:
    """The certificate that the stream shows, if it is the pinned one, and a name in it that FFmpeg can ask for."""
    try:
        shown = _certificate(request.url, UNVERIFIED.context())
        if hashlib.sha256(shown).digest() != fingerprint:
            raise SourceError(
                "tls",
                f"{request.shown} shows another certificate than the one of its fingerprint "
                f"({written(hashlib.sha256(shown).digest())})",
            )
        pem = ssl.DER_cert_to_PEM_cert(shown)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself, whoever signed it
        context.load_verify_locations(cadata=pem)
        names = _names(request.url, context)
    except ssl.SSLCertVerificationError as error:
        raise SourceError(
            "tls",
            f"{request.shown}: the certificate of its fingerprint cannot be used ({mistrust(error)}): "
            "renew it, or set tls: off",
        ) from None
    except ssl.SSLError:
        raise SourceError("tls", f"{request.shown} does not speak TLS, or none that is known here") from None
    except TimeoutError:
        raise SourceError("timeout", f"{request.shown} does not show its certificate in time") from None
    except socket.gaierror:
        raise SourceError("dns", f"the host of {request.shown} is not known: check its name") from None
    except ConnectionRefusedError:
        raise SourceError("refused", f"{request.shown} refuses the connection: check host and port") from None
    except OSError as error:
        raise SourceError(
            "unreachable", f"{request.shown} cannot be reached: {os.strerror(error.errno or 0)}"
        ) from None
    if not names:
        raise SourceError("tls", f"{request.shown}: its certificate has no name: renew it, or set tls: off")
    return pem, names[0]


def _certificate(url: str, context: ssl.SSLContext) -> bytes:
    with _shaken(url, context) as line:
        return line.getpeercert(binary_form=True) or b""


def _names(url: str, context: ssl.SSLContext) -> list[str]:
    with _shaken(url, context) as line:
        shown = line.getpeercert() or {}
    names = [str(pair[1]) for pair in shown.get("subjectAltName", ()) if pair[0] in ("DNS", "IP Address")]
    common = [str(pair[1]) for each in shown.get("subject", ()) for pair in each if pair[0] == "commonName"]
    return [name.replace("*", "x") for name in (*names, *common)]


def _shaken(url: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    parts = urlsplit(url)
    host = parts.hostname or ""
    line = socket.create_connection((host, parts.port or PORTS[parts.scheme.lower()]), SECONDS)
    try:
        return context.wrap_socket(line, server_hostname=host)
    except BaseException:
        line.close()
        raise


@cache
def authorities() -> str | None:
    """A file of the authorities that this machine trusts; None where Python knows none, and FFmpeg uses its own.

    It is a copy in memory: whoever has asked before being confined may read it as another user, too.
    """
    named = ssl.get_default_verify_paths().cafile
    path = Path(named) if named else next((path for path in BUNDLES if path.exists()), None)
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return str(path)
    copy = os.memfd_create("authorities.pem")
    with open(copy, "wb", closefd=False) as file:
        file.write(content)
    return f"/proc/self/fd/{copy}"
