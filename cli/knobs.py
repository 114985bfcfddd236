"""The operator's knobs, checked before anything is installed or started. Standard library only: bootstrap uses it."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli import lan
from cli.errors import KnobError
from cli.parser import nearest
from contract.identifiers import CAMERA_ID
from producer.redaction import redact
from runtime.urls import HOW, flaw

NAMES = (
    "WORKERS",
    "WORKERS_BATCH",
    "SOURCE",
    "CAMERAS",
    "PORT",
    "HOST",
    "MODEL_DIR",
    "AMQP_URL",
    "PYTHON",
    "PYTEST",
    "SECONDS",
    "SEED",
)
MOST_WORKERS = 512
AUTO = "auto"
SCHEMES = ("http", "https", "rtsp", "rtmp")
CAMERA_PREFIX = re.compile(rf"^({CAMERA_ID})=(?!=)")
WITHOUT_FILE = re.compile(r"^(demo(:[1-9][0-9]*)?|webcam:[0-9]+|(https?|rtsps?|rtmps?)://.+)$")


@dataclass(frozen=True)
class Knobs:
    """The choices that `make up` leaves to the operator.

    `batch_workers`: so many of the batch lane are started at most, when something waits there. `port` is None unless
    asked for; `host` is empty for this machine alone. `source` is `none` or the producer's SOURCE, and without meaning
    if there is a file of `cameras`.
    """

    workers: int
    source: str
    port: int | None
    model_dir: Path | None
    amqp_url: str
    cameras: Path | None = None
    host: str = ""
    batch_workers: int = 0

    @property
    def words(self) -> dict[str, str]:
        """What a run is started with and cannot change: each knob's value as text, empty where it was not given."""
        return {
            "SOURCE": self.source if self.cameras is None else "",
            "CAMERAS": str(self.cameras or ""),
            "PORT": str(self.port or ""),
            "MODEL_DIR": str(self.model_dir or ""),
            "AMQP_URL": self.amqp_url,
        }

    @property
    def own_producer(self) -> bool:
        """True if a producer is to be started."""
        return self.cameras is not None or self.source != "none"

    @property
    def own_broker(self) -> bool:
        """True if a private RabbitMQ is to be started."""
        return not self.amqp_url


def read_knobs(environment: Mapping[str, str], folder: Path) -> Knobs:
    """The knobs in `environment` (WORKERS, WORKERS_BATCH, SOURCE, CAMERAS, PORT, HOST, MODEL_DIR, AMQP_URL).

    Empty ones count as not given, relative paths are taken from `folder`. Raises KnobError with one sentence for each
    wrong knob.
    """
    wrong: list[str] = []

    def take(name: str, default: str) -> str:
        return environment.get(name, "").strip() or default

    workers = _number(take("WORKERS", str(os.cpu_count() or 1)), 0, MOST_WORKERS)
    if workers is None:
        wrong.append(
            f"WORKERS={environment['WORKERS']}: a whole number from 0 to {MOST_WORKERS} is needed, "
            f"e.g. WORKERS=2 (without it, one per core: {os.cpu_count()})"
        )
    asked = take("WORKERS_BATCH", AUTO)
    batch_workers = os.cpu_count() or 1 if asked == AUTO else _number(asked, 0, MOST_WORKERS)
    if batch_workers is None:
        wrong.append(
            f"WORKERS_BATCH={asked}: auto is possible (up to one per core, while jobs need them), or a whole number "
            f"from 0 to {MOST_WORKERS}"
        )
    port = _number(take("PORT", "0"), 0, 65535)
    if port is None:
        wrong.append(f"PORT={environment['PORT']}: a port is a number from 1 to 65535, e.g. PORT=8080")
    host = take("HOST", "").removeprefix("[").removesuffix("]")
    if host in ("localhost", socket.gethostname()):
        host = ""  # some shells (tcsh) have the machine's name in HOST
    if host and (said := lan.flaw(host, authenticated=take("GATEWAY_AUTH", "on") != "off")):
        wrong.append(f"HOST={environment['HOST']}: {said}")
    model_dir = Path(folder, Path(take("MODEL_DIR", ".")).expanduser()).resolve()
    if not model_dir.is_dir():
        wrong.append(f"MODEL_DIR={environment['MODEL_DIR']}: there is no such folder")
    source, problems = _source(take("SOURCE", "demo"), folder)
    wrong += problems
    cameras = Path(folder, Path(take("CAMERAS", ".")).expanduser()).resolve() if take("CAMERAS", "") else None
    if cameras is not None and not cameras.is_file():
        wrong.append(
            f"CAMERAS={environment['CAMERAS']}: there is no such file (docs/cameras.md says how one looks)"
        )
    if cameras is not None and take("SOURCE", ""):
        wrong.append("CAMERAS and SOURCE are both set: leave one of them out")
    amqp_url = take("AMQP_URL", "")
    wrong += [sentence for url in amqp_url.split(",") if amqp_url for sentence in _url(url.strip(" "))]
    if wrong:
        raise KnobError("\n".join(wrong))
    given = take("MODEL_DIR", "")
    return Knobs(
        workers or 0,
        source,
        port or None,
        model_dir if given else None,
        amqp_url,
        cameras,
        host,
        batch_workers or 0,
    )


def check_names(given: str) -> None:
    """Raise KnobError if one of the names `given` to make on its command line is not a knob."""
    for name in given.split():
        close = nearest(name, NAMES)
        # A lower-case name that resembles none is the business of whoever wrote it for make.
        if name not in NAMES and (close or name.isupper()):
            hint = f"did you mean {close}?" if close else f"known are {', '.join(NAMES)}"
            raise KnobError(f"{name} is not a knob: {hint}")


def broker_addresses(amqp_url: str) -> list[tuple[str, int]]:
    """Host and port of every URL in a comma-separated setting."""
    parts = [urlsplit(url.strip()) for url in amqp_url.split(",")]
    return [(p.hostname or "", p.port or (5671 if p.scheme == "amqps" else 5672)) for p in parts]


def _number(text: str, least: int, most: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and least <= int(text) <= most else None


def _source(text: str, folder: Path) -> tuple[str, list[str]]:
    """Return SOURCE with absolute paths, and what is wrong with it."""
    if text == "none":
        return text, []
    entries: list[str] = []
    wrong: list[str] = []
    for entry in (part.strip() for part in text.split(",")):
        named = None if Path(folder, entry).exists() else CAMERA_PREFIX.match(entry)
        prefix, what = (named.group(0), entry[named.end() :]) if named else ("", entry)
        if WITHOUT_FILE.match(what):
            entries.append(entry)
            continue
        path = Path(folder, Path(what).expanduser())
        if what.endswith("/") and not path.exists():  # a folder that is to come
            entries.append(f"{prefix}{path}/")
            continue
        if not what or not path.exists():
            hint = f" Did you mean {word}?" if (word := _resembled(what)) else ""
            wrong.append(
                f"SOURCE: there is no file or folder {redact(what)!r}.{hint} A source is demo, none, a video file, a "
                "folder of images, http(s)://…, rtsp://… or webcam:0; several are separated by commas, and each may "
                "be named: gate=video.mp4"
            )
        elif not os.access(path, os.R_OK):
            wrong.append(f"SOURCE: {redact(what)!r} may not be read by this user")
        entries.append(f"{prefix}{path.resolve()}")
    return ",".join(entries), wrong


def _resembled(what: str) -> str | None:
    """The word or the scheme that was misspelt, if it was that."""
    scheme, separator, _ = what.partition("://")
    if separator:
        close = nearest(scheme, SCHEMES)
        return f"{close}://" if close else None
    return nearest(what, ("demo", "none"))


def _url(url: str) -> list[str]:
    """Return what is wrong with a broker's URL; its password is never shown."""
    said = flaw(url)
    if said is None:
        parts = urlsplit(url)
        if parts.scheme in ("amqp", "amqps") and parts.hostname and parts.port != 0:
            return []
    return [f"AMQP_URL: a broker's address looks like amqp://user:password@host:5672/: {said or HOW}"]
