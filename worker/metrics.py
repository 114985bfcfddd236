"""The worker's metrics. Dashboards and alerts of users rely on the names."""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from broker import LinkCounts
from contract.buckets import AGE_BUCKETS, STAGE_BUCKETS
from contract.failures import FailureReason
from contract.senders import Sender
from runtime.confinement import REMEDIES
from runtime.metrics import ServiceMetrics
from worker.detection.detector import Named
from worker.detection_counts import DetectionCounts
from worker.processor import HOP, Computed, Expired, Failed
from worker.switchboard import Routes

BATCH_BUCKETS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
OUTCOMES = OK, EXPIRED, FAILED, RETRIED = ("ok", "expired", "failed", "retried")
ITEM_OUTCOMES = (OK, EXPIRED, *(reason.value for reason in FailureReason))


class WorkerMetrics:
    """Counters and histograms of one worker; `registry` has all that its metrics port shows.

    `service` are those of its process, `link` counts what its link to the broker does.
    """

    def __init__(self, node_id: str, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self.service = ServiceMetrics("worker", registry)
        self.link = LinkCounts()
        registry.register(self.link)
        self._detections = DetectionCounts(node_id)
        registry.register(self._detections)
        node = {"node_id": node_id}
        labels = ["node_id"]
        self._processing = Histogram(
            "cv_processing_seconds",
            "Decode and detect; in a batch a frame's share of it",
            labels,
            registry=registry,
            buckets=STAGE_BUCKETS,
        ).labels(**node)
        self._processed = Counter(
            "cv_frames_processed_total", "Frames with a confirmed result", labels, registry=registry
        ).labels(**node)
        failed = Counter(
            "cv_frames_failed_total", "Frames dead-lettered", [*labels, "reason"], registry=registry
        )
        self._failed = {reason: failed.labels(**node, reason=reason.value) for reason in FailureReason}
        self._expired = Counter(
            "cv_frames_expired_total", "Live frames too old to compute", [*labels, "hop"], registry=registry
        ).labels(**node, hop=HOP)
        stages = Histogram(
            "cv_stage_seconds", "Time by stage", [*labels, "stage"], registry=registry, buckets=STAGE_BUCKETS
        )
        self._stages = {
            stage: stages.labels(**node, stage=stage) for stage in ("queue", "decode", "detect", "publish")
        }
        self._age = Histogram(
            "cv_frame_age_seconds",
            "Capture to confirmed result, the batch lane and jobs left out: there frames wait on purpose",
            labels,
            registry=registry,
            buckets=AGE_BUCKETS,
        ).labels(**node)
        self._sender_age = Histogram(
            "cv_sender_frame_age_seconds",
            "Of cv_frame_age_seconds, the frames of senders with a name",
            labels,
            registry=registry,
            buckets=AGE_BUCKETS,
        ).labels(**node)
        items = Counter(
            "framefleet_job_items_total",
            "Items of jobs that were answered: ok, or why they could not be computed",
            [*labels, "outcome"],
            registry=registry,
        )
        self._items = {each: items.labels(node_id, each) for each in ITEM_OUTCOMES}
        self._item_seconds = Histogram(
            "framefleet_job_item_seconds",
            "An item of a job from its sending to its confirmed answer",
            labels,
            registry=registry,
            buckets=AGE_BUCKETS,
        ).labels(**node)
        self._item_bytes = Counter(
            "framefleet_job_item_bytes_total",
            "Size of the answered items' pictures",
            labels,
            registry=registry,
        ).labels(**node)
        self._dequeue_age = Histogram(
            "framefleet_dequeue_age_seconds",
            "Capture until a worker took a frame out of a live lane's own queue, its sender's clock corrected",
            labels,
            registry=registry,
            buckets=AGE_BUCKETS,
        ).labels(**node)
        self._batch = Histogram(
            "cv_batch_frames",
            "Frames that the inference thread took and computed together",
            labels,
            registry=registry,
            buckets=BATCH_BUCKETS,
        ).labels(**node)
        self._device = Gauge(
            "cv_device_info",
            "What detection computes on; fallback: a GPU was to be expected and is not there",
            [*labels, "device", "fallback"],
            registry=registry,
        )
        self._busy = Counter(
            "cv_busy_seconds_total", "Time the inference thread computed", labels, registry=registry
        ).labels(**node)
        self._skew = Counter(
            "cv_clock_skew_total",
            "Frames whose sender's clock had to be corrected for",
            labels,
            registry=registry,
        ).labels(**node)
        self._voided = Counter(
            "cv_publishing_voided_total",
            "Publishing channels given up because their confirms did not add up",
            labels,
            registry=registry,
        ).labels(**node)
        self._retried = Counter(
            "cv_frames_retried_total",
            "Frames sent to another attempt",
            [*labels, "reason"],
            registry=registry,
        )
        self._model = Gauge(
            "cv_model_info", "The model in use", [*labels, "model", "detector", "fallback"], registry=registry
        )
        lookups = Counter(
            "cv_result_cache_lookups_total",
            "Pictures looked up in the result cache",
            [*labels, "result"],
            registry=registry,
        )
        self._lookups = {True: lookups.labels(node_id, "hit"), False: lookups.labels(node_id, "miss")}
        self._substituted = Counter(
            "cv_model_substitutions_total",
            "Frames that asked for a known model which is not here, computed by the one in use",
            labels,
            registry=registry,
        ).labels(**node)
        self._failing = Gauge(
            "cv_model_failing", "1 while a desired model does not load", labels, registry=registry
        ).labels(**node)
        self._drained = Gauge(
            "framefleet_worker_drained",
            "1 while an operator wants this worker to take no frames",
            labels,
            registry=registry,
        ).labels(**node)
        self._confinement = Gauge(
            "cv_confinement_lacking",
            "1 where processes for suspect frames and strangers' models do without that part of their confinement",
            [*labels, "part"],
            registry=registry,
        )
        self._sender_seconds = Counter(
            "cv_sender_seconds_total",
            "Time that computing a sender's frames took, children's included",
            [*labels, "sender"],
            registry=registry,
        )
        self._sender_frames = Counter(
            "cv_sender_frames_total",
            "A sender's frames by what came of them",
            [*labels, "sender", "outcome"],
            registry=registry,
        )
        self._replies_refused = Counter(
            "cv_sender_replies_refused_total",
            "Results that were not sent to the reply_to of a sender, which is not its own",
            [*labels, "sender"],
            registry=registry,
        )
        self._senders: frozenset[str] = frozenset()
        self._node_id = node_id

    def confinement(self, lacking: Collection[str]) -> None:
        """Say what processes for suspects have to do without."""
        for part in REMEDIES:
            self._confinement.labels(self._node_id, part).set(part in lacking)

    def drained(self, out_of_work: bool) -> None:
        """Say whether an operator has put this worker out of work."""
        self._drained.set(out_of_work)

    def model(self, routes: Routes[Named]) -> None:
        """Say which model is in use, and whether another one should be."""
        self._model.clear()
        fallback = "no" if routes.fallback is None else "yes"
        self._model.labels(self._node_id, routes.default.model, routes.default.name, fallback).set(1)
        self._failing.set(routes.error is not None)

    def substituted(self) -> None:
        """Count a frame that was computed by another model than it asked for."""
        self._substituted.inc()

    def device(self, name: str, fallback: str | None) -> None:
        """Say what is computed on; `fallback` is why it is not what was to be expected."""
        self._device.labels(self._node_id, name, "no" if fallback is None else "yes").set(1)

    def computed(self, frames: int, seconds: float) -> None:
        """Count time that the inference thread computed, and the frames that it had taken for it."""
        self._busy.inc(seconds)
        self._batch.observe(frames)

    def senders(self, names: frozenset[str]) -> None:
        """Count for these senders and no others."""
        for gone in self._senders - names:
            self._sender_seconds.remove(self._node_id, gone)
            self._replies_refused.remove(self._node_id, gone)
            for outcome in OUTCOMES:
                self._sender_frames.remove(self._node_id, gone, outcome)
        for come in names - self._senders:
            self._sender_seconds.labels(self._node_id, come)
            self._replies_refused.labels(self._node_id, come)
            for outcome in OUTCOMES:
                self._sender_frames.labels(self._node_id, come, outcome)
        self._senders = names

    def sender_computed(self, sender: Sender, seconds: float) -> None:
        """Count time that computing for a sender took."""
        if sender.name in self._senders:
            self._sender_seconds.labels(self._node_id, sender.name).inc(seconds)

    def reply_refused(self, sender: Sender) -> None:
        """Count a reply that was left out."""
        if sender.name in self._senders:
            self._replies_refused.labels(self._node_id, sender.name).inc()

    def dequeued(self, age: float) -> None:
        """Count a task that came out of its queue, `age` seconds after its frame was captured."""
        self._dequeue_age.observe(age)

    def skewed(self) -> None:
        """Count a frame whose sender's clock had to be corrected for."""
        self._skew.inc()

    def voided(self) -> None:
        """Count a publishing channel whose confirms did not add up."""
        self._voided.inc()

    def retried(self, reason: FailureReason, sender: Sender | None) -> None:
        """Count a frame that gets another attempt."""
        self._retried.labels(self._node_id, reason.value).inc()
        self._came_of(sender, RETRIED)

    def settled(
        self,
        outcome: Computed | Expired | Failed,
        *,
        age: float | None,
        publish: float,
        sender: Sender | None,
        exemplar: dict[str, str] | None = None,
    ) -> None:
        """Count a frame whose result, expiry or dead letter the broker has confirmed.

        `age` is capture to confirmation, None where it tells nothing of this cluster; `publish` the publishing and
        confirming alone, in seconds. `exemplar` leads from the histograms to the frame's trace, where it has one.
        """
        if isinstance(outcome, Failed):
            self._failed[outcome.reason].inc()
            self._came_of(sender, FAILED)
            return
        if isinstance(outcome, Expired):
            self._expired.inc()
            self._came_of(sender, EXPIRED)
            return
        self._came_of(sender, OK)
        self._computed_one(outcome, publish, exemplar)
        if age is None:
            return
        self._stages["queue"].observe(outcome.stages.get("queue", 0.0))
        self._age.observe(age, exemplar)
        if sender is not None:
            self._sender_age.observe(age)

    def item_settled(
        self, outcome: Computed | Expired | Failed, seconds: float, publish: float, size: int
    ) -> None:
        """Count an item of a job whose answer was confirmed, `seconds` after it was sent; `size` in bytes."""
        self._item_seconds.observe(seconds)
        self._item_bytes.inc(size)
        if isinstance(outcome, Failed):
            self._items[outcome.reason.value].inc()
            return
        self._items[OK if isinstance(outcome, Computed) else EXPIRED].inc()
        if isinstance(outcome, Computed):
            self._computed_one(outcome, publish, None)

    def _computed_one(self, outcome: Computed, publish: float, exemplar: dict[str, str] | None) -> None:
        self._processed.inc()
        if outcome.cached is not None:
            self._lookups[outcome.cached].inc()
        self._processing.observe(outcome.result.processing_seconds, exemplar)
        for stage in ("decode", "detect"):
            if stage in outcome.stages:
                self._stages[stage].observe(outcome.stages[stage])
        self._stages["publish"].observe(publish)
        self._detections.found(outcome.result.model, outcome.result.detections)

    def _came_of(self, sender: Sender | None, outcome: str) -> None:
        if sender is not None and sender.name in self._senders:
            self._sender_frames.labels(self._node_id, sender.name, outcome).inc()
