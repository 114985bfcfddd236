"""The desired models as a value: what one switch changes, and what may be accepted. Pure."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from contract.api.models import ModelSwitchView
from contract.identifiers import CAMERA_ID_PATTERN
from contract.models import DesiredModels, encode_desired, parse_desired, parse_model_spec
from contract.topology import Lane
from gateway.desired.revision import check_revision
from gateway.desired.wish import Wish
from gateway.errors import TooManyCameras

FILE = "desired-models.json"
MAX_CAMERAS = 10_000
"""Cameras with a model of their own."""

_LANES = {lane.value for lane in Lane}
_CAMERA = re.compile(CAMERA_ID_PATTERN)


def switched(
    desired: DesiredModels, spec: str | None, *, lane: Lane | None = None, camera_id: str | None = None
) -> DesiredModels:
    """`desired` with another model for the camera, the lane, or else the cluster; `spec` None clears that level.

    The revision stays: see `successor`. Raises TooManyCameras.
    """
    if camera_id is not None:
        cameras = _entry(desired.cameras, camera_id, spec)
        if len(cameras) > MAX_CAMERAS:
            raise TooManyCameras(f"{MAX_CAMERAS:,} cameras have a model of their own already")
        return replace(desired, cameras=cameras)
    if lane is not None:
        return replace(desired, lanes=_entry(desired.lanes, lane.value, spec))
    return replace(desired, cluster=spec)


def newest_switch(before: DesiredModels, after: DesiredModels, wall: float) -> ModelSwitchView | None:
    """What changed from one wish to the next, by which it can be taken back; None if nothing did, or several levels
    at once, as when a gateway hears what it has missed.
    """
    changes: list[tuple[str | None, str | None, str | None, str | None]] = []
    changes += [(None, None, before.cluster, after.cluster)] if before.cluster != after.cluster else []
    changes += [(lane, None, *specs) for lane, specs in _changed(before.lanes, after.lanes)]
    changes += [(None, camera, *specs) for camera, specs in _changed(before.cameras, after.cameras)]
    return ModelSwitchView(*changes[0], time=wall) if len(changes) == 1 else None


def check(desired: DesiredModels) -> None:
    """Raise ValueError unless it is something that a gateway would have announced."""
    check_revision(desired.revision)
    if len(desired.cameras) > MAX_CAMERAS or not set(desired.lanes) <= _LANES:
        raise ValueError("too many cameras, or a lane that does not exist")
    if not all(_CAMERA.match(camera_id) for camera_id in desired.cameras):
        raise ValueError("no camera's name")
    for spec in {desired.cluster or "", *desired.lanes.values(), *desired.cameras.values()} - {""}:
        parse_model_spec(spec)


def _changed(
    before: Mapping[str, str], after: Mapping[str, str]
) -> list[tuple[str, tuple[str | None, str | None]]]:
    keys = sorted(before.keys() | after.keys())
    return [(key, (before.get(key), after.get(key))) for key in keys if before.get(key) != after.get(key)]


def _entry(entries: dict[str, str], key: str, spec: str | None) -> dict[str, str]:
    others = {name: value for name, value in entries.items() if name != key}
    return others if spec is None else {**others, key: spec}


def _order(desired: DesiredModels) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    return desired.cluster or "", sorted(desired.lanes.items()), sorted(desired.cameras.items())


MODELS = Wish(
    name="models",
    file=FILE,
    nothing=DesiredModels(),
    parse=parse_desired,
    encode=encode_desired,
    check=check,
    order=_order,
    reported=lambda status: status.desired,
)
