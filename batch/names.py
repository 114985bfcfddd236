"""Paths as bytes, which is what the system has, and as the text that people and programs read."""

import base64
import os

MEMBER = b"!/"
"""Between an archive's path and the name of what is in it."""


def shown(path: bytes) -> str:
    """The path as text for people: what is no UTF-8 becomes U+FFFD, control characters are escaped."""
    text = path.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def fields(path: bytes) -> dict[str, str]:
    """The path as fields of a JSON object. Where it is no UTF-8, `path_base64` has its exact bytes beside."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": path.decode("utf-8", "replace"), "path_base64": base64.b64encode(path).decode()}


def member_path(archive: bytes, member: str) -> bytes:
    """The path of what is in an archive: `photos.zip!/2024/a.jpg`."""
    return archive + MEMBER + os.fsencode(member)


def relative(path: bytes, root: bytes) -> bytes:
    """The path from `root`, both absolute, for a folder of outputs: it never leads out, whatever an archive says."""
    inside = os.path.relpath(path, root)
    parts = [part for part in inside.split(b"/") if part not in (b"", b".", b"..")]
    return b"/".join(parts) or b"unnamed"
