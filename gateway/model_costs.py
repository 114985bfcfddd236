"""What a frame costs the workers, by the model that computed it: as their results say. Pure."""

from collections import deque

from contract.api.models import ModelCostView
from contract.result import Result

MAX_MODELS = 64
KEPT_FRAMES = 500
FEWEST_FRAMES = 20
"""Below, the first frames after loading weigh too much."""


class ModelCosts:
    """The newest frames of each model, with its digest; models that were not used for longest are forgotten."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = {}

    def computed(self, result: Result) -> None:
        """Take a result that was computed."""
        kept = self._seconds.pop(result.model, None)
        if kept is None:
            kept = deque(maxlen=KEPT_FRAMES)
            if len(self._seconds) >= MAX_MODELS:
                del self._seconds[next(iter(self._seconds))]
        kept.append(max(0.0, result.processing_seconds))
        self._seconds[result.model] = kept

    def views(self) -> list[ModelCostView]:
        """The mean of each model, by name."""
        return [
            ModelCostView(model, sum(seconds) / len(seconds), len(seconds))
            for model, seconds in sorted(self._seconds.items())
            if len(seconds) >= FEWEST_FRAMES
        ]
