"""The ages that objectives and alerts are about are those of live frames: the batch lane is meant to be long, and a
sender with a name waits as long as it sends more than its share."""

import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from contract.status import NodeStatus
from contract.topology import Lane
from gateway.live.results import LiveResults, ReceivedResult
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from tests.helpers.results import result
from tests.helpers.senders import SCHOOL
from worker.camera_quota import CameraQuota
from worker.freshness import Freshness
from worker.intake import Intake
from worker.metrics import WorkerMetrics
from worker.reception import Reception


def status(lane: Lane) -> NodeStatus:
    """The heartbeat of a node called as its lane."""
    return NodeStatus(
        node_id=lane.value,
        state="running",
        lane=lane.value,
        model="m@1",
        detector="m",
        fallback=None,
        prefetch=1,
        fps=1.0,
        busy=0.5,
        processed=1,
        failed=0,
        since=1.0,
        time=1.0,
        version="0",
    )


@pytest.mark.parametrize(("node_id", "counted"), [("live", 1.0), ("batch", 0.0), ("unheard", 1.0)])
def test_a_result_counts_unless_its_node_takes_the_batch_lane(node_id: str, counted: float) -> None:
    nodes = Nodes()
    for lane in (Lane.LIVE, Lane.BATCH):
        nodes.heard(status(lane), 1.0, 1.0)
    metrics = GatewayMetrics(CollectorRegistry())
    nothing: Any = SimpleNamespace(
        result=lambda *_, **__: None, publish=lambda _: False, shows=lambda *_: True, add=lambda *_: None
    )
    results = LiveResults(nothing, nothing, nothing, nothing, nothing, metrics, nodes.waits)
    old = result(time.time() - 60, node_id=node_id)
    results.take(ReceivedResult(old, b"{}"))
    assert metrics.registry.get_sample_value("gateway_result_age_seconds_count") == counted
    assert metrics.registry.get_sample_value("gateway_results_stale_total") == counted
    results.take(ReceivedResult(msgspec.structs.replace(old, sender="school"), b"{}"))
    assert metrics.registry.get_sample_value("gateway_result_age_seconds_count") == counted


def delivery(timestamp: float, *, backlog: bool = False) -> Any:
    return SimpleNamespace(
        body=b"\xff\xd8\xff",
        content_type="image/jpeg",
        headers={"timestamp": str(timestamp), "camera_id": "c", "frame_id": "f"},
        message_id="f",
        app_id="p",
        backlog=backlog,
    )


@pytest.mark.parametrize(
    ("intake", "age"),
    [(Intake(Lane.LIVE), 75), (Intake(Lane.LIVE, SCHOOL), 0), (Intake(Lane.BATCH), 0), (Intake(Lane.GPU), 0)],
)
def test_waiting_for_a_worker_is_believed_of_live_frames_alone(intake: Intake, age: float) -> None:
    """A recording's old time is not a wait, and would be the latency that the page shows."""
    reception = Reception(Freshness(), CameraQuota(), WorkerMetrics("n", CollectorRegistry()), None)
    arrival = reception.arrival(intake, delivery(time.time() - 75, backlog=True))
    assert arrival.age == pytest.approx(age, abs=1)


@pytest.mark.parametrize(("lane", "counted"), [(Lane.LIVE, 1.0), (Lane.BATCH, 0.0), (Lane.GPU, 0.0)])
def test_a_frame_counts_when_it_leaves_the_live_lane(lane: Lane, counted: float) -> None:
    metrics = WorkerMetrics("n", CollectorRegistry())
    reception = Reception(Freshness(), CameraQuota(), metrics, None)
    reception.arrival(Intake(lane), delivery(time.time()))
    ages = metrics.registry.get_sample_value("framefleet_dequeue_age_seconds_count", {"node_id": "n"})
    assert ages == counted
    reception.arrival(Intake(lane, sender=SCHOOL), delivery(time.time()))
    ages = metrics.registry.get_sample_value("framefleet_dequeue_age_seconds_count", {"node_id": "n"})
    assert ages == counted
