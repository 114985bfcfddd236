"""Addresses with a password in them, as people write them: what makes it unclear where the password ends.

Each library guesses differently, and its guess is a host name that it asks a DNS server for, or prints: a part of the
password. So such an address is refused before anybody is asked. Standard library only: bootstrap uses it.
"""

import re
from urllib.parse import urlsplit

SPECIAL = "/ as %2F, @ as %40, : as %3A, # as %23, ? as %3F, % as %25, a comma as %2C, a space as %20"
HOW = f"write special characters of the user name and the password as %XX ({SPECIAL})"

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def flaw(url: str) -> str | None:
    """Say what is wrong with an address and how to write it; None if it is clear. Never quotes its contents."""
    if any(character.isspace() or not character.isprintable() for character in url):
        return f"there is a space or a control character in it: {HOW}"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for what is not a number
    except ValueError:
        return f"host and port cannot be told from the password: {HOW}"
    after = parts.path + parts.query + parts.fragment
    if parts.fragment or url.endswith("#"):
        return f"there is a # in it: {HOW}"
    if "@" in after or parts.netloc.count("@") > 1:
        return f"there is an @ too many, or a / or ? before it: {HOW}"
    credentials = parts.netloc.rpartition("@")[0]
    if credentials.count(":") > 1:
        return f"there is a : too many before the @: {HOW}"
    if _BROKEN_ESCAPE.search(credentials):
        return f"a % in the user name or the password is not followed by two hexadecimal digits: {HOW}"
    return None
