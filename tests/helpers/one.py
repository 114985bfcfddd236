"""A chooser for tests that need just one detector."""

from dataclasses import dataclass

from worker.detection.detector import Detector


@dataclass(frozen=True)
class One:
    """Every frame gets this detector."""

    detector: Detector

    def choose(self, model: str | None, camera_id: str) -> Detector:
        return self.detector
