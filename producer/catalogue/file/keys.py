"""The keys of cameras.yaml, and one group of keys read as a layer: defaults, a group, a camera."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from producer.catalogue.file import values
from producer.catalogue.file.tree import Scalar, Table
from producer.catalogue.file.values import Reader, Refused, shown, suggestion

SHARED: Mapping[str, Reader] = {
    "location": values.text,
    "district": values.text,
    "fps": values.fps,
    "lane": values.lane,
    "model": values.model,
    "enabled": values.switch,
    "priority": values.priority,
    "masks": values.masks,
    "motion": values.switch,
    "motion_threshold": values.grey_levels,
    "motion_area": values.share,
    "refresh": values.refresh,
    "health": values.switch,
    "longer_side": values.longer_side,
    "timeout": values.seconds,
    "tls_verify": values.switch,
    "tls_fingerprint": values.fingerprint,
}
"""What a camera may have from its group or from the defaults."""

OWN: Mapping[str, Reader] = {
    "id": values.camera_id,
    "source": values.source,
    "name": values.text,
    "group": values.group,
}
"""What each camera says itself."""

CAMERA: Mapping[str, Reader] = {**OWN, **SHARED}


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands where a value would: the key is there, and cannot be used."""

    line: int
    text: str


Layer = dict[str, Any]
"""Values, or Faults, by key. Layers are laid over each other as they are: who replaces a fault does not suffer."""


def read_layer(table: Table, readers: Mapping[str, Reader]) -> Layer:
    """Every key of `table` with its value or its Fault. A key that is there twice has no value: which was meant?"""
    layer: Layer = {}
    lines: dict[str, int] = {}
    for key_node, value_node in table.pairs:
        line = key_node.line
        key = key_node.text if isinstance(key_node, Scalar) else "(no word)"
        if key in lines:
            layer[key] = Fault(line, f"{_name(key)} is there twice, first in line {lines[key]}")
            continue
        lines[key] = line
        reader = readers.get(key)
        if reader is None:
            layer[key] = Fault(line, _unknown(key, readers))
            continue
        try:
            layer[key] = reader(value_node)
        except Refused as refused:
            layer[key] = Fault(refused.line, f"{key}: {refused}")
    return layer


def _unknown(key: str, readers: Mapping[str, Reader]) -> str:
    if key in OWN:
        return f"{key} belongs to a camera: it cannot be shared"
    if key == "<<":
        return "<< is not known here: cameras share values by `group` and `defaults`"
    return f"{_name(key)} is no key{suggestion(key, readers)}"


def _name(key: str) -> str:
    return key if key in CAMERA else shown(key)
