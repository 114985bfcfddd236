"""Which models the cluster has, which ones operators desire, and how far the workers are with that."""

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
    """What operators want; revision 0: nothing so far. A camera goes before its lane, a lane before the cluster."""

    revision: int
    cluster: str | None
    lanes: dict[str, str]
    cameras: dict[str, str]


@dataclass(slots=True, frozen=True)
class NodeModelsView:
    """`model` is in use; `wanted` is desired of its lane, null where its own setting decides; `todo` a sentence."""

    node_id: str
    state: Literal["running", "draining", "lost"]
    lane: str
    model: str
    wanted: str | None
    desired: int
    model_error: str | None
    settled: bool
    todo: str | None


@dataclass(slots=True, frozen=True)
class ModelsView:
    """`settled`: every running node computes with what is desired."""

    models: list[ModelView]
    desired: DesiredModelsView
    nodes: list[NodeModelsView]
    settled: bool
    settled_nodes: int
    running_nodes: int
