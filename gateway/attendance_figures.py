"""How many users and sessions are here: the figures, and Prometheus' view of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Kind = Literal["users", "sessions"]
Device = Literal["ios", "android", "web_pc", "web_mobile", "other", "bot"]
KINDS: tuple[Kind, ...] = ("users", "sessions")
DEVICES: tuple[Device, ...] = ("ios", "android", "web_pc", "web_mobile", "other", "bot")
PEOPLE: tuple[Device, ...] = tuple(each for each in DEVICES if each != "bot")
ALL = "all"
"""In place of a device: all of them together, bots left out. Who uses two devices is one."""


class WindowMinutes(NamedTuple):
    """How many minutes each looks back."""

    peak: int = 1
    session: int = 5
    limit: int = 30


Counts = Mapping[str, Mapping[Kind, Mapping[str, int]]]
"""By window, kind and device (or ALL)."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """The counts of a moment (`time`, Unix seconds).

    `shared` says whether those of all gateways are in them; None where no Redis is to be asked. `trouble` says why not.
    """

    time: float
    counts: Counts
    shared: bool | None = None
    trouble: str = ""
    windows: WindowMinutes = field(default_factory=WindowMinutes)


class AttendanceCollector(Collector):
    """Tells the counts of the moment at which it is asked."""

    def __init__(self) -> None:
        self._read: Callable[[], Attendance | None] = lambda: None

    def ask_for(self, read: Callable[[], Attendance | None]) -> None:
        """Tell what `read` returns at each scrape, in the scrape's thread."""
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Name them, so that a second metric of the same name is refused."""
        return [*(_gauge(kind) for kind in KINDS), _shared()]

    def collect(self) -> Iterable[Metric]:
        """The figures now."""
        attendance = self._read()
        for kind in KINDS:
            gauge = _gauge(kind)
            for window, counts in attendance.counts.items() if attendance else ():
                for device, count in counts[kind].items():
                    gauge.add_metric([window, device], count)
            yield gauge
        shared = _shared()
        if attendance and attendance.shared is not None:
            shared.add_metric([], attendance.shared)
        yield shared


def _gauge(kind: Kind) -> GaugeMetricFamily:
    words = {
        "users": "Users here: different tokens that asked or watched within the window; device all: each counted once",
        "sessions": "Sessions here: different users, addresses and user agents within the window; bots are not in all",
    }
    return GaugeMetricFamily(f"gateway_concurrent_{kind}", words[kind], labels=["window", "device"])


def _shared() -> GaugeMetricFamily:
    words = "1 while the counts are those of all gateways, 0 while Redis does not answer; absent without REDIS_URL"
    return GaugeMetricFamily("framefleet_attendance_shared", words)
