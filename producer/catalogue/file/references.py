"""Fills in `${NAME}` in a source; the value is never shown."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from producer.catalogue.file.variables import FILE, PREFIX
from producer.errors import InvalidReference

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


def names(template: str) -> list[str]:
    """The variables that `template` refers to, in their order, each once."""
    found = (match["name"] for match in _REFERENCE.finditer(template) if match["name"])
    return list(dict.fromkeys(found))


def fill_in(template: str, environment: Mapping[str, str]) -> str:
    """`template` with each `${NAME}` replaced by the variable NAME; `$${` stands for `${`. Raises InvalidReference.

    In the user name, the password and the query of an address the value is percent-encoded, so that the variable can
    hold a password as it is, whatever its characters; elsewhere the value is put in unchanged.
    """
    if "${" not in template:
        return template
    encoded = _encoded_places(template)

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match["name"]
        if name is None:
            raise InvalidReference(
                "after ${ comes the name of an environment variable and }, as in ${CAMERA_GATE_PASSWORD} "
                "(a ${ that is meant as it is: $${)"
            )
        text = environment.get(name, "")
        if not text:
            raise InvalidReference(_absent(name))
        return quote(text, safe="") if any(match.start() in place for place in encoded) else text

    return _REFERENCE.sub(value, template)


def _absent(name: str) -> str:
    if name.startswith(PREFIX):
        return f"the environment variable {name} is not set or empty"
    return (
        f"there is no {name} in {FILE} beside the file, or it is empty; from the environment comes only what begins "
        f"with {PREFIX}: call it {PREFIX}{name}, or write {name}='...' into {FILE}"
    )


def _encoded_places(template: str) -> list[range]:
    """The parts of an address that are its user name and password, and its query (RFC 3986, section 3)."""
    scheme = template.find("://")
    if scheme < 0:
        return []
    start = scheme + 3
    authority = re.split(r"[/?#]", template[start:], maxsplit=1)[0]
    at, query = authority.rfind("@"), template.find("?", start)
    return [range(start, start + max(0, at)), range(query, len(template)) if query >= 0 else range(0)]
