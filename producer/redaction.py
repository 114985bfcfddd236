"""Addresses without their secrets, wherever a person may read them."""

import re
from urllib.parse import urlsplit

_QUERY_VALUE = re.compile(r"=[^&;]*")


def redact(target: str) -> str:
    """A URL without user name, password and values of its query (cameras take passwords there); paths unchanged."""
    if "://" not in target:
        return target
    try:
        parts = urlsplit(target)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return target.partition("://")[0] + "://(unreadable address)"
    query = "?" + _QUERY_VALUE.sub("=***", parts.query) if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{query}"
