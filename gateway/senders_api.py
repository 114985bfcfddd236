"""The senders to people: GET /api/senders, who they are and what they do with what they may; and the metrics."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from contract.api.senders import SendersView, SenderView, UnannouncedView
from contract.senders import Sender
from gateway.cameras.admission import UNNAMED, Admission
from gateway.http.documentation import answer
from gateway.http.problems import json_response
from gateway.metrics import GatewayMetrics
from gateway.queues import Queues
from gateway.senders.counts import SenderCounts
from gateway.senders.registry import SenderRegistry
from runtime.logs import get_logger

log = get_logger("gateway")

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "name": "school",
            "lanes": ["live"],
            "share": 0.1,
            "cameras": ["gate-*"],
            "models": [],
            "max_cameras": 16,
            "max_pixels": 8_847_360,
            "cameras_seen": 3,
            "cameras_refused": 0,
            "frames": 4711,
            "last_frame": 1795216000.2,
            "waiting": 0,
            "dead_letters": 2,
            "down": [],
        }
    ],
    "unnamed": {"limit": 200, "cameras": 4, "refused": 0},
}


def senders_router(
    registry: SenderRegistry, admission: Admission, counts: SenderCounts, queues: Queues, limit: int
) -> APIRouter:
    """The route. `limit` is how many cameras of plain clients are shown."""
    router = APIRouter(prefix="/api", tags=["Cluster"])

    def view(sender: Sender, refused: int) -> SenderView:
        down = queues.down(sender)
        # RabbitMQ says of a queue that is down that it is empty.
        told = {q: count for q, count in queues.of_senders.messages.items() if q not in down}
        waiting = [told.get(sender.queue(lane)) for lane in sender.lanes]
        known = [count for count in waiting if count is not None]
        return SenderView(
            name=sender.name,
            lanes=[lane.value for lane in sender.lanes],
            share=sender.share,
            cameras=list(sender.cameras),
            models=list(sender.models),
            max_cameras=sender.max_cameras,
            max_pixels=sender.max_pixels,
            cameras_seen=admission.cameras(sender.name),
            cameras_refused=refused,
            frames=counts.frames[sender.name],
            last_frame=counts.last.get(sender.name),
            waiting=sum(known) if len(known) == len(waiting) else None,
            dead_letters=told.get(sender.dead_letter_queue),
            down=down,
        )

    @router.get(
        "/senders",
        response_model=SendersView,
        responses=answer("All of them, by name.", EXAMPLE),
        operation_id="list_senders",
        summary="List senders",
    )
    async def list_senders() -> Response:
        """Senders with a name (`framefleet senders add`), and how many cameras those without one have."""
        refused = admission.refused()
        return json_response(
            SendersView(
                [view(sender, refused[sender.name]) for sender in registry.senders],
                UnannouncedView(limit, admission.cameras(UNNAMED), refused[UNNAMED]),
            )
        )

    return router


def tell_senders(registry: SenderRegistry, admission: Admission, metrics: GatewayMetrics, now: float) -> None:
    """Forget cameras that are gone, and count for the metrics what is refused; call this once a second."""
    metrics.senders.set(len(registry.senders))
    metrics.senders_fault.set(bool(registry.trouble))
    for sender in registry.senders:
        metrics.cameras_refused.labels(sender.name)  # from zero on, so that the first one is an increase
    for name, count in admission.tidy(now).items():
        metrics.cameras_refused.labels(name).inc(count)
        log.warning("cameras are not shown: their sender has too many", sender=name or None, cameras=count)
