"""Reads the three sections of cameras.yaml, and what cameras share: `defaults`, and `groups` above them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from producer.catalogue.file.keys import SHARED
from producer.catalogue.file.layers import BadKey, Layer, read_layer, suggestion, word
from producer.catalogue.file.remedies import EMPTY
from producer.catalogue.file.tree import ListNode, Node, ScalarNode, TableNode
from producer.errors import FileProblem, InvalidCameraFile
from producer.redaction import shown

_SECTIONS = ("defaults", "groups", "cameras")


@dataclass(frozen=True, slots=True)
class Sections:
    """The three sections. `defaults` and `groups` are empty where the file has none."""

    defaults: TableNode
    groups: TableNode
    cameras: ListNode


def read_sections(root: Node | None) -> Sections:
    """The sections of the file. Raises InvalidCameraFile, since without them nothing below makes sense."""
    if not isinstance(root, TableNode):
        line = root.line if root else 1
        text = EMPTY if root is None else "the file begins with `cameras:` and a list of cameras"
        raise InvalidCameraFile([FileProblem(line, text)])
    found: dict[str, Node] = {}
    lines: dict[str, int] = {}
    problems = []
    for key_node, node in root.pairs:
        key, line = word(key_node), key_node.line
        if key in lines:
            problems.append(FileProblem(line, f"{key} is there twice, first in line {lines[key]}"))
        elif key not in _SECTIONS:
            problems.append(FileProblem(line, f"{shown(key)} is not a section{suggestion(key, _SECTIONS)}"))
        elif key == "cameras" and not isinstance(node, ListNode):
            problems.append(
                FileProblem(line, "below cameras comes a list, each entry beginning with `- id:`")
            )
        elif key != "cameras" and not isinstance(node, TableNode) and not nothing(node):
            problems.append(FileProblem(line, f"below {key} come keys, indented"))
        else:
            found[key] = node
        lines.setdefault(key, line)
    cameras = found.get("cameras")
    if not problems and not isinstance(cameras, ListNode):
        problems.append(FileProblem(root.line, "there is no section `cameras`"))
    if problems or not isinstance(cameras, ListNode):
        raise InvalidCameraFile(problems)
    return Sections(_table(found.get("defaults")), _table(found.get("groups")), cameras)


class SharedLayers:
    """The values that cameras have from `defaults` and groups, and how many cameras each bad key in there costs."""

    def __init__(self, sections: Sections) -> None:
        self._where: dict[BadKey, str] = {}
        self._left_out: Counter[BadKey] = Counter()
        self._defaults = self._layer("defaults", sections.defaults)
        self._groups = self._read_groups(sections.groups)

    def below(self, group: object, camera: TableNode) -> Layer:
        """The values below those of a camera which says that `group` is its group.

        A group that is not there, or at fault itself, is a BadKey of that name among them.
        """
        if not isinstance(group, str):  # none is named, or what is there is no name
            return self._defaults
        layer = self._groups.get(group)
        if layer is None:
            text = f"group: there is no group {shown(group)}{suggestion(group, self._groups)}"
            layer = {"group": BadKey(camera.line_of("group"), text)}
        return {**self._defaults, **layer}

    def blamed(self, bad: BadKey) -> bool:
        """Count a camera that has this bad key, if the key comes from here; returns whether it does."""
        if bad not in self._where:
            return False
        self._left_out[bad] += 1
        return True

    def problems(self) -> Iterator[FileProblem]:
        """The bad keys in here, each once, with the number of cameras that are left out for it."""
        for bad, where in self._where.items():
            count = self._left_out[bad]
            yield FileProblem(
                bad.line, f"{where}: {bad.text}" + (f" (cameras left out: {count})" if count else "")
            )

    def _read_groups(self, table: TableNode) -> dict[str, Layer]:
        groups: dict[str, Layer] = {}
        lines: dict[str, int] = {}
        for name_node, node in table.pairs:
            name, line = word(name_node), name_node.line
            if name in lines:
                groups[name] = self._faulty(name, line, f"is there twice, first in line {lines[name]}")
            elif isinstance(node, TableNode) or nothing(node):
                groups[name] = self._layer(f"group {shown(name)}", _table(node))
            else:
                groups[name] = self._faulty(name, line, "has keys below it, indented")
            lines.setdefault(name, line)
        return groups

    def _faulty(self, name: str, line: int, text: str) -> Layer:
        bad = BadKey(line, f"group {shown(name)} {text}")
        self._where[bad] = "groups"
        return {"group": bad}

    def _layer(self, where: str, table: TableNode) -> Layer:
        layer = read_layer(table, SHARED)
        self._where |= {value: where for value in layer.values() if isinstance(value, BadKey)}
        return layer


def nothing(node: Node) -> bool:
    """Whether nothing is written at this place."""
    return isinstance(node, ScalarNode) and node.null


def _table(node: Node | None) -> TableNode:
    return node if isinstance(node, TableNode) else TableNode(0, [])
