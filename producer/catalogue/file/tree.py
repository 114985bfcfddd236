"""Parses YAML into a small tree of texts with their lines.

Values keep their spelling, and YAML's own guesses are not asked for: an id `007` stays what it is, a camera may be
named `no`, and a password may be a number. The tree is built from the parser's events, because PyYAML's composer
follows nesting by recursion in C, which ends the process at some 100,000 brackets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from producer.catalogue.file.remedies import UTF8, remedy
from producer.errors import FileProblem, InvalidCameraFile

MAX_DEPTH = 32
NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.2, section 10.3.2

# libyaml is ten times as fast; PyYAML has it where it was built with it, as all wheels are.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text. `null` if nothing is written, or a plain `null` or `~`; `tag` is one that the file itself gives."""

    line: int
    text: str
    null: bool
    tag: str | None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of nodes."""

    line: int
    items: "list[Node]"


@dataclass(frozen=True, slots=True)
class TableNode:
    """Keys and values in their order. A key may be there twice."""

    line: int
    pairs: "list[tuple[Node, Node]]"

    def line_of(self, key: str) -> int:
        """The line of the value of a key that is there."""
        return next(
            value.line for name, value in self.pairs if isinstance(name, ScalarNode) and name.text == key
        )


Node = ScalarNode | ListNode | TableNode


def parse_tree(data: bytes) -> Node | None:
    """The one document in `data` (UTF-8 or UTF-16), None if there is none. Lines count from 1.

    Raises InvalidCameraFile for what is not YAML, with the line; its text shows nothing of the file's values.
    """
    try:
        return _build(yaml.parse(data, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        begun, found = error.context_mark, error.problem_mark
        line = found.line + 1 if found else 1
        began = f", {error.context} from line {begun.line + 1} on" if begun and begun.line + 1 < line else ""
        advice = remedy(error.problem or "", _text_of(data, line))
        raise _refusal(line, f"{error.problem}{began}{f': {advice}' if advice else ''}") from None
    except yaml.reader.ReaderError as error:
        line = data[: error.position].count(b"\n") + 1
        advice = f": {UTF8}" if "UTF-8" in error.reason else ""
        raise _refusal(line, f"a character that YAML does not allow ({error.reason}){advice}") from None


def _build(events: Iterator[Any]) -> Node | None:
    root: Node | None = None
    anchors: dict[str, Node] = {}
    open_nodes: list[tuple[list[Node], Any]] = []  # children so far, and the event that began it
    documents = 0
    for event in events:
        node: Node
        match event:
            case yaml.ScalarEvent():
                plain_null = event.implicit[0] and event.value in NULLS
                node = ScalarNode(_line(event), event.value, plain_null, event.tag)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                if len(open_nodes) == MAX_DEPTH:
                    raise _refusal(_line(event), f"nested more than {MAX_DEPTH} times")
                open_nodes.append(([], event))
                continue
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                children, event = open_nodes.pop()
                node = _collection(children, event)
            case yaml.AliasEvent():
                # A collection gets its name once it is complete, so that none can hold itself.
                if event.anchor not in anchors:
                    raise _refusal(_line(event), f"*{event.anchor} has no &{event.anchor} above")
                node = anchors[event.anchor]
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise _refusal(_line(event), "a second document begins: one is allowed")
                continue
            case _:
                continue
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            anchors[event.anchor] = node
        if open_nodes:
            open_nodes[-1][0].append(node)
        else:
            root = node
    return root


def _collection(children: list[Node], event: Any) -> Node:
    line = _line(event)
    if isinstance(event, yaml.SequenceStartEvent):
        return ListNode(line, children)
    return TableNode(line, list(zip(children[::2], children[1::2], strict=True)))


def _text_of(data: bytes, line: int) -> str:
    lines = data.splitlines()
    return lines[line - 1].decode(errors="replace") if line <= len(lines) else ""


def _line(event: Any) -> int:
    line: int = event.start_mark.line  # from 0; the parser always says it
    return line + 1


def _refusal(line: int, text: str) -> InvalidCameraFile:
    return InvalidCameraFile([FileProblem(line, f"no valid YAML: {text}")])
