"""The worker's settings."""

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from contract.failures import STALENESS_SECONDS
from contract.topology import Lane
from runtime.settings import ServiceSettings


def default_cache() -> Path:
    """Where downloaded models are kept, after the XDG base directory specification."""
    return Path.home() / ".cache" / "framefleet" / "models"


class WorkerSettings(ServiceSettings):
    """Detects faces in the frames of one lane and publishes the results. One process per core."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    node_id: str = Field(
        default_factory=socket.gethostname,
        validation_alias="NODE_ID",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="this worker's name in results and metrics; by default the host's name",
    )
    lane: Lane = Field(Lane.LIVE, description="live, batch or gpu: the queue to take frames from")
    detector: str = Field(
        "auto", description="auto (the best available), yunet or haar", pattern="^(auto|yunet|haar)$"
    )
    model_dir: Path | None = Field(
        None,
        validation_alias="MODEL_DIR",
        description="a folder with model files, looked at before the cache",
    )
    model_cache: Path = Field(default_factory=default_cache, description="where downloaded models are kept")
    prefetch: int = Field(
        1,
        ge=1,
        le=100,
        validation_alias="PREFETCH",
        description="frames a worker holds, the one under way included",
    )
    metrics_host: str = Field("0.0.0.0", description="address of /metrics, /livez and /readyz")  # noqa: S104
    metrics_port: int = Field(8000, ge=0, le=65535, description="port of /metrics, /livez and /readyz")
    staleness_seconds: float = Field(
        STALENESS_SECONDS,
        gt=0,
        description="a live frame older than this when a worker takes it is not computed",
    )
    grace_seconds: float = Field(
        10.0, gt=0, description="after SIGTERM, the time to finish the frames at hand"
    )
    max_pixels: int = Field(50_000_000, gt=0, description="a larger picture is dead-lettered undecoded")
    input_size: int = Field(
        320,
        ge=64,
        le=4096,
        description="longer side of YuNet's input in pixels; it sees faces of 14-300 of them",
    )
    threshold: float = Field(0.6, ge=0, le=1, description="least confidence of a YuNet detection")
