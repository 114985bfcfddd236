"""The settings of the remote lane, a part of the worker's."""

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from runtime.urls import flaw

CHEAPER_WHEN = ("budget", "weekend", "low-priority")
URL_EXAMPLES = "https://api.openai.com/v1, http://127.0.0.1:8080/v1"


def default_folder() -> Path:
    """The folder of the books and the audit log, after the XDG base directory specification."""
    return Path.home() / ".local" / "state" / "framefleet" / "remote"


class RemoteSettings(BaseModel):
    """Where frames of the remote lane go, how many at a time, and for how much money. Only that lane reads them."""

    remote_url: str = Field(
        "",
        description=f"remote lane: the base URL of an OpenAI-compatible endpoint, up to /v1 ({URL_EXAMPLES})",
        repr=False,
    )
    remote_model: str = Field("", description="remote lane: the model's name at the endpoint", max_length=200)
    remote_key_file: Path | None = Field(None, description="remote lane: a file with the endpoint's key")
    remote_cameras: str = Field(
        "",
        description="remote lane: cameras whose frames may leave the house, beside those with `remote: true` in the "
        "file of cameras: patterns such as gate-*, comma-separated; empty: none",
    )
    remote_blur: bool = Field(
        False, description="remote lane: faces are found here and blurred before a picture is sent"
    )
    remote_prompt: str = Field(
        "", description="remote lane: what is asked of the model, instead of the built-in words"
    )
    remote_format: Literal["json_schema", "json_object", "text"] = Field(
        "json_schema",
        description="remote lane: how the answer's form is asked for; older servers know less of it",
    )
    remote_images: int = Field(1, ge=1, le=20, description="remote lane: pictures in one request, at most")
    remote_concurrency: int = Field(
        10, ge=1, le=200, description="remote lane: calls under way at once, at most"
    )
    remote_timeout: float = Field(
        60.0, gt=0, le=600, description="remote lane: seconds that one call may take"
    )
    remote_retries: int = Field(3, ge=0, le=10, description="remote lane: further attempts at a picture")
    remote_rpm: int = Field(
        500, ge=1, le=100_000, description="remote lane: calls in any minute, of all workers together"
    )
    remote_tpm: int | None = Field(
        None,
        ge=1_000,
        description="remote lane: tokens in any minute, of all workers together; empty: no limit",
    )
    remote_max_side: int = Field(
        1280, ge=64, le=8192, description="remote lane: longest side of a picture that is sent, in pixels"
    )
    remote_max_bytes: int = Field(
        20_000_000, ge=10_000, description="remote lane: bytes of a request's pictures in base64, at most"
    )
    remote_max_tokens: int = Field(
        800, ge=16, le=32_000, description="remote lane: tokens of the answer for each picture, at most"
    )
    remote_prices: Path | None = Field(
        None, description="remote lane: a TOML file of prices (docs/remote.md); empty: nothing costs anything"
    )
    remote_budget_day: float | None = Field(
        None,
        gt=0,
        description="remote lane: dollars that all workers may spend a day; empty: only the month's",
    )
    remote_budget_month: float | None = Field(
        None, gt=0, description="remote lane: dollars that all workers may spend a month"
    )
    remote_warn: float = Field(50.0, gt=0, description="remote lane: dollars a month from which on it warns")
    remote_zone: str = Field(
        "UTC", description="remote lane: the time zone whose midnight begins a day, such as Europe/Berlin"
    )
    remote_cheaper_model: str = Field("", description="remote lane: a cheaper model at the same endpoint")
    remote_cheaper_when: str = Field(
        "budget",
        description=f"remote lane: when the cheaper model is used: {', '.join(CHEAPER_WHEN)}, comma-separated; budget "
        "is from 80 % of one on",
    )
    remote_folder: Path = Field(
        default_factory=default_folder, description="remote lane: where the books and the audit log are kept"
    )
    remote_audit_days: int = Field(
        90, ge=1, le=3650, description="remote lane: days that the audit log is kept"
    )

    @field_validator("remote_url")
    @classmethod
    def _endpoint(cls, url: str) -> str:
        said = flaw(url)
        if url and (said or not url.startswith(("http://", "https://")) or "?" in url or "@" in url):
            raise PydanticCustomError(
                "endpoint",
                "an address such as {examples} is needed, without a key",
                {"examples": URL_EXAMPLES},
            )
        return url.rstrip("/").removesuffix("/chat/completions")

    @field_validator("remote_zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("zone", "a time zone such as UTC or Europe/Berlin is needed") from None
        return zone

    @field_validator("remote_cheaper_when")
    @classmethod
    def _rules(cls, text: str) -> str:
        if set(words(text)) - set(CHEAPER_WHEN):
            raise PydanticCustomError(
                "rules", "any of {known}, comma-separated, is needed", {"known": ", ".join(CHEAPER_WHEN)}
            )
        return text


def words(text: str) -> list[str]:
    """The parts of a comma-separated setting."""
    return [part.strip() for part in text.split(",") if part.strip()]
