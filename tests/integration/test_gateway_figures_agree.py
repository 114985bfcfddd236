"""A figure is the same whatever its source: five minutes as Prometheus has scraped them, and as the gateway heard them.

The minutes are written into a real Prometheus, so that nobody waits for them: a steady load, a minute and more of
overload (frames expire, fail and are given up by their producer, results are late), and the load of before. A sender
with a name sends more than its share all the while.
"""

import random
import subprocess
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

from cli.ports import free_port
from contract.failures import FailureReason
from contract.senders import Sender
from gateway.prometheus import promql
from gateway.prometheus.client import Prometheus
from gateway.statistics import Figures, Statistics
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.results import result
from worker.metrics import WorkerMetrics
from worker.processor import Computed, Expired, Failed

BEGIN = 1_796_000_000 // 60 * 60 + 3  # scrapes are in step with no minute
SECONDS = 300
SCRAPE, BEAT = 5, 2
OVERLOAD = range(120, 200)
SCHOOL = Sender(name="school")
TOLERANCE = 0.02
"""Of the step from the one load to the other."""
LATER = SCRAPE + BEAT
"""Seconds by which one source may know of a step, or forget it, before the other: a scrape, and a heartbeat."""


class Cluster:
    """A worker, a producer and a broker, as Prometheus scrapes them and as the gateway hears them."""

    def __init__(self) -> None:
        self.own = Statistics(BEGIN - 1)
        self.at: dict[int, Figures] = {}
        self.samples: dict[tuple[str, str], dict[str, list[tuple[int, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._worker = WorkerMetrics("n", CollectorRegistry())
        self._worker.senders(frozenset({SCHOOL.name}))
        others = CollectorRegistry()
        self._dropped = Counter("producer_frames_dropped", "", ["camera_id", "reason"], registry=others)
        self._dropped.labels("gate", "queue_full").inc(0)
        self._ready = Gauge("rabbitmq_detailed_queue_messages_ready", "", ["queue"], registry=others)
        self._registries = (self._worker.registry, others)
        self._untold = [0, 0]  # failed, dropped
        self._random = random.Random(7)

    def run(self) -> None:
        """Five minutes."""
        for second in range(SECONDS):
            wall = BEGIN + second
            overload = second in OVERLOAD
            for _ in range(6 if overload else 20):
                self._computed(
                    wall, self._random.uniform(0.6, 1.6) if overload else self._random.uniform(0.04, 0.3)
                )
            for _ in range(3):
                self._computed(wall, 5.0, SCHOOL)
                self._expired(wall, SCHOOL)
            if overload:
                for _ in range(2):
                    self._expired(wall)
                self._worker.settled(
                    Failed(FailureReason.NOT_AN_IMAGE, ""), age=0.1, publish=0.01, sender=None
                )
                self._dropped.labels("gate", "queue_full").inc(12)
                self._untold = [self._untold[0] + 1, self._untold[1] + 12]
            if second % BEAT == 0:
                self.own.failed(self._untold[0], wall)
                self.own.dropped(self._untold[1], wall)
                self._untold = [0, 0]
            self.own.depth(60 if overload else 2, wall)
            self._ready.labels("frame_queue").set(60 if overload else 2)
            if second % SCRAPE == 0:
                self._scrape(wall)
            self.at[second] = self.own.figures(wall + 0.5)

    def _computed(self, wall: int, age: float, sender: Sender | None = None) -> None:
        each = result(wall - age)
        self._worker.settled(Computed(each, b""), age=age, publish=0.01, sender=sender)
        self.own.result(each, wall, age, of_sender=sender is not None)

    def _expired(self, wall: int, sender: Sender | None = None) -> None:
        each = result(wall - 9, status="expired")
        self._worker.settled(Expired(each), age=9.0, publish=0.01, sender=sender)
        self.own.result(each, wall, 9.0, of_sender=sender is not None)

    def _scrape(self, wall: int) -> None:
        for registry in self._registries:
            for family in registry.collect():
                if not family.name.startswith(("cv_", "producer_", "rabbitmq_")):
                    continue
                for sample in family.samples:
                    if sample.name.endswith("_created"):
                        continue
                    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                    series = f"{sample.name}{{{labels}}}"
                    self.samples[family.name, family.type][series].append((wall, sample.value))

    def openmetrics(self) -> str:
        """All scrapes, for promtool."""
        lines = []
        for (name, kind), series in self.samples.items():
            lines.append(f"# TYPE {name} {kind}")
            lines += [f"{key} {value} {wall}" for key, values in series.items() for wall, value in values]
        return "\n".join([*lines, "# EOF\n"])


@contextmanager
def remembering(folder: Path, text: str) -> Iterator[str]:
    """The URL of a Prometheus that has scraped so."""
    file, data, port = folder / "scraped", folder / "data", free_port()
    file.write_text(text)
    (folder / "prometheus.yml").write_text("{}")
    command = [require("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(file), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    process = subprocess.Popen(
        [
            require("prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        eventually("Prometheus is ready", ready, 30)
        yield url
    finally:
        process.terminate()
        process.wait()


class Range(NamedTuple):
    """What a figure is in the steady load and in the overload."""

    low: float
    high: float


RANGES = {
    "processingRate": Range(9, 23),
    "avgLatency": Range(0.17, 1.1),
    "p50": Range(0.17, 1.2),
    "p95": Range(0.29, 2.0),
    "queueDepth": Range(2, 60),
    "notComputed": Range(0, 0.72),
    "errors": Range(0, 1),
}


def own(figures: Figures, name: str) -> float | None:
    return {
        "processingRate": figures.rate,
        "avgLatency": figures.mean,
        "p50": figures.latency.p50,
        "p95": figures.latency.p95,
        "queueDepth": figures.depth,
        "notComputed": figures.not_computed,
        "errors": figures.errors,
    }[name]


async def test_both_sources_agree_under_load_and_after_a_step(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.run()
    worst = dict.fromkeys(RANGES, 0.0)
    with remembering(tmp_path, cluster.openmetrics()) as url:
        prometheus = Prometheus(url)
        try:
            for second in range(70, SECONDS - LATER, 3):
                for name, (low, high) in RANGES.items():
                    vector = await prometheus.query(promql.FIGURES[name], BEGIN + second + 0.5)
                    theirs = vector[0][1]
                    lately = [
                        own(cluster.at[each], name) for each in range(second - LATER, second + LATER + 1)
                    ]
                    ours = [each for each in lately if each is not None]
                    assert theirs is not None, (name, second)
                    apart = max(min(ours) - theirs, theirs - max(ours), 0.0) / (high - low)
                    worst[name] = max(worst[name], apart)
        finally:
            await prometheus.close()
    print({name: round(apart, 3) for name, apart in worst.items()})
    assert max(worst.values()) <= TOLERANCE, worst
