"""The models that the cluster has, those that operators desire, and how far the workers are with the change."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class ModelView:
    """A model that live nodes know. `states` and `errors` by node; several digests under one name are a conflict."""

    name: str
    task: str
    licence: str | None
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
    """Models, wishes and nodes. `settled` is true once every running node computes with what is desired."""

    models: list[ModelView]
    desired: DesiredModelsView
    nodes: list[NodeModelsView]
    settled: bool
    settled_nodes: int
    running_nodes: int
