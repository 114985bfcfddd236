"""`framefleet models verify`."""

from collections.abc import Callable
from importlib.util import find_spec

from cli.models.overview import state
from cli.models.shelf import ModelShelf
from contract.models import ModelSpec
from worker.models import ModelUnavailable, unusable
from worker.settings import WorkerSettings

Load = Callable[[str], None]


def verify(shelf: ModelShelf) -> int:
    """Check every model that is here and say what is wrong; returns the exit status."""
    load = _loading(shelf)
    wrong = 0
    for name, entry in sorted(shelf.registry.entries.items()):
        for copy in shelf.copies(entry):
            if copy.problem is not None:
                print(f"{name}: WRONG: {copy.path} {copy.problem}")
                wrong += 1
        used = shelf.used(entry)
        if (used is None and entry.filename is not None) or unusable(entry):
            print(f"{name}: {state(shelf, entry)}")
            continue
        digest = f"{used.path}, SHA-256 {used.digest}" if used else state(shelf, entry)
        if used and entry.sha256 is None:
            digest += " (no entry says which it should be)"
        try:
            loaded = "not loaded: ONNX Runtime is not installed here" if load is None else "loads"
            if load is not None:
                load(name)
        except ModelUnavailable as error:
            print(f"{name}: WRONG: {error}")
            wrong += 1
        else:
            print(f"{name}: {digest}; {loaded}")
    return 1 if wrong else 0


def _loading(shelf: ModelShelf) -> Load | None:
    """Return what loads a model as a worker does and shows it a blank picture; None where a worker could not run.

    It raises ModelUnavailable.
    """
    if find_spec("onnxruntime") is None:
        return None
    from worker.loader import DetectorLoader

    # The entries' own sizes and thresholds: no variable of the environment has a say here.
    settings = WorkerSettings.model_construct(model_dir=shelf.model_dir, model_cache=shelf.cache)
    loader = DetectorLoader(settings, shelf.registry)

    def load(name: str) -> None:
        loader.load(ModelSpec((name,)), fetch=False)
        loader.keep(set())

    return load
