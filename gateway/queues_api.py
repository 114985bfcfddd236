"""GET /api/queues: how much waits in each queue, since when, how fast it comes and goes, and who takes it."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from contract.api.queues import QueuePurpose, QueuesView, QueueView
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TOPOLOGY, Lane, Queue
from gateway.books import FrameBooks
from gateway.hearing import Hearing
from gateway.http.documentation import answer
from gateway.http.problems import json_response
from gateway.lane_flow import WINDOW_SECONDS, LaneFlow, LaneRates
from gateway.queues import Queues
from gateway.senders.registry import SenderRegistry

NO_BROKER = "RabbitMQ does not answer the gateway"
MISSING = "the queue does not exist: a worker declares it when it hears of the sender"
DOWN = "RabbitMQ cannot use the queue: `framefleet queues repair`"

LANE: dict[str, Any] = {
    "name": "frame_queue",
    "purpose": "lane",
    "lane": "live",
    "sender": None,
    "messages": 3,
    "limit": 5_000,
    "size_limit": 536_870_912,
    "consumers": 2,
    "oldest": 0.12,
    "oldest_at_least": False,
    "rate_in": 148.2,
    "rate_out": 148.1,
    "down": None,
    "unknown": "",
}
EXAMPLE = {"items": [LANE], "window": 60.0, "time": 1795216000.2}


class QueueBoard:
    """What is told of the queues, and how each lane flows."""

    def __init__(self, queues: Queues, registry: SenderRegistry, books: FrameBooks, hearing: Hearing) -> None:
        self._queues = queues
        self._registry = registry
        self._books = books
        self._hearing = hearing
        self._flows = {lane: LaneFlow() for lane in Lane}

    def consumers(self, queue: str) -> int | None:
        """How many take messages from it; None: not known."""
        depth, senders = self._queues.depth, self._queues.of_senders
        return (depth.consumers | senders.consumers).get(queue)

    def tick(self, now: float) -> None:
        """Take a sample of each lane, if all of it is known."""
        told = self._told()
        for lane, flow in self._flows.items():
            own = [lane.queue, *lane.retries]
            theirs = [each.queue(lane) for each in self._registry.senders if lane in each.lanes]
            if not self._hearing.settled(now) or any(queue not in told for queue in own):
                flow.forget()
                continue
            waiting = sum(told.get(queue, 0) for queue in {*own, *theirs})
            flow.sample(now, waiting, self._books.settled(lane))

    def view(self) -> QueuesView:
        """All queues, the lanes' first, then the senders', and what is behind them."""
        told = self._told()
        rows = [self._row(queue, *_place(queue.name), None, told) for queue in TOPOLOGY.queues]
        for sender in self._registry.senders:
            lanes = {sender.queue(lane): lane for lane in sender.lanes}
            for queue in sender.queues:
                lane = lanes.get(queue.name)
                purpose: QueuePurpose = "sender" if lane else "dead_letters"
                rows.append(self._row(queue, purpose, lane, sender.name, told))
        order = ("lane", "sender", "retry", "results", "dead_letters")
        return QueuesView(sorted(rows, key=lambda row: order.index(row.purpose)), WINDOW_SECONDS, time.time())

    def _told(self) -> dict[str, int]:
        """How many messages are ready in each queue of which the broker tells the truth."""
        told = self._queues.depth.messages | self._queues.of_senders.messages
        return {queue: count for queue, count in told.items() if queue not in self._queues.faults_down}

    def _row(
        self,
        queue: Queue,
        purpose: QueuePurpose,
        lane: Lane | None,
        sender: str | None,
        told: Mapping[str, int],
    ) -> QueueView:
        down = self._queues.faults_down.get(queue.name)
        flow = self._flows[lane].flow() if purpose == "lane" and lane is not None else LaneRates()
        known = queue.name in told
        unknown = ""
        if not known:
            unknown = DOWN if down else MISSING if sender and self._queues.depth.messages else NO_BROKER
        return QueueView(
            name=queue.name,
            purpose=purpose,
            lane=None if lane is None else lane.value,
            sender=sender,
            messages=told.get(queue.name),
            limit=_number(queue.arguments.get("x-max-length")),
            size_limit=_number(queue.arguments.get("x-max-length-bytes")),
            consumers=self.consumers(queue.name) if known else None,
            oldest=flow.oldest,
            oldest_at_least=flow.at_least,
            rate_in=flow.rate_in,
            rate_out=flow.rate_out,
            down=down,
            unknown=unknown,
        )


def queues_router(board: QueueBoard) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["Cluster"])

    @router.get(
        "/queues",
        response_model=QueuesView,
        responses=answer("All queues.", EXAMPLE),
        operation_id="list_queues",
        summary="List queues",
    )
    async def list_queues() -> Response:
        """What waits in the broker, by the broker's own count and by what workers say they have settled.
        Dead letters themselves are at /api/dlq.
        """
        return json_response(board.view())

    return router


def _place(name: str) -> tuple[QueuePurpose, Lane | None]:
    """What the queue is for, and whose."""
    if name == RESULT_QUEUE:
        return "results", None
    if name == DEAD_LETTER_QUEUE:
        return "dead_letters", None
    lanes: Iterable[Lane] = Lane
    for lane in lanes:
        if name == lane.queue:
            return "lane", lane
        if name in lane.retries:
            return "retry", lane
    raise ValueError(name)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
