"""The models of a cluster, from what its live nodes report; and what each node has still to do. Pure."""

import difflib
from collections.abc import Iterable, Sequence

from contract.api.models import (
    DesiredModelsView,
    ModelCostView,
    ModelsView,
    ModelSwitchView,
    ModelView,
    NodeModelsView,
)
from contract.api.nodes import NodeView
from contract.models import DesiredModels, ModelReport, ModelSpec
from contract.status import NodeStatus
from gateway.models.benchmarks import benchmark

LOADED = "loaded"


def models_view(
    desired: DesiredModels,
    nodes: Sequence[NodeView],
    statuses: Iterable[NodeStatus],
    costs: list[ModelCostView],
    last: ModelSwitchView | None,
) -> ModelsView:
    """Put the answer of /api/models together; `statuses` are the last words of the nodes that live."""
    running = [node for node in nodes if node.state == "running"]
    settled = sum(node.settled for node in running)
    return ModelsView(
        models=catalogue(statuses),
        desired=DesiredModelsView(desired.revision, desired.cluster, desired.lanes, desired.cameras),
        nodes=[_node_view(node, desired) for node in nodes],
        costs=costs,
        last=last,
        settled=settled == len(running) and (bool(running) or not desired.revision),
        settled_nodes=settled,
        running_nodes=len(running),
    )


def catalogue(statuses: Iterable[NodeStatus]) -> list[ModelView]:
    """Every model that a node knows, by name."""
    reports: dict[str, dict[str, ModelReport]] = {}
    for status in statuses:
        for report in status.models:
            reports.setdefault(report.name, {})[status.node_id] = report
    return [_model_view(name, reports[name]) for name in sorted(reports)]


def unknown_models(spec: ModelSpec, statuses: Iterable[NodeStatus]) -> str | None:
    """A sentence on the names in `spec` that no live node knows, or None."""
    known = sorted({report.name for status in statuses for report in status.models})
    unknown = [name for name in spec.names if name not in known]
    if not unknown:
        return None
    near = [guess for name in unknown for guess in difflib.get_close_matches(name, known, 1)]
    hint = f"did you mean {', '.join(near)}? " if near else ""
    return (
        f"no worker knows the model {', '.join(unknown)}: {hint}they know {', '.join(known) or 'none'}; "
        "others are added to models.toml in the workers' MODEL_DIR"
    )


def _model_view(name: str, reports: dict[str, ModelReport]) -> ModelView:
    digests = sorted({report.digest for report in reports.values() if report.digest is not None})
    first = next(iter(reports.values()))
    return ModelView(
        name=name,
        task=first.task,
        licence=next((report.licence for report in reports.values() if report.licence is not None), None),
        size=next((report.size for report in reports.values() if report.size is not None), None),
        benchmark=benchmark(first) if len({report.digest for report in reports.values()}) == 1 else None,
        digests=digests,
        conflict=len(digests) > 1,
        loaded=sum(report.state == LOADED for report in reports.values()),
        states={node_id: report.state for node_id, report in sorted(reports.items())},
        errors={node_id: report.error for node_id, report in sorted(reports.items()) if report.error},
    )


def _node_view(node: NodeView, desired: DesiredModels) -> NodeModelsView:
    return NodeModelsView(
        node_id=node.node_id,
        state=node.state,
        lane=node.lane,
        model=node.model,
        wanted=desired.lanes.get(node.lane) or desired.cluster,
        desired=node.desired,
        model_error=node.model_error,
        settled=node.settled,
        todo=_todo(node, desired.revision),
    )


def _todo(node: NodeView, revision: int) -> str | None:
    if node.settled:
        return None
    if node.state == "lost":
        return "it is lost: it takes this on when it comes back"
    if node.state == "unknown":
        return "the gateway has no broker, or has only just got it back, and does not hear it"
    if node.desired > revision:
        return f"it acts on revision {node.desired}, which this gateway does not know: switch again"
    if node.desired < revision:
        return f"it is told, loads what is missing, and goes on with {node.model} until then"
    return f"it goes on with {node.model} and tries again: {node.model_error}"
