"""The producer's settings."""

import socket
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from contract.failures import STALENESS_SECONDS
from contract.task import TaskForm
from contract.topology import Lane
from producer.catalogue.grammar import HELP
from producer.inspection.gate import AREA, REFRESH
from producer.inspection.motion import THRESHOLD
from runtime.settings import ServiceSettings


class ProducerSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PRODUCER_")

    source: str = Field(
        "demo",
        validation_alias="SOURCE",
        description="the cameras, as explained above; not beside CAMERAS",
        repr=False,
    )
    cameras: Path | None = Field(
        None,
        validation_alias="CAMERAS",
        description="a file that lists the cameras instead of SOURCE, read again when it changes: docs/cameras.md",
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
    stream_memory_mb: int = Field(
        1000,
        ge=100,
        description="streams and video files are decoded in processes of their own; one that has more resident memory "
        "than this, in MB, is ended, and its cameras are opened again in another",
    )
    streams_per_process: int = Field(
        8,
        ge=1,
        le=256,
        description="streams and video files that share a process: it needs about 60 MB, and when it dies they all "
        "stop for a second or two",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="the detector that each task asks for; none by default",
    )
    motion: Literal["auto", "on", "off"] = Field(
        "auto",
        description="whether frames that show nothing new are skipped: on, off, or auto: for cameras that show "
        "a place as it is now (HTTP, RTSP, webcam), on the live lane",
    )
    motion_threshold: float = Field(
        THRESHOLD, ge=1, le=254, description="grey levels of 255 by which a pixel must differ to have changed"
    )
    motion_area: float = Field(
        AREA, ge=0.0001, le=0.9, description="share of the picture (0.002 is 0.2 %) that must have changed"
    )
    refresh_seconds: float = Field(
        REFRESH, ge=0, le=3600, description="an unchanged picture is sent this often all the same"
    )
    health: Literal["auto", "on", "off"] = Field(
        "auto",
        description="whether frozen, black, blinded, defocused and moved cameras are noticed; auto as with motion",
    )
    longer_side: int = Field(
        0,
        ge=0,
        le=10_000,
        description="pixels; pictures whose longer side has more are made smaller before they are sent. 0: as they are",
    )
    recompress: bool = Field(
        False,
        description="true: JPEGs are encoded again at PRODUCER_JPEG_QUALITY where that makes them smaller",
    )
    staleness_seconds: float = Field(
        STALENESS_SECONDS, gt=0, description="a live frame that waited here longer than this is not sent"
    )
    http_connections: int = Field(
        500,
        ge=1,
        le=50_000,
        description="requests to HTTP cameras under way at once, in all. Streams (MJPEG) do not count",
    )
    http_connections_per_host: int = Field(
        10,
        ge=1,
        le=1000,
        description="requests under way at once at one host and port: a recorder with many cameras may take fewer "
        "than this, or need more",
    )
    timeout_seconds: float = Field(
        10.0,
        ge=1,
        le=120,
        description="a picture of an HTTP camera must be there within this time, and a stream (MJPEG) may be silent "
        "for so long. `timeout` in the cameras file sets it for one camera",
    )
    tls_verify: bool = Field(
        True,
        description="false: certificates of cameras are not looked at. For one camera better: `tls` in the "
        "cameras file",
    )
    dns_cache_seconds: int = Field(
        300,
        ge=0,
        le=86_400,
        description="how long the addresses of HTTP cameras' host names are remembered",
    )
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /livez and /readyz")
    metrics_port: int = Field(8010, ge=0, le=65535, description="port of /metrics, /livez and /readyz")

    @property
    def lossless(self) -> bool:
        """True if frames wait for the queue instead of being replaced by newer ones."""
        return self.end == "finish" and self.lane is Lane.BATCH


ProducerSettings.__doc__ = f"Sends the frames of cameras, videos and folders to the workers.\n\n{HELP}"
