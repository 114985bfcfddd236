"""Reads cameras.yaml: `defaults`, above them `groups`, above them each camera's own values. Pure.

One bad camera never stops the rest: it is left out, with a problem that names line and reason. A bad value in
`defaults` or a group leaves out the cameras that would have it (a mask with a typo must not become no mask), and
none that has a value of its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from producer.catalogue.file.cameras import CameraConfig, CameraFile, InvalidCameraFile, Problem
from producer.catalogue.file.keys import CAMERA, SHARED, Fault, Layer, read_layer
from producer.catalogue.file.references import InvalidReference, fill_in, names
from producer.catalogue.file.sections import Shared, read_sections
from producer.catalogue.file.tree import Table, parse_tree
from producer.catalogue.grammar import CameraSpec, InvalidSource, NearlyAddress, parse_camera
from producer.catalogue.redaction import redact

MAX_BYTES = 16 * 1024 * 1024
MAX_CAMERAS = 10_000


def read_cameras(data: bytes, environment: Mapping[str, str]) -> CameraFile:
    """The cameras of the file whose content is `data`; `${NAME}` in sources comes from `environment`.

    Raises InvalidCameraFile if the file as a whole is not usable: no YAML, too large, or without its sections.
    """
    if len(data) > MAX_BYTES:
        raise InvalidCameraFile([Problem(0, f"the file has more than {MAX_BYTES >> 20} MiB")])
    sections = read_sections(parse_tree(data))
    items = sections.cameras.items
    if len(items) > MAX_CAMERAS:
        text = f"{len(items)} cameras are too many for one file: at most {MAX_CAMERAS}"
        raise InvalidCameraFile([Problem(sections.cameras.line, text)])
    shared = Shared(sections)
    valid: dict[str, CameraConfig] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    for number, node in enumerate(items, 1):
        if not isinstance(node, Table):
            problems.append(
                Problem(node.line, f"camera number {number}: an entry has keys, as `- id: gate-3`")
            )
            continue
        own = read_layer(node, CAMERA)
        camera_id = own.get("id")
        if not isinstance(camera_id, str):
            fault = camera_id or Fault(node.line, "there is no id")
            problems.append(Problem(fault.line, f"camera number {number}: {fault.text}"))
        elif camera_id in lines:
            text = f"camera {camera_id}: there is one with the same id in line {lines[camera_id]}"
            problems.append(Problem(node.line, text, camera_id))
        else:
            lines[camera_id] = node.line
            camera = _camera(camera_id, node.line, own, shared, environment)
            if isinstance(camera, CameraConfig):
                valid[camera_id] = camera
            else:
                problems += camera
    problems += shared.problems()
    problems.sort(key=lambda problem: problem.line)
    return CameraFile(MappingProxyType(valid), tuple(problems), frozenset(lines.keys() - valid.keys()))


def _camera(
    camera_id: str, line: int, own: Layer, shared: Shared, environment: Mapping[str, str]
) -> CameraConfig | list[Problem]:
    """The camera, or its own problems: none of them if only what it shares is at fault."""
    group = own.get("group")
    below = shared.below(group if isinstance(group, tuple) else None)
    # A group that is at fault itself must not be hidden by the camera's naming it.
    values: dict[str, Any] = {**below, **own, "group": below.get("group", group)}
    source = values.setdefault("source", Fault(line, "there is no source"))
    if isinstance(source, tuple):
        values["source"] = _source(camera_id, source, environment)
    faults = [value for value in values.values() if isinstance(value, Fault)]
    if faults:
        return [
            Problem(fault.line, f"camera {camera_id}: {fault.text}", camera_id)
            for fault in faults
            if not shared.blamed(fault)
        ]
    return CameraConfig(
        values["source"],
        name=values.get("name", camera_id),
        group=group[1] if group else None,
        **{key: values[key] for key in SHARED if key in values},
    )


def _source(camera_id: str, source: tuple[int, str], environment: Mapping[str, str]) -> CameraSpec | Fault:
    line, template = source
    used = names(template)
    try:
        spec = parse_camera(camera_id, fill_in(template, environment))
    except (InvalidReference, NearlyAddress) as error:  # these show no value
        return Fault(line, f"source: {error}")
    except InvalidSource as error:
        return Fault(line, f"source: {_reason(camera_id, template, used) if used else error}")
    # What came out of the environment is shown nowhere: people read its name instead.
    return replace(spec, label=redact(template)) if used else spec


def _reason(camera_id: str, template: str, used: list[str]) -> str:
    """Why a source with references is none, said without their values."""
    try:
        parse_camera(camera_id, fill_in(template, dict.fromkeys(used, "0")))
    except InvalidSource as error:
        return f"{error} (0 stands for the value of {', '.join(used)})"
    return f"it cannot be used with the value of {', '.join(used)}"
