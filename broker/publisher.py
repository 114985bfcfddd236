"""Publishing with confirms: many at once, each with a known outcome, in bounded memory."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pika
import structlog
from pika.spec import Basic

from broker.consumer import Delivery
from broker.headers import encodable
from broker.role import Role

log = structlog.get_logger("broker")

SWEEP_SECONDS = 1.0
REJECTED_SECONDS = 3.0
"""After so long with nothing but rejections the channel is opened anew. To a channel whose first message finds a queue
without a leader, RabbitMQ (3.10 at least) says for ever that the queue is full."""


class Outcome(StrEnum):
    """What became of a published message."""

    CONFIRMED = "confirmed"  # on disk in the queue, for durable queues and persistent messages
    REJECTED = "queue_full"  # the broker said no: the queue is at its bound
    UNROUTABLE = "unroutable"  # no queue took it
    TIMED_OUT = "timeout"  # no word from the broker: it may or may not be there
    DISCONNECTED = "disconnected"  # likewise, or never sent
    BLOCKED = "blocked"  # a broker alarm, or the window is full: never sent


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish. `persistent` survives the broker's restart; `mandatory` reports an absent queue."""

    exchange: str
    routing_key: str
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, Any] | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    app_id: str | None = None
    persistent: bool = True
    mandatory: bool = True


Done = Callable[[Outcome], None]
Change = tuple[bytes, Mapping[str, Any]]
"""Another body and other headers."""


@dataclass(slots=True)
class _Pending:
    message_id: str | None
    destination: str
    done: Done | None
    deadline: float
    returned: bool = False


class Publisher(Role):
    """Publishes on a confirming channel. `window` bounds what is outstanding; `timeout` is in seconds.

    A message whose outcome is not CONFIRMED is the caller's again; after TIMED_OUT and DISCONNECTED it may be in
    the queue all the same, so whoever sends it again relies on `frame_id` being recognised.
    """

    def __init__(
        self, *, window: int = 1_000, timeout: float = 10.0, on_ready: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._window = window
        self._timeout = timeout
        self._on_ready = on_ready
        self._tag = 0
        self._pending: dict[int, _Pending] = {}  # in order of delivery tag, so also of deadline
        self._cancel_sweep: Callable[[], None] | None = None
        self._usable = False
        self._rejecting: dict[str, float] = {}  # destination: since when it has confirmed nothing

    @property
    def outstanding(self) -> int:
        """Messages without an outcome yet."""
        return len(self._pending)

    @property
    def blocked(self) -> bool:
        """Whether the broker has raised an alarm and reads nothing from publishers."""
        return self._connection is not None and self._connection.blocked

    @property
    def usable(self) -> bool:
        """Whether a message published now would be sent."""
        return self._usable and not self.blocked and len(self._pending) < self._window

    def publish(self, message: Message, done: Done | None = None) -> None:
        """Publish; `done` hears the outcome, exactly once, possibly before this returns."""
        properties = pika.BasicProperties(
            content_type=message.content_type,
            headers=None if message.headers is None else encodable(message.headers),
            delivery_mode=2 if message.persistent else 1,
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            reply_to=message.reply_to,
            app_id=message.app_id,
        )
        self._send(message.exchange, message.routing_key, message.body, properties, message.mandatory, done)

    def forward(self, delivery: Delivery, queue: str, done: Done, *, change: Change | None = None) -> None:
        """Publish a message as it came, with all its properties but its time to live, to a queue that must exist.

        What the broker itself wrote for this delivery is left out; `change` replaces body and headers.
        """
        kept = delivery.properties
        body, headers = change or (delivery.body, delivery.headers)
        properties = copy.copy(kept)
        # CC would route copies to further queues; they had theirs when it was first published.
        dropped = ("x-delivery-count", "x-acquired-count", "CC")
        headers = {name: value for name, value in headers.items() if name not in dropped}
        properties.headers = encodable(headers) if headers or kept.headers is not None else None
        properties.user_id = None  # the broker refuses any but our own
        properties.expiration = None  # its clock would start again, where nobody hears of its end
        self._send("", queue, body, properties, True, done)

    def _send(
        self, exchange: str, key: str, body: bytes, properties: Any, mandatory: bool, done: Done | None
    ) -> None:
        outcome = self._refusal()
        if outcome is not None:
            if done is not None:
                done(outcome)
            return
        self._tag += 1
        deadline = time.monotonic() + self._timeout
        self._pending[self._tag] = _Pending(properties.message_id, exchange or key, done, deadline)
        self._channel.basic_publish(exchange, key, body, properties, mandatory=mandatory)

    def _refusal(self) -> Outcome | None:
        if not self._usable:
            return Outcome.DISCONNECTED
        if self.blocked or len(self._pending) >= self._window:
            return Outcome.BLOCKED
        return None

    def _opened(self, channel: Any) -> None:
        self._tag = 0
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed, callback=self._confirming)

    def _confirming(self, _frame: Any) -> None:
        self._usable = True
        self._settled()
        if self._connection is not None:
            self._cancel_sweep = self._connection.loop.call_later(SWEEP_SECONDS, self._sweep)
        if self._on_ready is not None:
            self._on_ready()

    def _lost(self) -> None:
        self._usable = False
        self._rejecting.clear()
        if self._cancel_sweep is not None:
            self._cancel_sweep()
            self._cancel_sweep = None
        pending, self._pending = self._pending, {}
        for entry in pending.values():
            _finish(entry, Outcome.DISCONNECTED)

    def _confirmed(self, frame: Any) -> None:
        tag: int = frame.method.delivery_tag
        tags = [tag] if not frame.method.multiple else [t for t in self._pending if t <= tag]
        ok = isinstance(frame.method, Basic.Ack)
        for each in tags:
            entry = self._pending.pop(each, None)
            if entry is not None:  # None: it timed out before
                self._note(entry.destination, ok)
                _finish(entry, _outcome(ok, entry))

    def _note(self, destination: str, ok: bool) -> None:
        if ok:
            self._rejecting.pop(destination, None)
        else:
            self._rejecting.setdefault(destination, time.monotonic())

    def _returned(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        # The return comes before its confirm, on the same channel; the oldest match is the one that it means.
        for entry in self._pending.values():
            if not entry.returned and entry.message_id == properties.message_id:
                entry.returned = True
                return

    def _sweep(self) -> None:
        now = time.monotonic()
        expired = []
        for tag, entry in self._pending.items():
            if entry.deadline > now:
                break
            expired.append(tag)
        # A blocked broker is not a slow one: what was sent before the alarm is confirmed after it.
        for tag in [] if self.blocked else expired:
            _finish(self._pending.pop(tag), Outcome.TIMED_OUT)
        if self._connection is not None:
            self._cancel_sweep = self._connection.loop.call_later(SWEEP_SECONDS, self._sweep)
        if self._usable and any(now - since > REJECTED_SECONDS for since in self._rejecting.values()):
            log.info("opening the channel anew: nothing but rejections", destinations=sorted(self._rejecting))
            self._usable = False  # until the role has its new channel
            self._channel.close()


def _outcome(ok: bool, entry: _Pending) -> Outcome:
    if entry.returned:
        return Outcome.UNROUTABLE
    return Outcome.CONFIRMED if ok else Outcome.REJECTED


def _finish(entry: _Pending, outcome: Outcome) -> None:
    if entry.done is not None:
        entry.done(outcome)
