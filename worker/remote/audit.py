"""What was sent where: a line of JSON for each picture that left, in a file for each day.

Neither pictures nor keys nor the words of a prompt are in it: digests, by which a picture that is still there can be
recognised.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from msgspec import Struct
from msgspec.json import Encoder

PROBE = ".audit-probe"
PROBE_BYTES = 4_096
_encoder = Encoder()


class Sent(Struct, frozen=True, kw_only=True):
    """A picture that is about to leave the house, one line for each attempt. `sha256` is that of the JPEG that is sent,
    `prompt` of the words."""

    time: str
    node_id: str
    camera_id: str
    frame_id: str
    endpoint: str
    model: str
    sha256: str
    bytes: int
    width: int
    height: int
    blurred: bool
    prompt: str


class AuditLog:
    """The log in a folder; days of UTC, kept for `days`. Each line is handed to the system at once."""

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._days = days
        self._day = ""
        self._file: IO[bytes] | None = None

    def write(self, sent: Sent) -> None:
        """Add a line. Raises OSError: what cannot be written down is not to be sent."""
        self._of(sent.time[:10]).write(_encoder.encode(sent) + b"\n")

    def check(self, now: float) -> None:
        """Raise OSError unless a line could be written now (Unix seconds): the file opens, and the disk has room."""
        self._of(moment(now)[:10])
        probe = self._folder / PROBE
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)

    def _of(self, day: str) -> IO[bytes]:
        if self._file is None or day != self._day:
            self.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = (self._folder / f"audit-{day}.ndjson").open("ab", buffering=0)
            self._day = day
            self._tidy(day)
        return self._file

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _tidy(self, day: str) -> None:
        oldest = (datetime.fromisoformat(day) - timedelta(days=self._days)).date().isoformat()
        for path in self._folder.glob("audit-????-??-??.ndjson"):
            if path.stem.removeprefix("audit-") < oldest:
                path.unlink(missing_ok=True)


def moment(now: float) -> str:
    """A time (Unix seconds) as the log writes it."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
