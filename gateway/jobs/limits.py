"""How much may be uploaded, and where jobs lie."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from gateway.settings import GatewaySettings

MB = 1_000_000
UPLOAD_SECONDS = 3600.0
"""An upload that has not grown for so long is removed, and a job for which none came for so long is complete."""
MAX_JOBS = 20_000


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Sizes in bytes, times in seconds. `at_once`: jobs that are computed at once."""

    folder: Path
    at_once: int
    files: int
    upload: int
    uploads: int
    free: int
    keep_seconds: float
    hot_seconds: float
    upload_seconds: float = UPLOAD_SECONDS

    @classmethod
    def of(cls, settings: GatewaySettings) -> "JobLimits":
        """Those that the settings say."""
        return cls(
            folder=(settings.data_dir / "jobs").resolve(),
            at_once=settings.jobs,
            files=settings.job_files,
            upload=settings.upload_mb * MB,
            uploads=settings.uploads_mb * MB,
            free=settings.upload_free_mb * MB,
            keep_seconds=settings.job_days * 86_400,
            hot_seconds=settings.job_hot_days * 86_400,
        )

    def room(self) -> int:
        """Bytes that may still be written before the disk has too little left. Raises OSError."""
        return shutil.disk_usage(self.folder).free - self.free
