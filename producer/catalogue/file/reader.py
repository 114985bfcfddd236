"""Reads cameras.yaml: `defaults`, above them `groups`, above them each camera's own values. Pure.

One bad camera never stops the rest: it is left out, with a problem that names line and reason. A bad value in
`defaults` or a group leaves out the cameras that would have it (a mask with a typo must not become no mask), and
none that has a value of its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from producer.catalogue.file.cameras import CameraConfig, CameraFile
from producer.catalogue.file.keys import CAMERA
from producer.catalogue.file.layers import BadKey, Layer, read_layer
from producer.catalogue.file.references import fill_in, names
from producer.catalogue.file.sections import SharedLayers, read_sections
from producer.catalogue.file.tree import TableNode, parse_tree
from producer.catalogue.grammar import CameraSpec, parse_camera
from producer.errors import FileProblem, InvalidCameraFile, InvalidReference, InvalidSource, NearlyAddress
from producer.redaction import redact

MAX_BYTES = 16 * 1024 * 1024
MAX_CAMERAS = 10_000
UNNAMED = "unnamed"
"""The id with which the source of a camera without a good one is looked at."""
_IDENTITY = ("id", "source", "name")


def read_cameras(data: bytes, environment: Mapping[str, str]) -> CameraFile:
    """The cameras of the file whose content is `data`; `${NAME}` in sources comes from `environment` (`variables`).

    Raises InvalidCameraFile if the file as a whole is not usable: no YAML, too large, or without its sections.
    """
    if len(data) > MAX_BYTES:
        raise InvalidCameraFile([FileProblem(0, f"the file has more than {MAX_BYTES >> 20} MiB")])
    sections = read_sections(parse_tree(data))
    items = sections.cameras.items
    if len(items) > MAX_CAMERAS:
        text = f"{len(items)} cameras are too many for one file: at most {MAX_CAMERAS}"
        raise InvalidCameraFile([FileProblem(sections.cameras.line, text)])
    shared = SharedLayers(sections)
    valid: dict[str, CameraConfig] = {}
    lines: dict[str, int] = {}
    problems: list[FileProblem] = []
    for number, node in enumerate(items, 1):
        if not isinstance(node, TableNode):
            text = f"camera number {number}: an entry has keys, as `- id: gate-3`"
            problems.append(FileProblem(node.line, text))
            continue
        own = read_layer(node, CAMERA)
        # What is wrong with an id hides nothing else that is wrong with its camera.
        camera = _camera(number, node, own, shared, environment)
        camera_id = own.get("id")
        if isinstance(camera_id, str) and camera_id in lines:
            text = f"camera {camera_id}: there is one with the same id in line {lines[camera_id]}"
            problems.append(FileProblem(node.line, text, camera_id))
        elif isinstance(camera_id, str):
            lines[camera_id] = node.line
            if isinstance(camera, CameraConfig):
                valid[camera_id] = camera
        if not isinstance(camera, CameraConfig):
            problems += camera
    problems += shared.problems()
    problems.sort(key=lambda problem: problem.line)
    return CameraFile(MappingProxyType(valid), tuple(problems), frozenset(lines.keys() - valid.keys()))


def _camera(
    number: int, node: TableNode, own: Layer, shared: SharedLayers, environment: Mapping[str, str]
) -> CameraConfig | list[FileProblem]:
    """The camera, or its own problems: none of them if only what it shares is at fault."""
    below = shared.below(own.get("group"), node)
    values: Layer = {**below, "id": BadKey(node.line, "there is no id"), **own}
    known = isinstance(values["id"], str)
    camera_id = values["id"] if known else UNNAMED
    if "group" in below:  # the group itself is at fault, which the camera's naming it must not hide
        values["group"] = below["group"]
    if isinstance(source := own.get("source", BadKey(node.line, "there is no source")), str):
        source = _spec(camera_id, source, node, environment)
    values["source"] = source
    bad = [value for value in values.values() if isinstance(value, BadKey)]
    if bad:
        called = f"camera {camera_id}" if known else f"camera number {number}"
        return [
            FileProblem(each.line, f"{called}: {each.text}", camera_id if known else None)
            for each in bad
            if not shared.blamed(each)
        ]
    return CameraConfig(
        source, values.pop("name", camera_id), **{key: values[key] for key in values if key not in _IDENTITY}
    )


def _spec(
    camera_id: str, template: str, node: TableNode, environment: Mapping[str, str]
) -> CameraSpec | BadKey:
    used = names(template)
    try:
        spec = parse_camera(camera_id, fill_in(template, environment))
    except (InvalidReference, NearlyAddress) as error:  # these show no value
        return BadKey(node.line_of("source"), f"source: {error}")
    except InvalidSource as error:
        reason = _reason(camera_id, template, used) if used else error
        return BadKey(node.line_of("source"), f"source: {reason}")
    # What came out of the environment is shown nowhere: people read its name instead.
    return replace(spec, label=redact(template)) if used else spec


def _reason(camera_id: str, template: str, used: list[str]) -> str:
    """Why a source with references is none, said without their values."""
    try:
        parse_camera(camera_id, fill_in(template, dict.fromkeys(used, "0")))
    except InvalidSource as error:
        return f"{error} (0 stands for the value of {', '.join(used)})"
    return f"it cannot be used with the value of {', '.join(used)}"
