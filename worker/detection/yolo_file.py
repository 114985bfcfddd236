"""Reads what an ONNX file says of itself: its input and output, and the metadata that YOLO exporters write.

The metadata are texts, and those of Ultralytics' exporters are Python literals: names `{0: 'face'}`, imgsz
`[640, 640]`, stride `32`, kpt_shape `[5, 3]`. YOLOv5 and v8–v11 write them; others write none.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort

from worker.detection.errors import ModelMismatch

STRIDE = 32
MAX_LABEL = 100  # characters
FLOAT = "tensor(float)"


@dataclass(frozen=True)
class Description:
    """A network's input and what its metadata say.

    `width` and `height` are those of a fixed input in pixels, None where any will do; `size` is the side that the
    exporter had in mind. `keypoints` is how many and the numbers of each. `any_batch`: it takes several pictures at
    once.
    """

    input: str
    width: int | None
    height: int | None
    size: int | None
    stride: int
    labels: tuple[str, ...] | None
    keypoints: tuple[int, int] | None
    any_batch: bool


def describe(session: ort.InferenceSession, labels: Sequence[str] | None) -> Description:
    """Read it. `labels`, if given, replace those of the metadata.

    Raises ModelMismatch if it is not a network with one picture in and one list of floats out, or if there are as many
    labels as it has no classes.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelMismatch(
            f"it has {len(inputs)} inputs and {len(outputs)} outputs ({_list(inputs)} -> {_list(outputs)}): "
            "expected one picture in and one list of detections out"
        )
    (source,), (output,) = inputs, outputs
    shape = [side if isinstance(side, int) else None for side in source.shape]
    if source.type != FLOAT or len(shape) != 4 or shape[0] not in (1, None) or shape[1] not in (3, None):
        raise ModelMismatch(
            f"its input is {_list(inputs)}: expected {FLOAT} with 1x3xHEIGHTxWIDTH, batch and sizes fixed or free"
        )
    if output.type != FLOAT:
        raise ModelMismatch(f"its output is {_list(outputs)}: expected {FLOAT}")
    metadata = session.get_modelmeta().custom_metadata_map
    own = _names(metadata)
    if labels is not None and own is not None and len(labels) != len(own):
        raise ModelMismatch(
            f"{len(labels)} labels are given, but it has {len(own)} classes: {', '.join(own)}"
        )
    sides = _integers(metadata, "imgsz")
    points = _integers(metadata, "kpt_shape")
    return Description(
        input=source.name,
        height=shape[2],
        width=shape[3],
        size=max(sides) if sides else None,
        stride=max(_integers(metadata, "stride"), default=STRIDE),
        labels=own if labels is None else tuple(labels),
        keypoints=(points[0], points[1]) if len(points) == 2 else None,
        any_batch=shape[0] is None and bool(output.shape) and not isinstance(output.shape[0], int),
    )


def _names(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The labels in the order of their numbers: written as a dict (numbers to names) or a list.

    None if there are none, or they could not be shown as they are: results carry them to every terminal.
    """
    names = _literal(metadata, "names")
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            return None
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list | tuple) or not names:
        return None
    labels = tuple(str(name) for name in names)
    return labels if all(0 < len(each) <= MAX_LABEL and each.isprintable() for each in labels) else None


def _integers(metadata: Mapping[str, str], key: str) -> list[int]:
    value = _literal(metadata, key)
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    return [n for n in numbers if isinstance(n, int) and n > 0]


def _literal(metadata: Mapping[str, str], key: str) -> Any:
    try:
        return ast.literal_eval(metadata.get(key, ""))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None  # not one of the exporters that write literals


def _list(values: Sequence[Any]) -> str:
    return ", ".join(
        f"{value.name} {value.type} {'x'.join(str(side) for side in value.shape)}" for value in values
    )
