"""Reads how a camera wants a login: the challenges of its `WWW-Authenticate` headers (RFC 9110 §11.6.1). Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_BYTES = 8192
_QUOTED_PAIR = re.compile(r'\\(["\\])')

# A word, and if an equals sign follows, its value: quoted, where commas mean nothing, or up to the next comma.
_WORD = re.compile(r"""([^\s,="]+)(?:\s*=\s*("(?:[^"\\]|\\.)*(?:"|\Z)|[^\s,]*))?|.""", re.DOTALL)


@dataclass(frozen=True)
class Challenge:
    """One way to log in: its scheme and its fields, with names in lower case."""

    scheme: str
    fields: Mapping[str, str]


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """All challenges of all headers, in their order. Several may share a header, and cameras forget commas."""
    found: list[Challenge] = []
    for header in headers:
        fields: dict[str, str] | None = None
        for match in _WORD.finditer(header[:MOST_BYTES]):
            word, value = match[1], match[2]
            if word is None:
                continue
            if value is not None:
                if fields is not None:
                    fields.setdefault(word.lower(), _unquoted(value))
            elif fields is not None and word.lower() in ("auth", "auth-int") and "qop" in fields:
                fields["qop"] += f",{word}"  # a list that should have been quoted
            else:
                fields = {}
                found.append(Challenge(word.lower(), fields))
    return found


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _QUOTED_PAIR.sub(r"\1", value[1:].removesuffix('"'))
