"""Reports each model that this node knows."""

from collections.abc import Mapping

from contract.models import ModelReport
from worker.models import ModelEntry, Registry, digest, present, unusable
from worker.settings import WorkerSettings


def model_reports(
    registry: Registry, settings: WorkerSettings, loaded: set[str], errors: Mapping[str, str]
) -> tuple[ModelReport, ...]:
    """One report per model of the registry, by name. `errors` are those of the last attempts, by specification."""
    return tuple(
        _report(entry, settings, name in loaded, _error(name, errors))
        for name, entry in sorted(registry.entries.items())
    )


def _report(entry: ModelEntry, settings: WorkerSettings, loaded: bool, error: str | None) -> ModelReport:
    path = present(entry, model_dir=settings.models_folder, cache=settings.model_cache)
    here = path is not None if entry.filename is not None else unusable(entry) is None
    state = "loaded" if loaded else "failed" if error else "available" if here else "missing"
    return ModelReport(
        name=entry.name,
        state=state,
        digest=digest(path) if path else entry.sha256,
        task=entry.task,
        licence=entry.licence,
        error=error,
        size=path.stat().st_size if path else entry.size,
    )


def _error(name: str, errors: Mapping[str, str]) -> str | None:
    """A specification of several models fails by one of them, whose name its message begins with."""
    return next((error for error in errors.values() if error.startswith(f"model {name}:")), None)
