"""Certificates, good and bad, of a server at 127.0.0.1; and such a server in front of one that speaks no TLS."""

import asyncio
import contextlib
import hashlib
import itertools
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.components import require

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
OURS = "subjectAltName=IP:127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """A server's certificate: its TLS, and the SHA-256 of what it shows."""

    context: ssl.SSLContext
    fingerprint: bytes


@dataclass(frozen=True)
class Certificates:
    """One certificate of each kind; `authority` is the file of whoever signed those that are `signed`."""

    authority: Path
    kinds: dict[str, Certificate]


def make_certificates(folder: Path) -> Certificates:
    """`good`; `expired`; of an `other name`, both signed; and `self-signed`, in the right name."""
    authority = folder / "authority.pem"
    _openssl(
        "req", "-x509", *KEY, "-keyout", f"{folder}/authority.key", "-out", str(authority), "-subj", "/CN=A"
    )
    kinds = {
        "good": _signed(folder, "good", OURS),
        "expired": _signed(folder, "expired", OURS, days="-1"),
        "other name": _signed(folder, "other", "subjectAltName=DNS:cam-7.example"),
    }
    key, own = folder / "own.key", folder / "own.pem"
    _openssl("req", "-x509", *KEY, "-keyout", str(key), "-out", str(own), "-subj", "/CN=own", "-addext", OURS)
    return Certificates(authority, {**kinds, "self-signed": _certificate(own, key)})


def turned(first: Certificate, then: Certificate) -> Certificate:
    """The first certificate for the first connection, the other one for all that follow: somebody comes in between."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown = itertools.chain([first], itertools.repeat(then))

    def choose(line: ssl.SSLObject, *_: object) -> None:
        line.context = next(shown).context

    context.sni_callback = choose
    return Certificate(context, then.fingerprint)


@dataclass
class TlsFront:
    """Speaks TLS for a server that does not, and notes what it was told."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)


@contextlib.asynccontextmanager
async def tls_front(port: int, certificate: Certificate) -> AsyncIterator[TlsFront]:
    """The server at `port` of this machine, behind this certificate."""
    front = TlsFront()
    tasks: set[asyncio.Task[None]] = set()

    async def passes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        behind = None
        try:
            # Before this nobody is asked: the server may serve one client only.
            first = await reader.read(65_536)
            front.heard += first
            if first:
                up, behind = await asyncio.open_connection("127.0.0.1", port)
                behind.write(first)
                await asyncio.wait(
                    [
                        asyncio.ensure_future(_pass(reader, behind, front.heard)),
                        asyncio.ensure_future(_pass(up, writer, bytearray())),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            if behind is not None:
                behind.transport.abort()

    server = await asyncio.start_server(passes, "127.0.0.1", 0, ssl=certificate.context)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            heard += piece
            writer.write(piece)
            await writer.drain()


def _signed(folder: Path, name: str, names: str, days: str = "2") -> Certificate:
    key, request, made = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    _openssl("req", *KEY, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}", "-addext", names)
    by = ("-CA", f"{folder}/authority.pem", "-CAkey", f"{folder}/authority.key", "-CAcreateserial")
    _openssl(
        "x509", "-req", "-in", str(request), *by, "-copy_extensions", "copy", "-days", days, "-out", str(made)
    )
    return _certificate(made, key)


def _certificate(file: Path, key: Path) -> Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read_text())).digest())


def _openssl(*arguments: str) -> None:
    subprocess.run([require("openssl"), *arguments], check=True, capture_output=True)
