"""The models as this machine has them."""

from dataclasses import dataclass
from pathlib import Path

from worker.models import Copy, ModelEntry, Registry, copies


@dataclass(frozen=True)
class ModelShelf:
    """The registry, and the folders in which its files are looked for."""

    registry: Registry
    model_dir: Path | None
    cache: Path

    def copies(self, entry: ModelEntry) -> tuple[Copy, ...]:
        """Return every file here under the model's file name, in the order of preference."""
        return copies(entry, model_dir=self.model_dir, cache=self.cache)

    def used(self, entry: ModelEntry) -> Copy | None:
        """Return the file that a worker takes without downloading; None if there is none."""
        return next((copy for copy in self.copies(entry) if copy.problem is None), None)
