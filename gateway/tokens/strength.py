"""Whether a token can be guessed: one that a person made up may be, 256 random bits are not."""

import re
import secrets

_RANDOM = {re.compile(r"[A-Za-z0-9+/_-]{43,}=?"): 20, re.compile(r"[0-9a-f]{64,}"): 12}
"""How 256 random bits are written, in base64 or hexadecimal, and the fewest different characters that are believed:
of a million random ones about ten have fewer."""


def random_token() -> str:
    """A new token of 256 random bits, which is seen to be that."""
    while not is_random(token := secrets.token_urlsafe(32)):
        pass
    return token


def is_random(token: str) -> bool:
    """Whether a token looks like 256 random bits, as ours and those of `openssl rand -hex 32` do.

    Words strung together have no digits between them, or few different letters, or spaces.
    """
    if not (any(map(str.isdigit, token)) and any(map(str.isalpha, token))):
        return False
    return any(form.fullmatch(token) and len(set(token)) >= least for form, least in _RANDOM.items())
