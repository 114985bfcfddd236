"""Text that is too long for its place, cut so that two different ones stay different."""

import hashlib

MARK = "~"
DIGITS = 16


def shortened(value: bytes, limit: int) -> bytes:
    """UTF-8 of at most `limit` bytes: as it is, or its beginning, `~` and a digest of the whole.

    A sender recognises the beginning, and the same text becomes the same at every delivery.
    """
    if len(value) <= limit:
        return value
    digest = f"{MARK}{hashlib.sha256(value).hexdigest()[:DIGITS]}".encode()
    # Not in the middle of a character.
    return value[: limit - len(digest)].decode("utf-8", "ignore").encode() + digest
