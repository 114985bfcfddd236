"""Sessions that were signed out, remembered past a restart for as long as their cookies would have lasted.

In GATEWAY_DATA_DIR/signed-out, a line each: `<Unix seconds> <token id> <nonce>`. Lines are appended, and gateways that
share the folder read each other's. There is room for MAX_SIGN_OUTS; then `*` takes the place of all nonces of the token
that has most of them, and every session of it that began before is over: whoever signs out again and again brings
nobody else's session back.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.security.sessions import CLOCK_SKEW_SECONDS, SESSION_SECONDS, BrowserSession
from runtime.followed_files import locked, replace_whole
from runtime.logs import get_logger

log = get_logger("gateway")

FILE = "signed-out"
MAX_SIGN_OUTS = 10_000
ALL = "*"
KEPT_SECONDS = SESSION_SECONDS + CLOCK_SKEW_SECONDS

_LINE = re.compile(rb"(\d{1,12}) (main|[0-9a-f]{8}) (\*|[A-Za-z0-9_-]{12})")
SignOutLine = tuple[int, str, str]


class SignOuts:
    """Knows which sessions were signed out. Without a path they are forgotten with the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: tuple[int, int] = (0, 0)
        """The inode that was read, and how far."""
        self._lines = 0
        self._nonces: dict[str, tuple[int, str]] = {}
        self._tokens: dict[str, int] = {}

    def over(self, session: BrowserSession) -> bool:
        """Whether this session was signed out, under whichever of its cookies."""
        return session.nonce in self._nonces or session.begin <= self._tokens.get(session.token_id, -1)

    def add(self, token_id: str, nonce: str, wall: float) -> None:
        """Sign a session out. Where the file cannot be written, that holds until the gateway restarts."""
        self.keep([(int(wall), token_id, nonce)])

    def keep(self, lines: Sequence[SignOutLine]) -> None:
        """Do the same with several, in one write."""
        for line in lines:
            self._remember(line)
        if self._path is None or not lines:
            return
        try:
            with locked(self._path):
                descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with open(descriptor, "wb") as file:
                    # On a line of its own: the one before may have been cut short by a full disk.
                    file.write(b"\n" + b"".join(map(written, lines)))
        except OSError as error:
            log.warning(
                "a sign-out cannot be kept: it holds until the gateway restarts",
                file=str(self._path),
                error=error.strerror or str(error),
            )

    def lines(self) -> list[SignOutLine]:
        """All that is known: when, of which token, and which session of it (or ALL)."""
        return [
            *((when, token_id, ALL) for token_id, when in self._tokens.items()),
            *((when, token_id, nonce) for nonce, (when, token_id) in self._nonces.items()),
        ]

    def knows(self, line: SignOutLine) -> bool:
        """Whether that says nothing new."""
        when, token_id, nonce = line
        if nonce == ALL:
            return when <= self._tokens.get(token_id, -1)
        return nonce in self._nonces or when <= self._tokens.get(token_id, -1)

    def refresh(self, wall: float) -> frozenset[str]:
        """Read what was added to the file; returns the nonces that were not known. Raises OSError. Costs one stat."""
        if self._path is None:
            return frozenset()
        try:
            seen = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
        inode, offset = self._file
        if (seen.st_ino, seen.st_size) == (inode, offset):
            return frozenset()
        if seen.st_ino != inode or seen.st_size < offset:
            offset = self._lines = 0
        with self._path.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            file.seek(offset)
            read = file.read()
        read = read[: read.rfind(b"\n") + 1]  # the rest of a line comes later
        before = set(self._nonces)
        lines = list(read_lines(read))
        for line in lines:
            self._remember(line)
        self._file, self._lines = (inode, offset + len(read)), self._lines + len(lines)
        self._forget(wall)
        if self._lines > 2 * MAX_SIGN_OUTS:
            self._shorten(self._path)
        return frozenset(self._nonces).difference(before)

    def _remember(self, line: SignOutLine) -> None:
        when, token_id, nonce = line
        if nonce == ALL:
            self._tokens[token_id] = max(when, self._tokens.get(token_id, 0))
            self._nonces = {
                each: (begin, token)
                for each, (begin, token) in self._nonces.items()
                if token != token_id or begin > when
            }
            return
        if when <= self._tokens.get(token_id, -1):
            return
        self._nonces[nonce] = (when, token_id)
        if len(self._nonces) > MAX_SIGN_OUTS:
            self._forget(when)
        if len(self._nonces) > MAX_SIGN_OUTS:
            greediest = Counter(token for _, token in self._nonces.values()).most_common(1)[0][0]
            self._remember((when, greediest, ALL))

    def _forget(self, wall: float) -> None:
        """Drop what no cookie can be about any more."""
        oldest = wall - KEPT_SECONDS
        self._nonces = {nonce: known for nonce, known in self._nonces.items() if known[0] >= oldest}
        self._tokens = {token_id: when for token_id, when in self._tokens.items() if when >= oldest}

    def _shorten(self, path: Path) -> None:
        """Write the file again, with what is known and nothing twice."""
        with locked(path):
            for line in read_lines(path.read_bytes()):
                self._remember(line)
            kept = self.lines()
            text = b"".join(map(written, kept))
            replace_whole(path, text)
            self._file, self._lines = (path.stat().st_ino, len(text)), len(kept)


def written(line: SignOutLine) -> bytes:
    when, token_id, nonce = line
    return f"{when} {token_id} {nonce}\n".encode()


def read_lines(text: bytes) -> Iterator[SignOutLine]:
    """Yield the sign-outs in a piece of the file; what is none (cut short, or somebody's notes) is left out."""
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            yield int(found[1]), found[2].decode(), found[3].decode()
