"""Shows addresses and texts without their secrets, wherever a person may read them."""

import re

SHOWN = 60  # characters
_USER = re.compile(r"://[^/?#]*@")
# This may be a password with one of / ? # that is not percent-encoded: nobody can say where it ends.
_SPOILT = re.compile(r"://(?:[^/?#]*[:@][^/?#]*[/?#].*@|[^/?#]*[/?#](?:(?!://).)*:(?!//).*@).*", re.DOTALL)
# In the place of a port: a password whose address was cut off at a space or a #, say.
_NO_PORT = re.compile(r"(://[^/?#@:\[\]]*):(?!(?:\d*|\$\{\w+\})(?:[/?#]|$))[^/?#]*", re.ASCII)
# Behind what is a host for certain, without a login before it, an @ is nothing but an @.
_CERTAIN = re.compile(r"://(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:.]+\])(?::\d+)?[/?#]", re.ASCII)
# What stands before :// in the place of a scheme; a reference of cameras.yaml is not a secret.
_SCHEME = re.compile(r"(?:[\w+.-]|\$\{\w+\})*", re.ASCII)
# A text without :// may be a login if there is an @ in its first part, or a colon before one.
_BARE_LOGIN = re.compile(r"[^/]*@|.*:.*@", re.DOTALL)
_QUERY_VALUE = re.compile(r"=[^&;]*")


def doubtful(target: str) -> bool:
    """Whether nobody can tell where the login of an address ends.

    What looks like its host may then be half a password, which must not be looked up.
    """
    return bool(_SPOILT.search(target)) and not _CERTAIN.search(target)


def redact(target: str) -> str:
    """A URL without its user name, its password and the values of its query, where cameras take passwords, too.

    Texts that look as if their scheme was forgotten are treated the same; paths stay as they are. The result is for
    people, not for programs: the URL need not be valid, and if the end of its password is in doubt, all is hidden.
    """
    scheme, separator, rest = target.partition("://")
    if not separator:
        login = _BARE_LOGIN.match(target)
        address, _, query = (f"***@{target.rpartition('@')[2]}" if login else target).partition("?")
        return f"{address}?{_QUERY_VALUE.sub('=***', query)}" if query else address
    if not _SCHEME.fullmatch(scheme):
        scheme = "***"
    target = f"{scheme}://{rest}"
    bare = _NO_PORT.sub(r"\1:***", _USER.sub("://", _SPOILT.sub("://***", target)))
    address, _, query = bare.partition("#")[0].partition("?")
    return f"{address}?{_QUERY_VALUE.sub('=***', query)}" if query else address


def shown(text: str) -> str:
    """A text of a file as a message may show it: quoted, short, without the credentials of an address."""
    text = redact(text)
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}...")
