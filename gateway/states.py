"""Tells dashboards what changed of cameras and nodes: made once per tick, whatever the number of viewers."""

from dataclasses import replace

import msgspec

from gateway.cameras import Cameras
from gateway.hub import Hub
from gateway.nodes import Nodes
from gateway.viewer import Viewer
from gateway.views import CameraView, NodeView

_encode = msgspec.json.Encoder().encode


class States:
    """Compares cameras and nodes with what dashboards were told last."""

    def __init__(self, hub: Hub, cameras: Cameras, nodes: Nodes) -> None:
        self._hub = hub
        self._cameras = cameras
        self._nodes = nodes
        self._told: dict[str, CameraView] = {}
        self._items: dict[str, bytes] = {}
        self._nodes_told: list[NodeView] = []
        self._nodes_item = b"[]"

    def tick(self, now: float, wall: float) -> None:
        """Publish what changed since the last tick. `now` monotonic, `wall` Unix seconds."""
        for camera_id in self._cameras.tidy(now):
            self._told.pop(camera_id, None)
            self._items.pop(camera_id, None)
            self._hub.forget(camera_id)
        for view in self._cameras.views(now, wall):
            seen = _steady(view)
            if self._told.get(view.camera_id) != seen:
                self._told[view.camera_id] = seen
                self._items[view.camera_id] = item = _encode(view)
                self._hub.publish_camera(view.camera_id, item)
        self._nodes.tidy(now)
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


def _steady(view: CameraView) -> CameraView:
    """Without what changes with every result: dashboards read that from the results themselves."""
    fps = None if view.fps is None else round(view.fps)
    return replace(view, fps=fps, last_result=None, faces=None, latency=None)
