"""An HTTP camera that sends exactly the bytes that it is given, and shows what it was sent."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cli.ports import LOOPBACK

Manner = Literal["keeps", "closes", "resets", "holds"]
"""What the camera does after an answer: waits for the next request, hangs up politely or not, or only stays silent."""


@dataclass
class RawCamera:
    """Answers the n-th request with the n-th of its answers, and from then on with the last one."""

    answers: Sequence[bytes]
    manner: Manner = "keeps"
    url: str = ""
    heads: list[str] = field(default_factory=list)
    connections: int = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head.decode("latin-1"))
                writer.write(self.answers[min(len(self.heads), len(self.answers)) - 1])
                await writer.drain()
                if self.manner == "holds":
                    await asyncio.Event().wait()
                if self.manner == "closes":
                    break
                if self.manner == "resets":
                    writer.transport.abort()
        writer.close()

    def authorizations(self) -> list[str]:
        """The way in which each request logged in."""
        found = []
        for head in self.heads:
            lines = [line for line in head.split("\r\n") if line.lower().startswith("authorization:")]
            found.append(lines[0].partition(":")[2].strip() if lines else "")
        return found


@asynccontextmanager
async def raw_camera(
    *answers: bytes, manner: Manner = "keeps", context: ssl.SSLContext | None = None
) -> AsyncIterator[RawCamera]:
    """The running camera; its connections end with it."""
    camera = RawCamera(answers, manner)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):  # asyncio's streams report it as a fault
            await camera.connected(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(connected, LOOPBACK, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    camera.url = f"{'https' if context else 'http'}://{LOOPBACK}:{port}/x.jpg?a=b"
    try:
        yield camera
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def self_signed(folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """A server's TLS with a certificate that nobody knows, and the certificate (DER). Needs openssl."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=camera",
            ),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, ssl.PEM_cert_to_DER_cert(certificate.read_text())
