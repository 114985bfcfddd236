"""A real server that speaks S3 (moto's), as a process."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.ports import free_port
from tests.helpers.eventually import eventually

BUCKET = "framefleet"


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Serve during the block, with an empty bucket; gives its address."""
    port = free_port()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=out, stderr=out
        )
    try:
        address = f"http://127.0.0.1:{port}"
        eventually(f"{log} answers", lambda: _made(address), 60.0)
        yield address
    finally:
        process.kill()
        process.wait(5)


def _made(address: str) -> bool:
    wish = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(wish, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False
