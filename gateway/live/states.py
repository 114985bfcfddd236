"""Tells dashboards what changed of cameras and nodes: made once per tick, whatever the number of viewers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import msgspec

from contract.api.cameras import ShownState
from contract.api.nodes import NodeView
from contract.browser import GoneCamera
from gateway.cameras.cameras import Cameras, Shown
from gateway.live.hub import Hub
from gateway.live.viewer import Viewer
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes

ANNOUNCED: tuple[ShownState, ...] = tuple(state for state in get_args(ShownState) if state != "quiet")
UNANNOUNCED: tuple[ShownState, ...] = ("live", "degraded", "quiet", "unknown")
"""The states that a camera can be in that no producer announces."""

TIDY_SECONDS = 2.0

_encode = msgspec.json.Encoder().encode


class States:
    """Compares cameras and nodes with what dashboards were told last.

    `on_camera(camera_id, shown)` hears of every camera that is not as it was; of one that is gone, with None.
    """

    def __init__(
        self,
        hub: Hub,
        cameras: Cameras,
        nodes: Nodes,
        metrics: GatewayMetrics,
        on_camera: Callable[[str, Shown | None], None] = lambda camera_id, shown: None,
    ) -> None:
        self._on_camera = on_camera
        self._hub = hub
        self._cameras = cameras
        self._nodes = nodes
        self._metrics = metrics
        self._tidied = float("-inf")
        self._told: dict[str, Shown] = {}
        self._items: dict[str, bytes] = {}
        self._nodes_told: list[NodeView] = []
        self._nodes_item = b"[]"

    def tick(self, now: float) -> None:
        """Publish what changed since the last tick. `now` is monotonic seconds."""
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            self._cameras.tidy(now)
        self._tell_cameras(now)
        self._nodes.tidy(now)
        self._metrics.unsettled.set(self._nodes.unsettled(now))
        nodes = self._nodes.views(now)
        told = [
            replace(node, fps=round(node.fps, 1), busy=round(node.busy, 2), last_seen=0.0) for node in nodes
        ]
        if told != self._nodes_told:
            self._nodes_told, self._nodes_item = told, _encode(nodes)
            self._hub.publish_nodes(self._nodes_item)

    def greet(self, viewer: Viewer) -> None:
        """Offer a new dashboard everything."""
        viewer.offer_nodes(self._nodes_item)
        for camera_id, item in self._items.items():
            viewer.offer_camera(camera_id, item)

    def _tell_cameras(self, now: float) -> None:
        told: dict[str, Shown] = {}
        announced: Counter[ShownState] = Counter()
        others: Counter[ShownState] = Counter()
        for camera_id, shown in self._cameras.shown(now):
            told[camera_id] = shown
            (others if shown.producer_id is None else announced)[shown.state] += 1
            if self._told.get(camera_id) != shown:
                self._hub.regroup(camera_id, shown.labels.group)
                self._items[camera_id] = item = _encode(self._cameras.view(camera_id, now))
                self._hub.publish_camera(camera_id, item)
                self._on_camera(camera_id, shown)
        for camera_id in self._told.keys() - told.keys():
            del self._items[camera_id]
            self._hub.forget(camera_id)
            self._hub.regroup(camera_id, None)
            self._hub.publish_camera(camera_id, _encode(GoneCamera(camera_id, gone=True)))
            self._on_camera(camera_id, None)
        self._told = told
        for state in ANNOUNCED:
            self._metrics.cameras.labels(state).set(announced[state])
        for state in UNANNOUNCED:
            self._metrics.unannounced.labels(state).set(others[state])
        self._metrics.served_twice.set(self._cameras.served_twice)
        self._metrics.unserved.set(self._cameras.unserved)
