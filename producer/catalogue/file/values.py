"""Reads one value of cameras.yaml: a text, a number, a choice, polygons. What cannot be used is refused by its line."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from contract.errors import InvalidModelSpec
from contract.identifiers import CAMERA_ID_PATTERN
from contract.models import parse_model_spec
from contract.topology import Lane
from producer.catalogue.file.cameras import Polygon
from producer.catalogue.file.tree import Listing, Node, Scalar, Table
from producer.catalogue.redaction import redact
from producer.sources.trust import parse_fingerprint

MAX_TEXT = 100
MAX_SOURCE = 2_000
MAX_POLYGONS, MAX_CORNERS = 32, 100
MAX_FPS = 1_000
MAX_PRIORITY = 100
MAX_REFRESH = 3_600
LONGER_SIDE = 64, 10_000
TIMEOUT = 1, 120
SUGGESTED_FROM = 200  # known words; among more of them looking for a similar one takes too long

Reader = Callable[[Node], Any]

_ID = re.compile(CAMERA_ID_PATTERN)
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Cf is allowed: names in Persian or Hindi need joiners
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Refused(Exception):
    """A value that cannot be used."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def shown(text: str) -> str:
    """A text of the file as a message may show it: quoted, short, without the credentials of an address."""
    text = redact(text)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`: did you mean X?`, or the words that are known."""
    words = list(known)
    near = difflib.get_close_matches(word.lower(), words, 1) if len(words) <= SUGGESTED_FROM else []
    if near:
        return f": did you mean {near[0]}?"
    return f"; known are {', '.join(words)}" if 0 < len(words) <= 30 else ""


def scalar(node: Node) -> str:
    """What is written, without the blanks around it; nothing written is refused."""
    if not isinstance(node, Scalar):
        raise Refused(node.line, f"one value is meant, not a {_kind(node)}")
    if node.tag is not None and node.tag.startswith("!"):
        raise Refused(node.line, f"the tag {shown(node.tag)} is not known; secrets are written ${{NAME}}")
    text = node.text.strip()
    if node.null or not text:
        raise Refused(node.line, "there is no value: give one, or leave the key out")
    return text


def text(node: Node, longest: int = MAX_TEXT) -> str:
    """A text of one line."""
    value = scalar(node)
    if len(value) > longest:
        raise Refused(node.line, f"{len(value)} characters are too many: at most {longest}")
    if any(unicodedata.category(character) in _BREAKING for character in value):
        raise Refused(node.line, "a text of one line is meant, without control characters")
    return value


def source(node: Node) -> tuple[int, str]:
    """Line and text of a source; what it means is found out with the camera's id."""
    return node.line, text(node, MAX_SOURCE)


def group(node: Node) -> tuple[int, str]:
    """Line and name of a group; whether it is there is found out later."""
    return node.line, text(node)


def camera_id(node: Node) -> str:
    """A camera's id as the contract wants it."""
    value = scalar(node)
    if not _ID.match(value):
        raise Refused(node.line, f"{shown(value)} is no camera id: letters, digits, _ and -, at most 64")
    return value


def number(node: Node, lowest: float, highest: float) -> float:
    """A finite number within bounds."""
    value = scalar(node)
    if not _NUMBER.fullmatch(value):
        raise Refused(node.line, f"{shown(value)} is no number")
    if not lowest <= float(value) <= highest:
        raise Refused(node.line, f"{shown(value)} is not within {lowest:g} and {highest:g}")
    return float(value)


def fps(node: Node) -> float:
    """Frames a second, 0 for the source's own rate."""
    return number(node, 0, MAX_FPS)


def priority(node: Node) -> int:
    """A weight from 1 to 100."""
    value = number(node, 1, MAX_PRIORITY)
    if value != int(value):
        raise Refused(node.line, f"{value:g} is no whole number")
    return int(value)


def longer_side(node: Node) -> int:
    """Pixels of the longer side that pictures are made smaller to."""
    value = number(node, *LONGER_SIDE)
    if value != int(value):
        raise Refused(node.line, f"{value:g} is no whole number")
    return int(value)


def grey_levels(node: Node) -> float:
    """A difference of grey levels, of 255."""
    return number(node, 1, 254)


def share(node: Node) -> float:
    """A share of a picture, above 0."""
    return number(node, 0.0001, 0.9)


def refresh(node: Node) -> float:
    """Seconds after which an unchanged picture is sent again."""
    return number(node, 0, MAX_REFRESH)


def seconds(node: Node) -> float:
    """For how long a camera may be silent."""
    return number(node, *TIMEOUT)


def fingerprint(node: Node) -> bytes:
    """The SHA-256 of the certificate that is trusted."""
    value = scalar(node)
    try:
        return parse_fingerprint(value)
    except ValueError as error:
        raise Refused(node.line, f"{shown(value)} is {error}") from None


def switch(node: Node) -> bool:
    """true or false, or yes, no, on, off, as YAML 1.1 and 1.2 have them between them."""
    value = scalar(node)
    try:
        return _WORDS[value.lower()]
    except KeyError:
        raise Refused(node.line, f"{shown(value)} is neither true nor false") from None


def lane(node: Node) -> Lane:
    """A lane by its name."""
    value = scalar(node)
    try:
        return Lane(value)
    except ValueError:
        raise Refused(node.line, f"{shown(value)} is no lane{suggestion(value, [*Lane])}") from None


def model(node: Node) -> str:
    """A model specification in its canonical spelling; whether the model exists only workers know."""
    try:
        return str(parse_model_spec(scalar(node)))
    except InvalidModelSpec as error:
        raise Refused(node.line, str(error)) from None


def masks(node: Node) -> tuple[Polygon, ...]:
    """A list of polygons; an empty one for none."""
    return tuple(polygon(item) for item in _listing(node, "polygons", MAX_POLYGONS))


def polygon(node: Node) -> Polygon:
    """Three or more corners that enclose something."""
    corners = tuple(_corner(item) for item in _listing(node, "corners [x, y]", MAX_CORNERS))
    if len(corners) < 3:
        raise Refused(node.line, f"a polygon has at least 3 corners, not {len(corners)}")
    (x0, y0), edges = corners[0], pairwise(corners)
    if all((x1 - x0) * (y2 - y0) == (x2 - x0) * (y1 - y0) for (x1, y1), (x2, y2) in edges):
        raise Refused(node.line, "the corners lie on one line: nothing would be masked")
    return corners


def _corner(node: Node) -> tuple[float, float]:
    pair = _listing(node, "two numbers, [x, y]", 2)
    if len(pair) != 2:
        raise Refused(node.line, f"a corner is two numbers, [x, y], not {len(pair)}")
    x, y = (_fraction(item) for item in pair)
    return x, y


def _fraction(node: Node) -> float:
    try:
        return number(node, 0, 1)
    except Refused as refused:
        raise Refused(
            refused.line,
            f"{refused}; corners are fractions of width and height: 0 is left or top, 1 right or bottom",
        ) from None


def _listing(node: Node, what: str, most: int) -> list[Node]:
    if not isinstance(node, Listing):
        raise Refused(node.line, f"a list of {what} is meant, not a {_kind(node)}")
    if len(node.items) > most:
        raise Refused(node.line, f"at most {most} {what}, not {len(node.items)}")
    return node.items


def _kind(node: Node) -> str:
    return {Scalar: "single value", Listing: "list", Table: "group of keys"}[type(node)]
