"""Further tokens beside the main one: made, kept as hashes in a file, revoked, and followed while they change."""

from gateway.errors import BrokenTokens, InvalidToken
from gateway.tokens.entries import TokenEntry, make_token
from gateway.tokens.file import add_token, read_tokens, revoke_token
from gateway.tokens.keyring import Keyring

__all__ = [
    "BrokenTokens",
    "InvalidToken",
    "Keyring",
    "TokenEntry",
    "add_token",
    "make_token",
    "read_tokens",
    "revoke_token",
]
