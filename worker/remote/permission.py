"""Which cameras' frames may leave the house: none, unless an operator says so."""

from collections.abc import Collection
from fnmatch import fnmatchcase

from contract.failures import FailureReason
from contract.status import CamerasStatus
from worker.processor import Failed


class Permission:
    """By patterns of the settings, and by what producers announce of the cameras in their files.

    What one producer announces holds until it announces something else: a lost producer's cameras send no frames.
    """

    def __init__(self, patterns: Collection[str]) -> None:
        self._patterns = tuple(patterns)
        self._announced: dict[str, frozenset[str]] = {}

    def hear(self, status: CamerasStatus) -> None:
        """Take what a producer says of its cameras."""
        self._announced[status.producer_id] = frozenset(
            camera.camera_id for camera in status.cameras if camera.remote
        )

    def allows(self, camera_id: str) -> bool:
        """Tell whether a frame of that camera may be sent away."""
        return any(fnmatchcase(camera_id, pattern) for pattern in self._patterns) or any(
            camera_id in cameras for cameras in self._announced.values()
        )


def not_allowed(camera_id: str) -> Failed:
    """Why its frame is not sent anywhere."""
    return Failed(
        FailureReason.NOT_ALLOWED,
        f"frames of {camera_id} may not leave the house: name it in WORKER_REMOTE_CAMERAS, or write `remote: true` "
        "into its entry in the file of cameras",
    )
