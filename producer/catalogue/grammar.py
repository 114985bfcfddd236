"""Reads SOURCE: what it may say, and the cameras that it names. Pure, except that it looks at paths."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from contract.identifiers import CAMERA_ID_RULE, CANARY_CAMERA
from producer.errors import InvalidSource, NearlyAddress
from producer.reach import parse_host
from producer.redaction import doubtful, redact
from producer.trust import Trust, parse_tls

Kind = Literal["demo", "video", "folder", "snapshot", "stream", "webcam"]

SCHEMES: dict[str, Kind] = {
    "http": "snapshot",
    "https": "snapshot",
    "rtsp": "stream",
    "rtsps": "stream",
    "rtmp": "stream",
    "rtmps": "stream",
}
LIVE_KINDS: frozenset[Kind] = frozenset({"snapshot", "stream", "webcam"})
"""The kinds that show a place as it is now; the others are recordings, or drawn."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp"}
    | {".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".avif", ".jp2"}
)
DEMO_CAMERAS = 4
ID_LENGTH = 64

ENCODING = "in user names and passwords @ / ? # [ ] % are written %40 %2F %3F %23 %5B %5D %25, behind the host @ is %40"
CUT = " (in a camera file a space and # begin a comment, which may have cut it off: # is written %23 in a password)"

HELP = """\
what SOURCE says: one or more of these, comma-separated
  demo                          four cameras with moving faces at known places; demo:8 makes eight
  videos/yard.mkv               a video file (MKV, MP4, AVI, MOV, WebM, GIF, ...)
  pictures/                     a folder of images, with the folders in it, in the order of their names
  http://10.0.0.7/snapshot.jpg  an HTTP camera, asked for a picture PRODUCER_FPS times a second (else once),
                                or one that streams (MJPEG), as its answer shows
  rtsp://10.0.0.8/stream1       an RTSP camera (over TCP), or rtsps://
  rtmp://10.0.0.9/live/yard     an RTMP stream, or rtmps://
  https://cam.example/live.m3u8 an HLS stream: an http(s):// address whose path ends in .m3u8
  webcam:0                      a camera of this machine (/dev/video0)
each may begin with the name that its camera gets (letters, digits, _ and -, at most 64):
  SOURCE='gate-3=rtsp://user:password@10.0.0.8/stream1,yard=videos/yard.mkv' python -m producer
without one it is made from the file's name or the address; equal names get -2, -3, ...
behind a # an address may say whose certificate is trusted (tls=verify, tls=off, tls=sha256:...), and the hosts
besides its own that it may lead to: https://cam.example/live.m3u8#tls=off&host=cdn.example
user name and password belong into the address; in them @ / ? # [ ] % and the comma are written
%40 %2F %3F %23 %5B %5D %25 %2C."""

_PREFIX = re.compile(r"([^=:/?]*)=(.+)", re.DOTALL)
# A text that is meant as an address, and lacks its scheme or a part of it: it has a misspelt scheme, a login, a port.
_NEARLY_ADDRESS = re.compile(
    rf"\s*(?:(?:{'|'.join(SCHEMES)})[:;/\\].*|[^/]*@.*|.*:.*@.*|//.*|[\w.-]+:\d{{1,5}}(?:[/?].*)?"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?:[/?].*)?|\[[0-9a-f:.]+\].*)",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)
PORTS = "the port is 1 to 65535"
NO_ADDRESS = (
    "there is no such file or folder, and as an address it has no scheme, or a broken one: write it as in "
    "http://10.0.0.7/snapshot.jpg or rtsp://user:password@10.0.0.8/stream1"
)


def nearly_address(target: str) -> bool:
    """Whether a target that is not a file was probably meant as an address."""
    return "://" not in target and _NEARLY_ADDRESS.fullmatch(target) is not None


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera of SOURCE. `target` is a path, a URL or a number, by kind; for `demo` the camera's number.

    `label` replaces the target where people read it, if that has secrets in places where `redact` sees none. `tls` and
    `hosts` are what the address says behind a # of whose certificate is trusted, and where else it may lead.
    """

    camera_id: str
    kind: Kind
    target: str = field(repr=False)
    label: str | None = field(default=None, compare=False)
    tls: Trust | None = None
    hosts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The target as logs may show it."""
        return redact(self.target) if self.label is None else self.label

    @property
    def missing(self) -> bool:
        """True for a file or folder that does not exist; a path that is written as a folder (`/`) may come later."""
        named = self.kind in ("video", "folder") and not self.target.endswith("/")
        return named and not Path(self.target).exists()


def parse_sources(text: str) -> list[CameraSpec]:
    """The cameras that SOURCE names, in order, with distinct ids. Raises InvalidSource."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise InvalidSource("SOURCE is empty: say `demo`, or a file, a folder or an address")
    cameras = [camera for part in parts for camera in _parse_part(part)]
    return _distinct(cameras)


def parse_camera(camera_id: str, source: str) -> CameraSpec:
    """The one camera, with this id, that a part of SOURCE without a name describes. Raises InvalidSource."""
    cameras = _parse_target(camera_id, source.strip())
    if len(cameras) != 1:
        raise InvalidSource(
            f"{redact(source)}: these are {len(cameras)} cameras, and here one is meant: say demo:1"
        )
    return cameras[0]


def _parse_part(part: str) -> list[CameraSpec]:
    return _parse_target(*_split_prefix(part))


def _parse_target(camera_id: str | None, target: str) -> list[CameraSpec]:
    if camera_id == CANARY_CAMERA:
        raise InvalidSource(f"{CANARY_CAMERA} is the gateway's own camera: give yours another name")
    name, _, number = target.partition(":")
    if name == "demo" and (number or target == "demo"):
        count = _number(number, target, "demo:4") if number else DEMO_CAMERAS
        if not 1 <= count <= 10_000:
            raise InvalidSource(f"{target}: say a number of cameras from 1 to 10000")
        base = camera_id or "demo"
        alone = camera_id is not None and count == 1
        return [
            CameraSpec(base if alone else _suffixed(base, n), "demo", str(n)) for n in range(1, count + 1)
        ]
    if name == "webcam" and target != name:
        device = _number(number, target, "webcam:0")
        return [CameraSpec(camera_id or f"webcam-{device}", "webcam", str(device))]
    if "://" in target:
        return [_network(camera_id, target)]
    try:
        path = Path(target).expanduser()
        is_dir = path.is_dir()
        stem = path.resolve().name if is_dir else path.stem
    except (OSError, RuntimeError) as error:  # no permission, a name that is too long, ~somebody unknown
        reason = error.strerror if isinstance(error, OSError) else "there is no such home"
        raise InvalidSource(f"{redact(target)}: this path cannot be looked at: {reason}") from None
    if nearly_address(target) and not _exists(str(path)):
        raise NearlyAddress(NO_ADDRESS)
    if not is_dir and target.endswith("/"):  # not there yet
        return [CameraSpec(camera_id or sanitise(path.name), "folder", f"{path}/")]
    folder = is_dir or path.suffix.lower() in IMAGE_SUFFIXES
    return [CameraSpec(camera_id or sanitise(stem), "folder" if folder else "video", str(path))]


def _network(camera_id: str | None, url: str) -> CameraSpec:
    kind = SCHEMES.get(url.partition("://")[0].lower())
    if kind is None:
        shown = redact(url)
        scheme = shown.partition("://")[0].lower()
        raise InvalidSource(f"{shown}: {scheme}:// is not known; known are {', '.join(SCHEMES)}")
    if doubtful(url):
        raise InvalidSource(f"{redact(url)}: where its password ends cannot be told: {ENCODING}")
    hint = f" (if it has a password: {ENCODING})" if "@" in url else ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        if "out of range" in str(error):  # urllib's words, which begin with "Port"
            raise InvalidSource(f"{redact(url)}: {PORTS}{hint}") from None
        host, port = None, None
    if not host:
        raise InvalidSource(
            f"{redact(url)}: there is no host in this address, or a port that is not a number{hint or CUT}"
        )
    url, _, options = url.partition("#")
    tls, hosts = _options(options, redact(url))
    if kind == "snapshot" and parts.path.lower().endswith(".m3u8"):
        kind = "stream"
    stem = parts.path.rpartition(".")[0] or parts.path
    camera_id = camera_id or sanitise(f"{host}{f'-{port}' if port else ''}-{stem}")
    return CameraSpec(camera_id, kind, url, tls=tls, hosts=hosts)


def _options(text: str, shown: str) -> tuple[Trust | None, tuple[str, ...]]:
    """What stands behind the # of an address: `tls=off&host=cdn.example`."""
    tls, hosts = None, []
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        try:
            if name == "tls":
                tls = parse_tls(value)
            elif name == "host":
                hosts.append(parse_host(value))
            else:
                raise InvalidSource(f"{shown}: behind # it may say tls=... and host=..., and nothing else")
        except ValueError as error:
            raise InvalidSource(f"{shown}: its {name}= behind # is {error}") from None
    return tls, tuple(hosts)


def _split_prefix(part: str) -> tuple[str | None, str]:
    match = _PREFIX.fullmatch(part)
    if match is None or _exists(part):
        return None, part
    camera_id, target = match[1].strip(), match[2].strip()
    if not CAMERA_ID_RULE.match(camera_id):
        raise InvalidSource(
            f"{camera_id!r} is no camera name: letters, digits, _ and -, at most {ID_LENGTH} "
            "(a file with = in its name is written ./name)"
        )
    return camera_id, target


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # an address may be too long for a file's name
        return False


def _number(text: str, target: str, example: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise InvalidSource(f"{redact(target)}: after the colon comes a number, as in {example}")
    return int(text[:9])


def sanitise(name: str) -> str:
    """A camera name made of any text: characters that are not allowed become `-`."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:ID_LENGTH].rstrip("-") or "camera"


def _suffixed(base: str, number: int) -> str:
    suffix = f"-{number}"
    return base[: ID_LENGTH - len(suffix)] + suffix


def _distinct(cameras: list[CameraSpec]) -> list[CameraSpec]:
    taken: set[str] = set()
    distinct = []
    for camera in cameras:
        camera_id, number = camera.camera_id, 2
        while camera_id in taken:
            camera_id, number = _suffixed(camera.camera_id, number), number + 1
        taken.add(camera_id)
        distinct.append(replace(camera, camera_id=camera_id))
    return distinct
