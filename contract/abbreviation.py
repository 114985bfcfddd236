"""Abbreviates text that is too long for its place, so that two different texts stay different."""

import hashlib

MARK = "~"
DIGITS = 16


def shortened(value: bytes, limit: int) -> bytes:
    """Return `value` if it has at most `limit` bytes, else its beginning, `~` and a digest of the whole.

    A sender recognises the beginning, and the same text becomes the same at every delivery.
    """
    if len(value) <= limit:
        return value
    digest = f"{MARK}{hashlib.sha256(value).hexdigest()[:DIGITS]}".encode()
    # The cut must not leave half a character.
    return value[: limit - len(digest)].decode("utf-8", "ignore").encode() + digest
