"""The producer's settings."""

import socket
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from contract.failures import STALENESS_SECONDS
from contract.task import TaskForm
from contract.topology import Lane
from producer.grammar import HELP
from runtime.settings import ServiceSettings


class ProducerSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PRODUCER_")

    source: str = Field(
        "demo", validation_alias="SOURCE", description="the cameras, as explained above", repr=False
    )
    id: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="this producer's name in heartbeats; by default the host's name",
    )
    lane: Lane = Field(Lane.LIVE, description="live, batch or gpu: the queue that gets the frames")
    fps: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="frames a second of each camera; videos and streams are thinned to it. 0: the source's own "
        "(demo 5, pictures and snapshots 1)",
    )
    end: Literal["loop", "finish"] = Field(
        "loop",
        description="at the end of a file or folder: loop, or finish (the producer exits when all are done). "
        "finish on the batch lane sends every frame as fast as the queue takes them and drops none",
    )
    form: TaskForm = Field(
        TaskForm.BASE64, description="base64 (JSON) or compact (the image is the body): what frames travel as"
    )
    jpeg_quality: int = Field(
        85,
        ge=1,
        le=100,
        description="of frames that are not JPEG or PNG already; those pass through unchanged",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="the detector that each task asks for; none by default",
    )
    staleness_seconds: float = Field(
        STALENESS_SECONDS, gt=0, description="a live frame that waited here longer than this is not sent"
    )
    metrics_host: str = Field("0.0.0.0", description="address of /metrics, /livez and /readyz")  # noqa: S104
    metrics_port: int = Field(8010, ge=0, le=65535, description="port of /metrics, /livez and /readyz")

    @property
    def lossless(self) -> bool:
        """Whether frames wait for the queue instead of being replaced by newer ones."""
        return self.end == "finish" and self.lane is Lane.BATCH


ProducerSettings.__doc__ = f"Sends the frames of cameras, videos and folders to the workers.\n\n{HELP}"
