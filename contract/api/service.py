"""Answers about the gateway itself and about whoever asks, and those that tell what is wrong."""

from dataclasses import dataclass, field
from typing import Any, Literal

Launcher = Literal["native", "compose"]
"""`native`: `make up` or `framefleet up`, on one machine; `compose`: Docker Compose."""


@dataclass(slots=True, frozen=True)
class StatusView:
    """The gateway's state in a word; `missing` names what it lacks to do its work, `notes` what works less well."""

    status: str
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class SessionView:
    """The session of whoever asks. `name` is that of the token, `expires` the end of a browser's session.

    `launcher` tells how the system was started, and so by which commands it is changed; null: nobody said.
    """

    role: Literal["viewer", "operator"]
    name: str | None
    expires: float | None
    version: str
    launcher: Launcher | None = None


@dataclass(slots=True, frozen=True)
class LinkView:
    """A link that signs in one browser, once, until `expires` (Unix seconds)."""

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
    """The shape of every error, the same as Prometheus gives its own."""

    status: Literal["error"]
    errorType: str
    error: str
