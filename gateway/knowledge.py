"""What the gateway knows of the cluster, by what it hears: of cameras, nodes, frames, jobs and other gateways."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from broker.depth import QueueDepth
from broker.faults import QueueFaults
from gateway.books import FrameBooks
from gateway.cameras.cameras import Cameras
from gateway.cameras.repeats import RepeatedIds
from gateway.consumers import Gateways
from gateway.hearing import Hearing
from gateway.jobs.board import JobBoard
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from gateway.peers import Peers
from gateway.senders.counts import SenderCounts
from gateway.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Nothing of it is kept: after a restart it comes back within seconds, from heartbeats and results.

    Belongs to the event loop, but for what metrics read.
    """

    hearing: Hearing
    nodes: Nodes
    peers: Peers
    gateways: Gateways
    cameras: Cameras
    repeats: RepeatedIds
    counts: SenderCounts
    statistics: Statistics
    books: FrameBooks
    jobs: JobBoard


def know_nothing(
    gateway_id: str,
    metrics: GatewayMetrics,
    depth: QueueDepth,
    faults: QueueFaults,
    *,
    removed: Callable[[str], bool],
) -> Knowledge:
    """Begin without any. `removed`: whether somebody was a sender, and is none now."""
    hearing = Hearing(lambda: depth.answered)
    nodes = Nodes(hearing)
    cameras = Cameras(nodes.lanes, down=lambda: faults.down, hearing=hearing, removed=removed)
    metrics.camera_results.ask_for(cameras.results)
    return Knowledge(
        hearing=hearing,
        nodes=nodes,
        peers=Peers(hearing),
        gateways=Gateways(gateway_id),
        cameras=cameras,
        repeats=RepeatedIds(cameras, metrics),
        counts=SenderCounts(),
        statistics=Statistics(time.time()),
        books=FrameBooks(),
        jobs=JobBoard(metrics, gateway_id),
    )
