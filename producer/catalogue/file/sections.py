"""The three sections of cameras.yaml, and what cameras share: `defaults`, and `groups` above them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from producer.catalogue.file.cameras import InvalidCameraFile, Problem
from producer.catalogue.file.keys import SHARED, Fault, Layer, read_layer
from producer.catalogue.file.tree import Listing, Node, Scalar, Table
from producer.catalogue.file.values import shown, suggestion

_SECTIONS = ("defaults", "groups", "cameras")


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections; `defaults` and `groups` are empty where the file has none."""

    defaults: Table
    groups: Table
    cameras: Listing


def read_sections(root: Node | None) -> Sections:
    """The sections of the file. Raises InvalidCameraFile: without knowing them nothing below makes sense."""
    if not isinstance(root, Table):
        line = root.line if root else 1
        raise InvalidCameraFile([Problem(line, "the file begins with `cameras:` and a list of cameras")])
    found: dict[str, Node] = {}
    lines: dict[str, int] = {}
    problems = []
    for key_node, node in root.pairs:
        key, line = word(key_node), key_node.line
        if key in lines:
            problems.append(Problem(line, f"{key} is there twice, first in line {lines[key]}"))
        elif key not in _SECTIONS:
            problems.append(Problem(line, f"{shown(key)} is no section{suggestion(key, _SECTIONS)}"))
        elif key == "cameras" and not isinstance(node, Listing):
            problems.append(Problem(line, "below cameras comes a list, each entry beginning with `- id:`"))
        elif key != "cameras" and not isinstance(node, Table) and not nothing(node):
            problems.append(Problem(line, f"below {key} come keys, indented"))
        else:
            found[key] = node
        lines.setdefault(key, line)
    cameras = found.get("cameras")
    if not problems and not isinstance(cameras, Listing):
        problems.append(Problem(root.line, "there is no section `cameras`"))
    if problems or not isinstance(cameras, Listing):
        raise InvalidCameraFile(problems)
    return Sections(_table(found.get("defaults")), _table(found.get("groups")), cameras)


class Shared:
    """What cameras have from `defaults` and groups, and how many each fault in there has cost."""

    def __init__(self, sections: Sections) -> None:
        self._where: dict[Fault, str] = {}
        self._left_out: Counter[Fault] = Counter()
        self._defaults = self._layer("defaults", sections.defaults)
        self._groups = self._read_groups(sections.groups)

    def below(self, group: tuple[int, str] | None) -> Layer:
        """The values below a camera of this group: line and name as the camera gives it, None for no group."""
        if group is None:
            return self._defaults
        line, name = group
        layer = self._groups.get(name)
        if layer is None:
            fault = Fault(line, f"group: there is no group {shown(name)}{suggestion(name, self._groups)}")
            return {**self._defaults, "group": fault}
        return {**self._defaults, **layer}

    def blamed(self, fault: Fault) -> bool:
        """Count a camera that has this fault, if it comes from here; returns whether it does."""
        if fault not in self._where:
            return False
        self._left_out[fault] += 1
        return True

    def problems(self) -> Iterator[Problem]:
        """The faults in here, each once, with how many cameras are left out for it."""
        for fault, where in self._where.items():
            count = self._left_out[fault]
            yield Problem(
                fault.line, f"{where}: {fault.text}" + (f" (cameras left out: {count})" if count else "")
            )

    def _read_groups(self, table: Table) -> dict[str, Layer]:
        groups: dict[str, Layer] = {}
        lines: dict[str, int] = {}
        for name_node, node in table.pairs:
            name, line = word(name_node), name_node.line
            if name in lines:
                groups[name] = self._faulty(name, line, f"is there twice, first in line {lines[name]}")
            elif isinstance(node, Table) or nothing(node):
                groups[name] = self._layer(f"group {shown(name)}", _table(node))
            else:
                groups[name] = self._faulty(name, line, "has keys below it, indented")
            lines.setdefault(name, line)
        return groups

    def _faulty(self, name: str, line: int, text: str) -> Layer:
        fault = Fault(line, f"group {shown(name)} {text}")
        self._where[fault] = "groups"
        return {"group": fault}

    def _layer(self, where: str, table: Table) -> Layer:
        layer = read_layer(table, SHARED)
        self._where |= {value: where for value in layer.values() if isinstance(value, Fault)}
        return layer


def word(key: Node) -> str:
    """A key, or what messages say in place of one that is no single word."""
    return key.text if isinstance(key, Scalar) else "(no word)"


def nothing(node: Node) -> bool:
    """Whether nothing is written here."""
    return isinstance(node, Scalar) and node.null


def _table(node: Node | None) -> Table:
    return node if isinstance(node, Table) else Table(0, [])
