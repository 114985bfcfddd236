"""Settings of the gateway, read once in `__main__`."""

import os
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from contract.api.service import Launcher
from gateway.addresses import TrustedProxies, is_loopback
from gateway.attendance_figures import WindowMinutes
from gateway.cascade_rules import RULES
from gateway.senders.file import FILE as SENDERS_FILE
from gateway.tokens.file import FILE
from runtime.redis_url import RedisUrl
from runtime.settings import ServiceSettings
from runtime.urls import HOW, flaw

MIN_TOKEN = 16
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
OURS = frozenset({"api", "ws", "assets", "events", "login", "livez", "readyz"})
"""What the paths of the gateway begin with."""


class GatewaySettings(ServiceSettings):
    """The gateway: streams results to browsers and programs, serves the dashboard, keeps history.

    GET  /                       the dashboard; a link of `framefleet link` signs a browser in
    WS   /ws/results             results as JSON, one per message; ?cameras=a,b filters, ?frames=1 adds pictures
    GET  /api/events             who was seen where and when; /api/activity, /api/frames/ID, exports as CSV and NDJSON
    GET  /api/metrics            rate, latency, queue depth; /api/cameras, /api/nodes, /api/alerts
    POST /api/models/switch      ?model=NAME for the cluster, &lane= or &camera= for less; GET /api/models/available
    GET  /api/prometheus/api/v1  read-only PromQL: promtool query instant http://any:TOKEN@host:8080/api/prometheus ...
    POST /api/links              another link that signs a browser in, once; `framefleet link` prints one
    GET  /livez, /readyz         probes, the only paths that need no token

    Programs send a token as `Authorization: Bearer TOKEN`, or as the password of Basic authentication.
    Further tokens, for viewers and for a time: `framefleet tokens --help`. More in docs/security.md.
    """

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    host: str = Field("127.0.0.1", description="address to listen on; beyond loopback only with a token")
    port: int = Field(
        8080, ge=0, le=65535, description="port of the dashboard and the API; 0 picks a free one"
    )
    metrics_host: str = Field("127.0.0.1", description="address of the metrics port")
    metrics_port: int = Field(8020, ge=0, le=65535, description="port of /metrics; 0 picks a free one")
    auth: Literal["on", "off"] = Field("on", description="off: nobody needs a token; on loopback only")
    token: SecretStr | None = Field(
        None,
        description="the main token; without one it is generated once and kept in GATEWAY_DATA_DIR/token",
    )
    tokens_file: Path | None = Field(
        None, description="further tokens, as hashes; by default GATEWAY_DATA_DIR/tokens.json"
    )
    data_dir: Path = Field(
        Path(".run/gateway"),
        description="folder of the token, the desired models, the senders and the history",
    )
    public_url: str = Field(
        "",
        description="how browsers reach the gateway, for links, Origin and cookies; goes before what a proxy says. "
        "With a path behind a proxy that gives it no more: https://cameras.example/fleet",
    )
    published_url: str = Field(
        "",
        description="how its own machine reaches a gateway in a container, which cannot know that itself; for links "
        "where GATEWAY_PUBLIC_URL is not set",
    )
    print_link: bool = Field(
        True,
        description="print a ready link, which signs one browser in, at start; where that is not a terminal but a log, "
        "the command that makes one",
    )
    trusted_proxies: str = Field(
        "",
        description="addresses and networks, comma-separated, whose X-Forwarded-For, -Proto and -Host are believed",
    )
    allowed_origins: str = Field("", description="further origins whose pages may connect, comma-separated")
    dashboard_dir: Path = Field(Path("dashboard/dist"), description="folder of the built dashboard")
    expected_workers: int | None = Field(
        None, ge=0, description="how many workers should run, for the dashboard"
    )
    expected_workers_file: Path | None = Field(
        None,
        description="a file with that number, read again when it changes, instead of GATEWAY_EXPECTED_WORKERS; "
        "`make up` writes one",
    )
    launcher: Launcher | None = Field(
        None,
        description="how the system was started, for the commands that the dashboard advises; `make up` and Compose "
        "set it",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        validation_alias="DATABASE_URL",
        description="PostgreSQL for the history, which several gateways may share: "
        "postgresql://user:password@host/name; empty: history.sqlite3 in GATEWAY_DATA_DIR, for this gateway alone",
    )
    redis_url: RedisUrl = Field(
        SecretStr(""),
        validation_alias="REDIS_URL",
        description="Redis for what several gateways share: who is watching, one-time codes, sign-outs, login limits; "
        "redis://:password@host:6379/0, rediss:// with TLS; empty: each gateway knows its own (docs/viewers.md)",
    )
    history_days: float = Field(
        7.0, gt=0, le=3_650, description="how long results and presence events are kept"
    )
    history_rows: int = Field(
        5_000_000, ge=1, description="how many results are kept at most (about 0.4 KB each)"
    )
    history_events: int = Field(
        500_000, ge=1, description="how many presence events are kept at most (10 KB each with the thumbnail)"
    )
    history_pictures_mb: int = Field(
        2_000,
        ge=0,
        description="how many megabytes of whole pictures of events are kept at most; older events keep their "
        "thumbnails and boxes; 0: no whole pictures",
    )
    history_activity_days: float = Field(
        31.0,
        gt=0,
        le=3_650,
        description="how long the figures per camera and minute, and the states of cameras, are kept",
    )
    history_gap_seconds: float = Field(
        15.0,
        gt=0,
        le=3_600,
        description="a presence ends when nothing was detected for so long: two of the slowest camera's intervals",
    )
    max_unannounced_cameras: int = Field(
        200,
        ge=0,
        le=10_000,
        description="how many cameras are shown of which no producer speaks, and that no named sender sends: those of "
        "plain clients of the services' own user",
    )
    max_viewers: int = Field(2_000, ge=1, description="how many WebSocket clients are served at once")
    max_viewers_per_address: int = Field(
        100,
        ge=0,
        description="how many of them from one address (IPv6: /64); 0: all, and always from this machine",
    )
    max_viewers_per_token: int = Field(
        1_000, ge=0, description="how many of them with one token, all its sessions together; 0: all"
    )
    max_connections: int = Field(
        4_096, ge=16, description="how many connections are open at once; idle ones make room for new ones"
    )
    max_connections_per_address: int = Field(
        256,
        ge=0,
        description="how many of them from one address (IPv6: /64); 0: all, and always from this machine",
    )
    attendance_peak_minutes: int = Field(
        1,
        ge=1,
        le=120,
        description="who asked or watched within so many minutes is counted as here at a peak (docs/viewers.md)",
    )
    attendance_session_minutes: int = Field(
        5, ge=1, le=120, description="the same for sessions: one that is silent for so long has ended"
    )
    attendance_limit_minutes: int = Field(30, ge=1, le=120, description="the same for limits of licences")
    remote_rules: str = Field(
        "",
        description=f"which events' best pictures are shown to the remote lane's model for a description, each event "
        f"once: {', '.join(RULES)}, comma-separated; empty: none (docs/remote.md)",
    )
    remote_below: float = Field(
        0.6, gt=0, le=1, description="the rule low-confidence: events whose best confidence is below this"
    )
    remote_motion: float = Field(
        0.01,
        gt=0,
        le=1,
        description="the rule motion: the share of a picture that must have changed, of cameras with motion on",
    )
    remote_cameras: str = Field(
        "",
        description="cameras whose events these rules are for, beside those with `remote: true` in the file of "
        "cameras: patterns such as gate-*, comma-separated; empty: none",
    )
    jobs: int = Field(
        2, ge=1, le=64, description="how many jobs are computed at once; others wait (docs/batch.md)"
    )
    job_files: int = Field(50_000, ge=1, le=1_000_000, description="how many files a job takes at most")
    job_days: float = Field(
        30.0,
        gt=0,
        le=3_650,
        description="a job is deleted so long after its end, with its originals and results",
    )
    job_hot_days: float = Field(
        7.0,
        ge=0,
        le=3_650,
        description="so long after a job's end what is kept of it moves from hot/ to cold/ in STORAGE_URL, which a "
        "rule of the bucket can give a cheaper class",
    )
    upload_mb: int = Field(4_096, ge=1, description="how large an uploaded file may be")
    uploads_mb: int = Field(
        20_480, ge=1, description="how much room uploads, and what is kept of ended jobs, take at most in all"
    )
    upload_free_mb: int = Field(
        1_024, ge=0, description="an upload is refused where it would leave less than that free on the disk"
    )
    keep_video: bool = Field(
        False,
        description="keep a job's original videos when it has ended, as pictures are; else they are deleted then",
    )
    storage_url: str = Field(
        "",
        validation_alias="STORAGE_URL",
        description="where originals and results of ended jobs are kept: a folder, or "
        "s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1; empty: GATEWAY_DATA_DIR/objects",
    )
    storage_key_file: Path | None = Field(
        None,
        validation_alias="STORAGE_KEY_FILE",
        description="a file with the key of STORAGE_URL in one line, `access key:secret key`",
    )
    canary_seconds: int = Field(
        5,
        ge=0,
        le=3_600,
        description="how often workers are sent a picture with known faces, to see whether they still find them, in "
        "seconds; 0: never",
    )
    prometheus_url: str = Field(
        "", validation_alias="PROMETHEUS_URL", description="Prometheus, for figures and PromQL; empty: none"
    )
    alertmanager_url: str = Field(
        "",
        validation_alias="ALERTMANAGER_URL",
        description="Alertmanager, for the silences on the page of alerts; `make up` also sends it what fires; "
        "empty: neither",
    )
    node_name: str = Field(
        default_factory=lambda: os.uname().nodename,
        validation_alias="HOSTNAME",
        description="this gateway's name towards the workers",
    )

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < MIN_TOKEN:
            raise PydanticCustomError(
                "token",
                "the token is shorter than 16 characters and could be guessed: make one with `openssl rand -hex 32`",
            )
        return token

    @field_validator("remote_rules")
    @classmethod
    def _rules(cls, value: str) -> str:
        if not set(split(value)) <= set(RULES):
            raise PydanticCustomError(
                "rules", "any of {known}, comma-separated, is needed", {"known": ", ".join(RULES)}
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: SecretStr) -> SecretStr:
        value = url.get_secret_value()
        said = flaw(value)
        if value and (said or urlsplit(value).scheme not in ("postgresql", "postgres")):
            raise PydanticCustomError(
                "database",
                f"the address must look like postgresql://user:password@host/name ({said or HOW}); leave it empty for "
                "a SQLite file",
            )
        return url

    @field_validator("public_url", "published_url", "prometheus_url", "alertmanager_url")
    @classmethod
    def _http(cls, url: str) -> str:
        said = flaw(url)
        if said:
            raise PydanticCustomError("url", f"the address must look like http://host:port: {said}")
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise PydanticCustomError("url", "the address must look like http://host:port")
        return url.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _place(cls, url: str) -> str:
        """Check the public address. Its path may be more than `/`: then all of the gateway is below it."""
        parts = urlsplit(url)
        path = parts.path
        if path and (not PREFIX.fullmatch(path) or path.split("/")[1] in OURS):
            raise PydanticCustomError(
                "prefix",
                "the path may have letters, digits and . _ ~ -, and does not begin with a word that the gateway itself "
                f"uses ({', '.join(sorted(OURS))}): https://cameras.example/fleet",
            )
        if parts.query:
            raise PydanticCustomError("prefix", "the address ends with its path: no ? after it")
        if "@" in parts.netloc:
            raise PydanticCustomError(
                "public", "the address is shown to everybody: no user name or password in it"
            )
        return url

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in split(value):
            parts = urlsplit(origin) if flaw(origin) is None else urlsplit("")
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
                raise PydanticCustomError(
                    "origin", "an origin looks like https://dashboard.example, without a path"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            TrustedProxies(split(value))
        except ValueError:
            raise PydanticCustomError(
                "proxies", "a proxy looks like 10.0.0.7 or 10.0.0.0/24: addresses or networks, no names"
            ) from None
        return value

    @model_validator(mode="after")
    def _not_open_to_all(self) -> Self:
        if self.auth == "off" and not is_loopback(self.host):
            raise PydanticCustomError(
                "open",
                "GATEWAY_AUTH=off is refused because GATEWAY_HOST is not a loopback address: everybody who reaches "
                "this machine would see the cameras; set GATEWAY_HOST=127.0.0.1 or leave authentication on",
            )
        return self

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        windows = self.attendance
        if list(windows) != sorted(windows):
            raise PydanticCustomError(
                "windows",
                "GATEWAY_ATTENDANCE_PEAK_MINUTES, GATEWAY_ATTENDANCE_SESSION_MINUTES and "
                "GATEWAY_ATTENDANCE_LIMIT_MINUTES must not fall: 1, 5 and 30 for one",
            )
        return self

    @property
    def attendance(self) -> WindowMinutes:
        """The windows over which who is here is counted."""
        return WindowMinutes(
            self.attendance_peak_minutes, self.attendance_session_minutes, self.attendance_limit_minutes
        )

    @property
    def tokens(self) -> Path:
        """Where further tokens are kept."""
        return self.tokens_file or self.data_dir / FILE

    @property
    def senders(self) -> Path:
        """Where senders are kept."""
        return self.data_dir / SENDERS_FILE

    @property
    def objects(self) -> str:
        """Where originals and results of ended jobs are kept."""
        return self.storage_url or str((self.data_dir / "objects").resolve())

    @property
    def proxies(self) -> TrustedProxies:
        """Whose word on their clients is believed."""
        return TrustedProxies(split(self.trusted_proxies))

    @property
    def prefix(self) -> str:
        """The path below which browsers see the gateway; empty if it has its host to itself."""
        return urlsplit(self.public_url).path

    @property
    def origins(self) -> frozenset[str]:
        """Origins that may connect although they are not the gateway's own."""
        own = (
            [f"{urlsplit(self.public_url).scheme}://{urlsplit(self.public_url).netloc}"]
            if self.public_url
            else []
        )
        return frozenset(origin.rstrip("/").lower() for origin in [*split(self.allowed_origins), *own])


def split(value: str) -> list[str]:
    """The parts of a comma-separated setting."""
    return [part.strip() for part in value.split(",") if part.strip()]
