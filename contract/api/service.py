"""What the gateway says of itself and of who asks, and how it answers when something is wrong."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True, frozen=True)
class StatusView:
    """`status` in a word; `missing` names what the gateway lacks to do its work."""

    status: str
    missing: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class SessionView:
    """Who asks: `name` is that of the token, `expires` the end of a browser's session."""

    role: Literal["viewer", "operator"]
    name: str | None
    expires: float | None
    version: str


@dataclass(slots=True, frozen=True)
class LinkView:
    """`link` signs in one browser, once, until `expires` (Unix seconds)."""

    link: str
    expires: float


@dataclass(slots=True, frozen=True)
class PrometheusView:
    """Prometheus' own answer; `data` depends on what was asked."""

    status: Literal["success", "error"]
    data: Any = None
    errorType: str = ""
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class ProblemView:
    """What every error looks like (the shape that Prometheus gives its own)."""

    status: Literal["error"]
    errorType: str
    error: str
