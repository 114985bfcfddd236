"""Addresses without their secrets, wherever a person may read them."""

import re

SHOWN = 60  # characters
_USER = re.compile(r"://[^/?#]*@")
# What may be a password with one of / ? # that is not percent-encoded: where it ends, nobody can say.
_SPOILT = re.compile(r"://(?:[^/?#]*[:@][^/?#]*[/?#].*@|[^/?#]*[/?#](?:(?!://).)*:(?!//).*@).*", re.DOTALL)
# Behind a host that is one for certain, and no login before it, an @ is nothing but an @.
_CERTAIN = re.compile(r"://(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:.]+\])(?::\d+)?[/?#]", re.ASCII)
# What stands before :// where a scheme should; a reference of cameras.yaml is no secret.
_SCHEME = re.compile(r"(?:[\w+.-]|\$\{\w+\})*", re.ASCII)
# Without ://, what ends with an @ in its first part, or has a colon before one, may be a login.
_BARE_LOGIN = re.compile(r"[^/]*@|.*:.*@", re.DOTALL)
_QUERY_VALUE = re.compile(r"=[^&;]*")


def doubtful(target: str) -> bool:
    """Whether it cannot be told where the login of an address ends. What looks like its host may be half a password:
    nobody may look that up."""
    return bool(_SPOILT.search(target)) and not _CERTAIN.search(target)


def redact(target: str) -> str:
    """A URL without user name, password and values of its query (cameras take passwords there); paths unchanged.
    The same of what looks as if its scheme was forgotten.

    For people, not for programs: it needs no valid URL, and of one whose end of the password is in doubt it hides all.
    """
    scheme, separator, rest = target.partition("://")
    if not separator:
        login = _BARE_LOGIN.match(target)
        address, _, query = (f"***@{target.rpartition('@')[2]}" if login else target).partition("?")
        return f"{address}?{_QUERY_VALUE.sub('=***', query)}" if query else address
    if not _SCHEME.fullmatch(scheme):
        scheme = "***"
    target = f"{scheme}://{rest}"
    address, _, query = _USER.sub("://", _SPOILT.sub("://***", target)).partition("#")[0].partition("?")
    return f"{address}?{_QUERY_VALUE.sub('=***', query)}" if query else address


def shown(text: str) -> str:
    """A text of a file as a message may show it: quoted, short, without the credentials of an address."""
    text = redact(text)
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}...")
