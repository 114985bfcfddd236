"""The models that the cluster has, those that operators desire, and how far the workers are with the change."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class BenchmarkView:
    """What the project measured of a model, at its own input size: the processor's `seconds` for a picture, the longer
    side in pixels of the smallest faces of which it finds nine in ten; of real footage the share of faces found, and
    the `surplus` of detections per frame. `machine` says where.
    """

    seconds: float
    faces_from: int
    recall: float
    surplus: float
    machine: str


@dataclass(slots=True, frozen=True)
class ModelCostView:
    """What a frame costs a worker of this cluster, as a mean of the newest `frames` with that `model` and digest."""

    model: str
    seconds: float
    frames: int


@dataclass(slots=True, frozen=True)
class ModelSwitchView:
    """The newest switch that this gateway has seen, of the cluster, a lane or a camera; null: their own setting."""

    lane: str | None
    camera: str | None
    before: str | None
    after: str | None
    time: float


@dataclass(slots=True, frozen=True)
class ModelView:
    """A model that live nodes know. `states` and `errors` by node; several digests under one name are a conflict.
    `size` is its file's, in bytes. `benchmark` is null for a model that the project did not measure.
    """

    name: str
    task: str
    licence: str | None
    size: int | None
    benchmark: BenchmarkView | None
    digests: list[str]
    conflict: bool
    loaded: int
    states: dict[str, str]
    errors: dict[str, str]


@dataclass(slots=True, frozen=True)
class DesiredModelsView:
    """The models that operators want; revision 0 is nothing so far. A camera's goes before its lane's, that before the
    cluster's.
    """

    revision: int
    cluster: str | None
    lanes: dict[str, str]
    cameras: dict[str, str]


@dataclass(slots=True, frozen=True)
class NodeModelsView:
    """A node's `model` in use, and the one `wanted` of its lane, null where its own setting decides. `todo` says in a
    sentence what keeps it from switching.
    """

    node_id: str
    state: Literal["running", "draining", "drained", "lost", "unknown"]
    lane: str
    model: str
    wanted: str | None
    desired: int
    model_error: str | None
    settled: bool
    todo: str | None


@dataclass(slots=True, frozen=True)
class ModelsView:
    """Models, wishes and nodes. `settled` is true once every running node computes with what is desired. `costs` are
    those of models that have computed frames here; `last` is null since the gateway's start until somebody switches.
    """

    models: list[ModelView]
    desired: DesiredModelsView
    nodes: list[NodeModelsView]
    costs: list[ModelCostView]
    last: ModelSwitchView | None
    settled: bool
    settled_nodes: int
    running_nodes: int
