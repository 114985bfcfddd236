"""The file of further tokens: read as a whole, and replaced as a whole under a lock, readable by its owner only."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gateway.errors import BrokenTokens, InvalidToken
from gateway.tokens.entries import TokenEntry, make_token
from gateway.tokens.roles import Role

FILE = "tokens.json"
MAX_TOKENS = 1_000
FORGET_SECONDS = 90 * 24 * 3600.0
"""How long a revoked or expired token is still listed, once others are added."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    tokens: list[TokenEntry]


def read_tokens(path: Path) -> tuple[TokenEntry, ...]:
    """The tokens in the file; none if there is no file. Raises BrokenTokens, and OSError if it cannot be read now."""
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_File)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenTokens(
            f"{path} is no file of tokens ({error}): bring back a copy, or move it away and make new tokens"
        ) from None
    if len({entry.id for entry in read.tokens}) < len(read.tokens):
        raise BrokenTokens(f"{path} has two tokens with one id: take one of them out")
    return tuple(read.tokens)


def add_token(path: Path, name: str, role: Role, wall: float, expires: float | None) -> str:
    """Make a token and keep its hash; returns the token, which nobody can show again.

    Raises InvalidToken, BrokenTokens, OSError.
    """
    entry, token = make_token(name, role, wall, expires)
    with locked(path):
        kept = [each for each in read_tokens(path) if not _forgotten(each, wall)]
        if any(each.name == name and each.state(wall) == "valid" for each in kept):
            raise InvalidToken(
                f"there is a token named {name} already: revoke it first, or take another name"
            )
        if any(each.id == entry.id for each in kept) or len(kept) >= MAX_TOKENS:
            raise InvalidToken(f"there are {len(kept)} tokens: revoke those that nobody needs, or try again")
        _write(path, [*kept, entry])
    return token


def revoke_token(path: Path, name: str, wall: float) -> TokenEntry:
    """Revoke the token with that name or id. Raises InvalidToken, BrokenTokens, OSError."""
    with locked(path):
        kept = read_tokens(path)
        found = [each for each in kept if name in (each.name, each.id) and each.revoked is None]
        if not found:
            raise InvalidToken(f"there is no token {name} that is not revoked: `list` shows them")
        revoked = [replace(each, revoked=wall) if each in found else each for each in kept]
        _write(path, revoked)
    return replace(found[-1], revoked=wall)


def _forgotten(entry: TokenEntry, wall: float) -> bool:
    end = entry.revoked if entry.revoked is not None else entry.expires
    return end is not None and wall - end > FORGET_SECONDS


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep others from changing the file during the block: two at once would each lose the other's change."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = path.with_name(f"{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _give_to_owner_of(path.parent, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, entries: Sequence[TokenEntry]) -> None:
    rewrite(path, msgspec.json.format(msgspec.json.encode(_File(list(entries))), indent=2) + b"\n")


def rewrite(path: Path, content: bytes) -> None:
    """Replace the file, for its owner's eyes; after a crash it is the old one or the new one. Raises OSError."""
    descriptor, written = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            _give_to_owner_of(path.parent, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(path)
    except OSError:
        Path(written).unlink(missing_ok=True)
        raise


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    """A command that root ran must not leave a file that the gateway cannot read."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
