"""The keys of cameras.yaml as pydantic checks them: the type of each, its bounds, and what it means.

Pydantic is given the nodes of the file, not Python's values: a validator here takes a node and returns what pydantic
then checks further. YAML's own guesses at types are never asked for (see `tree`).
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic takes the one of `typing` from Python 3.12 on only

from contract.errors import InvalidModelSpec
from contract.identifiers import CAMERA_ID_PATTERN
from contract.models import parse_model_spec
from contract.topology import Lane
from producer.catalogue.file.cameras import Polygon
from producer.catalogue.file.tree import ListNode, Node, ScalarNode, TableNode
from producer.reach import parse_host
from producer.redaction import redact, shown
from producer.trust import Trust, parse_fingerprint, parse_tls

MAX_TEXT = 100
MAX_SOURCE = 2_000
MAX_POLYGONS, MAX_CORNERS = 32, 100
MAX_HOSTS = 32

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Cf is allowed: names in Persian or Hindi need joiners
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_KINDS = {ScalarNode: "single value", ListNode: "list", TableNode: "group of keys"}


def _refusal(node: Node, meant: str) -> ValueError:
    return ValueError(f"{meant}, not a {_KINDS[type(node)]}")


def _word(node: Node) -> str:
    """What is written, without the blanks around it."""
    if not isinstance(node, ScalarNode):
        raise _refusal(node, "one value is meant")
    if node.tag is not None and node.tag.startswith("!"):
        raise ValueError(f"the tag {shown(node.tag)} is not known; secrets are written ${{NAME}}")
    text = node.text.strip()
    if node.null or not text:
        raise ValueError("there is no value: give one, or leave the key out")
    return text


def _number(node: Node) -> float:
    # `float` alone would take 1_0, nan and the digits of other scripts as well.
    if not _NUMBER.fullmatch(word := _word(node)):
        raise ValueError(f"{shown(word)} is not a number")
    return float(word)


def _switch(node: Node) -> bool:
    """True or false in the words that YAML 1.1 and 1.2 have for them between them."""
    if (value := _SWITCH.get((word := _word(node)).lower())) is None:
        raise ValueError(f"{shown(word)} is neither true nor false")
    return value


def _fingerprint(node: Node) -> bytes:
    word = _word(node)
    try:
        return parse_fingerprint(word)
    except ValueError as error:
        raise ValueError(f"{shown(word)} is {error}") from None


def _tls(node: Node) -> Trust:
    word = _word(node)
    try:
        return parse_tls(word)
    except ValueError as error:
        raise ValueError(f"{shown(word)} is {error}") from None


def _host(node: Node) -> str:
    word = _word(node)
    try:
        return parse_host(word)
    except ValueError as error:
        raise ValueError(f"{shown(word)} is {error}") from None


def _items(what: str, most: int) -> Callable[[Node], list[Node]]:
    """Takes the nodes of a list of at most so many."""

    def items(node: Node) -> list[Node]:
        if not isinstance(node, ListNode):
            raise _refusal(node, f"a list of {what} is meant")
        if len(node.items) > most:
            raise ValueError(f"at most {most} {what}, not {len(node.items)}")
        return node.items

    return items


def _pair(node: Node) -> list[Node]:
    if not isinstance(node, ListNode):
        raise _refusal(node, "a corner is two numbers, [x, y]")
    if len(node.items) != 2:
        raise ValueError(f"a corner is two numbers, [x, y], not {len(node.items)}")
    return node.items


def _one_line(text: str) -> str:
    # Nearly every text is printable; a look at each character takes longer than all else that is done with it.
    if not text.isprintable() and any(unicodedata.category(each) in _BREAKING for each in text):
        raise ValueError("a text of one line is meant, without control characters")
    return text


def _model(text: str) -> str:
    try:
        return str(parse_model_spec(text))
    except InvalidModelSpec as error:
        # Its message repeats the text, or a part of it: a login that got into the wrong place must not be shown.
        raise ValueError(
            str(error) if redact(text) == text else f"{shown(text)} is not a model name"
        ) from None


def _enclosing(corners: Polygon) -> Polygon:
    if len(corners) < 3:
        raise ValueError(f"a polygon has at least 3 corners, not {len(corners)}")
    (x0, y0), edges = corners[0], pairwise(corners)
    if all((x1 - x0) * (y2 - y0) == (x2 - x0) * (y1 - y0) for (x1, y1), (x2, y2) in edges):
        raise ValueError("the corners lie on one line: nothing would be masked")
    return corners


Text = Annotated[str, Field(max_length=MAX_TEXT), BeforeValidator(_word), AfterValidator(_one_line)]
Source = Annotated[str, Field(max_length=MAX_SOURCE), BeforeValidator(_word), AfterValidator(_one_line)]
CameraId = Annotated[str, Field(pattern=re.compile(CAMERA_ID_PATTERN)), BeforeValidator(_word)]
Model = Annotated[str, BeforeValidator(_word), AfterValidator(_model)]
LaneName = Annotated[Lane, BeforeValidator(_word)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Fingerprint = Annotated[bytes, BeforeValidator(_fingerprint)]
TlsWord = Annotated[Trust, BeforeValidator(_tls)]
Host = Annotated[str, BeforeValidator(_host)]
Number = BeforeValidator(_number)
Fraction = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        description="corners are fractions of width and height: 0 is left or top, 1 right or bottom",
    ),
    Number,
]
Corner = Annotated[tuple[Fraction, Fraction], BeforeValidator(_pair)]
Corners = Annotated[
    tuple[Corner, ...], BeforeValidator(_items("corners [x, y]", MAX_CORNERS)), AfterValidator(_enclosing)
]
Masks = Annotated[tuple[Corners, ...], BeforeValidator(_items("polygons", MAX_POLYGONS))]

Hosts = Annotated[tuple[Host, ...], BeforeValidator(_items("hosts", MAX_HOSTS))]

_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


@with_config(_STRICT)
class SharedKeys(TypedDict, total=False):
    """What a camera may have from its group or from the defaults."""

    location: Annotated[Text, Field(description="where it is")]
    district: Annotated[Text, Field(description="the part of the town or site that it is in")]
    fps: Annotated[
        float, Field(ge=0, le=1_000, description="frames a second; 0: the source's own rate"), Number
    ]
    lane: Annotated[LaneName, Field(description="the queue that gets its frames")]
    remote: Annotated[
        Switch, Field(description="its frames may be sent to a remote model, out of the house perhaps")
    ]
    model: Annotated[Model, Field(description="what its frames are analysed with")]
    enabled: Annotated[Switch, Field(description="whether it is opened at all")]
    priority: Annotated[int, Field(ge=1, le=100, description="its weight when cameras take turns"), Number]
    masks: Annotated[Masks, Field(description="the regions that nobody may see")]
    motion: Annotated[Switch, Field(description="whether frames that show nothing new are skipped")]
    motion_threshold: Annotated[
        float, Field(ge=1, le=254, description="grey levels of 255 by which a changed pixel differs"), Number
    ]
    motion_area: Annotated[
        float, Field(ge=0.0001, le=0.9, description="the share of the picture that must have changed"), Number
    ]
    refresh: Annotated[
        float, Field(ge=0, le=3_600, description="seconds after which an unchanged picture is sent"), Number
    ]
    health: Annotated[Switch, Field(description="whether frozen, black, ... pictures are noticed")]
    longer_side: Annotated[
        int, Field(ge=64, le=10_000, description="pixels that larger pictures are made smaller to"), Number
    ]
    timeout: Annotated[
        float, Field(ge=1, le=120, description="seconds in which a picture must be there"), Number
    ]
    tls: Annotated[TlsWord, Field(description="whose certificate is trusted: verify, off or a fingerprint")]
    hosts: Annotated[Hosts, Field(description="hosts that it may lead to besides its own")]
    tls_verify: Annotated[Switch, Field(description="whether its certificate is looked at")]
    tls_fingerprint: Annotated[Fingerprint, Field(description="the SHA-256 of the one certificate to trust")]


@with_config(_STRICT)
class CameraKeys(SharedKeys, total=False):
    """What an entry of `cameras` may say: first what it alone can say, then what it may share."""

    id: Annotated[CameraId, Field(description="its name in messages, metrics and addresses")]
    source: Annotated[Source, Field(description="where its frames come from, with ${NAME} for secrets")]
    name: Annotated[Text, Field(description="what people call it")]
    group: Annotated[Text, Field(description="the group whose values it has")]


SHARED = TypeAdapter(SharedKeys)
CAMERA = TypeAdapter(CameraKeys)
OWN = tuple(key for key in CameraKeys.__annotations__ if key not in SharedKeys.__annotations__)
KNOWN = (*OWN, *SharedKeys.__annotations__)
