"""How many series there are at a thousand cameras and twenty workers, and that what others invent makes none."""

from collections import Counter
from itertools import islice, product

import pytest
from prometheus_client import CollectorRegistry

from cli.metrics_page import SeriesBudget
from contract.failures import FailureReason
from contract.remote import RemoteReport, SpentReport
from contract.result import DetectedObject
from gateway.attendance_figures import ALL, DEVICES, KINDS, Attendance, WindowMinutes
from gateway.cameras.cameras import FORGET_AFTER_SECONDS, Cameras
from gateway.canary.metrics import CanaryMetrics
from gateway.metrics import GatewayMetrics
from producer.metrics import ProducerMetrics
from runtime.probes import cut_connections
from tests.helpers.results import result
from worker.detection_counts import MOST_LABELS, MOST_MODELS, DetectionCounts
from worker.metrics import WorkerMetrics
from worker.remote.metrics import HOLDS, RemoteMetrics

CAMERAS, PRODUCERS, WORKERS = 1_000, 4, 20
BUDGET = SeriesBudget()
LIMIT = 60_000
REASONS = [f"reason-{n}" for n in range(19)]
"""As many as a camera of one kind meets in a bad week, of frames left out and dropped and of failures together."""
ROUTES = 90
"""More than the gateway has (tests/integration/test_metrics.py)."""


def series(registry: CollectorRegistry) -> int:
    return sum(len(family.samples) for family in registry.collect())


def of(registry: CollectorRegistry, camera_id: str) -> Counter[str]:
    """The series that name the camera, by name."""
    return Counter(
        sample.name
        for family in registry.collect()
        for sample in family.samples
        if sample.labels.get("camera_id") == camera_id
    )


def worker(*, remote: bool = False) -> CollectorRegistry:
    """One that has met every reason, and finds what two models find; of the remote lane, if `remote`."""
    metrics = WorkerMetrics("n1")
    metrics.registry.register(cut_connections())
    metrics.service.watch_loop("amqp", lambda delay, call: lambda: None)
    metrics.confinement(())
    metrics.device("cpu", None)
    for reason in FailureReason:
        metrics.retried(reason, None)
    for model in ("yunet@ebafce4e", "yolo@12345678"):
        found = [face(label) for label in ("face", "person", "car", "bicycle", "dog", "truck", "bus")]
        metrics._detections.found(model, found)
    if remote:
        calls = RemoteMetrics("n1", metrics.registry)
        for by in (*HOLDS, "throttled", "ending"):
            calls.put_back(by)
        spent = SpentReport(period="2026-11", spent=1.0, limit=5.0)
        calls.report(RemoteReport(endpoint="h", model="m", state="open", day=spent, month=spent))
    return metrics.registry


def producer(cameras: int) -> CollectorRegistry:
    """One whose cameras have all had much trouble."""
    metrics = ProducerMetrics()
    metrics.registry.register(cut_connections())
    metrics.service.watch_loop("main", lambda delay, call: lambda: None)
    metrics.confinement(())
    metrics.file_read(0)
    for camera_id in map(str, range(cameras)):
        trouble(metrics, camera_id)
    return metrics.registry


def trouble(metrics: ProducerMetrics, camera_id: str) -> None:
    metrics.state(camera_id, "live")
    metrics.frame_sent(camera_id)
    metrics.missing_replies.labels(camera_id).inc()
    metrics.defect(camera_id, "frozen", on=True)
    metrics.certificate(camera_id, 1.0)
    counters = (metrics.skipped, metrics.dropped, metrics.errors, metrics.failed)
    for counter, reason in zip(counters * 5, REASONS, strict=False):
        counter.labels(camera_id, reason).inc()


def gateway(cameras: int) -> CollectorRegistry:
    """One that is asked everything in every way, with results of all cameras."""
    metrics = GatewayMetrics()
    metrics.registry.register(cut_connections())
    metrics.service.watch_loop("main", lambda delay, call: lambda: None)
    metrics.history_free.set(1.0)
    metrics.token_expiry.set(1.0)
    CanaryMetrics(metrics.registry)
    counts = {kind: dict.fromkeys((*DEVICES, ALL), 1) for kind in KINDS}
    everybody = Attendance(0.0, dict.fromkeys(WindowMinutes._fields, counts), shared=True)
    metrics.attendance.ask_for(lambda: everybody)
    for device in DEVICES:
        metrics.time_on_app.labels(device)
    metrics.redis_up.set(1.0)
    for state in ("used", "idle"):
        metrics.database_connections.labels(state)
    for route, method in product(range(ROUTES), ("GET", "HEAD", "other")):
        metrics.http_seconds.labels(str(route), method).observe(0.1)
        for code in (200, 304, 401, 403, 404, 405, 422, 429):
            metrics.http_requests.labels(str(route), method, str(code)).inc()
    known = Cameras(lambda now: ())
    for camera_id in map(str, range(cameras)):
        known.result(result(0.0, camera_id=camera_id), 0.0, 0.0)
    metrics.camera_results.ask_for(known.results)
    return metrics.registry


def face(label: str = "face") -> DetectedObject:
    return DetectedObject(x=0, y=0, w=1, h=1, confidence=0.9, label=label)


def test_a_thousand_cameras_are_within_the_budget() -> None:
    per_producer = CAMERAS // PRODUCERS
    counts = {
        "worker": series(worker()),
        "remote": series(worker(remote=True)) - series(worker()),
        "producer": series(producer(0)),
        "camera": -(-(series(producer(per_producer)) - series(producer(0))) // per_producer),
        "gateway": series(gateway(0)),
        "result": (series(gateway(CAMERAS)) - series(gateway(0))) / CAMERAS,
    }
    over = {name: count for name, count in counts.items() if count > getattr(BUDGET, name)}
    assert over == {}, counts
    total = WORKERS * series(worker()) + PRODUCERS * series(producer(per_producer)) + series(gateway(CAMERAS))
    assert total <= BUDGET.total < LIMIT


def test_cameras_that_come_and_go_leave_nothing_behind() -> None:
    metrics = ProducerMetrics()
    before = series(metrics.registry)
    for camera_id in (f"camera-{n}" for n in range(1_000)):
        trouble(metrics, camera_id)
        assert of(metrics.registry, camera_id) if camera_id == "camera-0" else True
        metrics.forget(camera_id)
    assert series(metrics.registry) == before

    known = Cameras(lambda now: ())
    known.result(result(0.0, camera_id="gate"), 0.0, 0.0)
    assert [each.camera_id for each in known.results()] == ["gate"]
    known.tidy(FORGET_AFTER_SECONDS + 1)
    assert known.results() == []


def test_ages_only_grow_whatever_clocks_do() -> None:
    known = Cameras(lambda now: ())
    ages = []
    # A step back; a worker's odd word.
    for wall, queued in (
        (1_000.0, 0.05),
        (400.0, 0.05),
        (1_001.0, -3_600.0),
    ):
        known.result(result(1_000.0, camera_id="gate", queue_seconds=queued), 0.0, wall)
        ages.append(known.results()[0].ages)
    assert ages == pytest.approx([0.07, 0.14, 0.14])
    assert known.results()[0].last == 1_001.0


def test_models_and_labels_without_end_are_counted_as_other() -> None:
    registry = CollectorRegistry()
    counts = DetectionCounts("n1")
    registry.register(counts)
    made_up = islice(product(range(1_000), range(300)), 0, None, 13)
    total = 0
    for model, label in made_up:
        counts.found(f"model-{model}", [face(f"label-{label}")])
        total += 1
    assert registry.get_sample_value(
        "framefleet_detections_total", {"node_id": "n1", "model": "other", "label": "other"}
    )
    found = [
        sample
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "framefleet_detections_total"
    ]
    assert len(found) <= (MOST_MODELS + 1) * (MOST_LABELS + 1)
    assert sum(sample.value for sample in found) == total
    assert registry.get_sample_value("framefleet_detection_confidence_count", {"model": "other"})


def test_a_name_that_is_there_twice_is_refused() -> None:
    metrics = ProducerMetrics()
    with pytest.raises(ValueError, match="framefleet_publishes_total"):
        metrics.registry.register(metrics.link)
    gateway_metrics = GatewayMetrics()
    with pytest.raises(ValueError, match="framefleet_camera_result_age_seconds_count"):
        gateway_metrics.registry.register(gateway_metrics.camera_results)


def test_confidences_are_below_their_edges() -> None:
    registry = CollectorRegistry()
    counts = DetectionCounts("n1")
    registry.register(counts)
    sure = [
        DetectedObject(x=0, y=0, w=1, h=1, confidence=each, label="face") for each in (0.0, 0.9, 0.92, 1.0)
    ]
    counts.found("yunet", sure)
    counts.found("blind", [])

    def below(edge: str, model: str = "yunet") -> float | None:
        labels = {"model": model, "le": edge}
        return registry.get_sample_value("framefleet_detection_confidence_bucket", labels)

    assert [below(edge) for edge in ("0.1", "0.8", "0.9", "0.95", "1.0", "+Inf")] == [1, 1, 2, 3, 4, 4]
    assert registry.get_sample_value(
        "framefleet_detection_confidence_sum", {"model": "yunet"}
    ) == pytest.approx(2.82)
    assert below("+Inf", "blind") == 0  # a model that finds nothing is told of too
