"""Producers and other gateways, as their own words show them. Pure: `now` is monotonic, `wall` Unix time."""

from dataclasses import dataclass
from typing import Literal

from contract.api.nodes import GatewayView, ProducerView
from contract.status import LOST_AFTER_SECONDS, WATCH_TTL_SECONDS, ProducerStatus, WatchAnnouncement
from gateway.hearing import UNBROKEN, Hearing

FORGET_AFTER_SECONDS = 300.0
MAX_PEERS = 1_000

State = Literal["running", "lost", "unknown"]


@dataclass(slots=True)
class _Producer:
    status: ProducerStatus
    heard: float
    heard_wall: float
    fps: float | None


@dataclass(slots=True)
class _Gateway:
    word: WatchAnnouncement
    heard: float
    heard_wall: float


class Peers:
    """Those that were heard of in the last five minutes. A producer that says goodbye is forgotten at once.

    `hearing`: whether a silence is theirs or the gateway's own.
    """

    def __init__(self, hearing: Hearing = UNBROKEN) -> None:
        self._hearing = hearing
        self._producers: dict[tuple[str, float], _Producer] = {}  # several may have one name
        self._gateways: dict[str, _Gateway] = {}

    def heard_producer(self, status: ProducerStatus, now: float, wall: float) -> None:
        """Take a heartbeat."""
        key = status.producer_id, status.since
        known = self._producers.pop(key, None)
        if status.state == "stopped":
            return
        if len(self._producers) >= MAX_PEERS:
            del self._producers[next(iter(self._producers))]  # the one that was silent longest
        self._producers[key] = _Producer(status, now, wall, _rate(known, status, now))

    def heard_gateway(self, word: WatchAnnouncement, now: float, wall: float) -> None:
        """Take a gateway's announcement, by which gateways know each other."""
        self._gateways.pop(word.gateway_id, None)
        if len(self._gateways) >= MAX_PEERS:
            del self._gateways[next(iter(self._gateways))]
        self._gateways[word.gateway_id] = _Gateway(word, now, wall)

    def tick(self, now: float) -> None:
        """Forget what was lost long ago; call this once a second."""
        for key in [k for k, each in self._producers.items() if now - each.heard > FORGET_AFTER_SECONDS]:
            del self._producers[key]
        for name in [n for n, each in self._gateways.items() if now - each.heard > FORGET_AFTER_SECONDS]:
            del self._gateways[name]

    def producers(self, now: float) -> list[ProducerView]:
        """Every producer, by name."""
        return [self._producer(self._producers[key], now) for key in sorted(self._producers)]

    def gateways(self, now: float, own: GatewayView) -> list[GatewayView]:
        """Every gateway, by name; of `own` nothing need be heard."""
        others = [
            self._gateway(self._gateways[name], now)
            for name in sorted(self._gateways)
            if name != own.gateway_id
        ]
        return sorted([own, *others], key=lambda view: view.gateway_id)

    def _producer(self, each: _Producer, now: float) -> ProducerView:
        status, state = each.status, self._state(each.heard, LOST_AFTER_SECONDS, now)
        return ProducerView(
            producer_id=status.producer_id,
            state=state,
            cameras=status.cameras,
            fps=each.fps if state == "running" else None,
            outstanding=status.outstanding,
            window=status.window,
            since=status.since,
            last_seen=each.heard_wall,
            version=status.version,
            host=status.host,
            memory=status.memory,
        )

    def _gateway(self, each: _Gateway, now: float) -> GatewayView:
        word = each.word
        return GatewayView(
            gateway_id=word.gateway_id,
            own=False,
            state=self._state(each.heard, WATCH_TTL_SECONDS, now),
            since=word.since,
            last_seen=each.heard_wall,
            version=word.version,
            host=word.host,
            memory=word.memory,
            missing=[],
        )

    def _state(self, heard: float, patience: float, now: float) -> State:
        if now - heard <= patience:
            return "running"
        return "lost" if self._hearing.settled(now) else "unknown"


def _rate(known: _Producer | None, status: ProducerStatus, now: float) -> float | None:
    """Frames confirmed a second since the last heartbeat."""
    if known is None or now <= known.heard:
        return None
    grown = sum(status.confirmed.values()) - sum(known.status.confirmed.values())
    return max(0, grown) / (now - known.heard)
