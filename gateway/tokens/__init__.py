"""Further tokens beside the main one: made, kept as hashes in a file, revoked, and followed while they change."""

from gateway.tokens.entries import InvalidToken, TokenEntry, make_token
from gateway.tokens.file import BrokenTokens, add_token, read_tokens, revoke_token
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
