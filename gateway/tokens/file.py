"""The file of further tokens: read as a whole, and replaced as a whole under a lock, readable by its owner only."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gateway.errors import BrokenTokens, InvalidToken
from gateway.tokens.entries import TokenEntry, make_token
from gateway.tokens.roles import Role
from runtime.followed_files import locked, replace_whole

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
            f"{path} is not a file of tokens ({error}): bring back a copy, or move it away and make new tokens"
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


def _write(path: Path, entries: Sequence[TokenEntry]) -> None:
    body = msgspec.json.encode(_File(list(entries)))
    replace_whole(path, msgspec.json.format(body, indent=2) + b"\n")
