"""Publishing with confirms: many at once, each with a known outcome, in bounded memory.

A confirm names a message only by its number on the channel, so a number counted for a message that was never
sent would shift every later outcome to another message. So a message is written out before its number is counted.
Whatever does not add up makes everything outstanding uncertain, and the channel void.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from pika.spec import Basic

from broker.faults import QueueFaults
from broker.properties import Properties, Short, fields_of, short
from broker.refusals import PRECONDITION_FAILED
from broker.role import Role
from broker.tables import text
from broker.wire import Written, room

log = structlog.get_logger("broker")

SWEEP_SECONDS = 1.0
REJECTED_SECONDS = 3.0
"""After so long with nothing but rejections the channel is reopened. If a channel's first message finds a queue
without a leader, RabbitMQ (3.10 at least) tells that channel for ever that the queue is full."""
OVERDUE_SECONDS = 60.0
"""The channel is reopened, too, if a message that timed out still has no confirm after so long."""


class Outcome(StrEnum):
    """What became of a published message."""

    CONFIRMED = "confirmed"  # on disk in the queue, for durable queues and persistent messages
    REJECTED = "queue_full"  # the broker said no: the queue is at its bound
    QUEUE_DOWN = "queue_down"  # the broker said no, and cannot use the queue: it says so of a full one, too
    UNROUTABLE = "unroutable"  # no queue took it
    REFUSED = "refused"  # the broker closed the channel because of it: it would do so each time
    TIMED_OUT = "timeout"  # no word from the broker: it may or may not be there
    DISCONNECTED = "disconnected"  # likewise, or never sent
    BLOCKED = "blocked"  # a broker alarm, or the window is full: never sent


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish. `persistent` survives the broker's restart; `mandatory` reports an absent queue."""

    exchange: str
    routing_key: Short
    body: bytes
    content_type: Short | None = "application/json"
    headers: Mapping[Any, Any] | None = None
    message_id: Short | None = None
    correlation_id: Short | None = None
    reply_to: Short | None = None
    app_id: Short | None = None
    content_encoding: Short | None = None
    type: Short | None = None
    priority: int | None = None
    timestamp: int | None = None
    expiration: Short | None = None
    cluster_id: Short | None = None
    persistent: bool = True
    mandatory: bool = True

    @property
    def properties(self) -> Properties:
        """The properties that travel beside the body."""
        return Properties(
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            fields=None if self.headers is None else fields_of(self.headers),
            delivery_mode=2 if self.persistent else 1,
            priority=self.priority,
            correlation_id=self.correlation_id,
            reply_to=self.reply_to,
            expiration=self.expiration,
            message_id=self.message_id,
            timestamp=self.timestamp,
            type=self.type,
            app_id=self.app_id,
            cluster_id=self.cluster_id,
        )


Done = Callable[[Outcome], None]
Marks = tuple[bytes, bytes, bytes | None, int, int]
"""What tells a message that comes back from all others that are outstanding: destination, id, body."""


@dataclass(slots=True)
class _Pending:
    marks: Marks | None  # None: it cannot come back
    exchange: bytes
    key: bytes
    done: Done | None
    deadline: float
    returned: bool = False

    @property
    def destination(self) -> str:
        """The exchange, or the queue."""
        return text(self.exchange or self.key)


class Publisher(Role):
    """Publishes on a confirming channel. `window` bounds what is outstanding; `timeout` is in seconds.

    `on_ready` hears each time that a message can be sent again, `on_void` that confirms do not add up, and that the
    outcome of what is outstanding is uncertain. `faults` tells a queue that is down from one that is full. `on_settled`
    hears of each message that was sent once, when its outcome is known.

    A message whose outcome is not CONFIRMED is the caller's again; after TIMED_OUT and DISCONNECTED it may be in
    the queue all the same, so whoever sends it again relies on `frame_id` being recognised.
    """

    def __init__(
        self,
        *,
        window: int = 1_000,
        timeout: float = 10.0,
        on_ready: Callable[[], None] = lambda: None,
        on_void: Callable[[], None] = lambda: None,
        on_settled: Callable[[Outcome], None] = lambda outcome: None,
        faults: QueueFaults | None = None,
    ) -> None:
        super().__init__()
        self._faults = faults
        self._on_settled = on_settled
        self._window = window
        self._timeout = timeout
        self._on_ready = on_ready
        self._on_void = on_void
        self._tag = 0
        self._pending: dict[int, _Pending] = {}  # in order of delivery tag, so also of deadline
        self._cancel_sweep: Callable[[], None] | None = None
        self._usable = False
        self._overdue: dict[int, float] = {}  # tags that timed out, and when: their confirms may still come
        self._rejecting: dict[str, float] = {}  # destination: since when it has confirmed nothing

    @property
    def outstanding(self) -> int:
        """Messages without an outcome yet."""
        return len(self._pending)

    @property
    def blocked(self) -> bool:
        """The broker has raised an alarm and reads nothing from publishers."""
        return self._connection is not None and self._connection.blocked

    @property
    def usable(self) -> bool:
        """A message published now would be sent."""
        return self._usable and not self.blocked and len(self._pending) < self._window

    def publish(self, message: Message, done: Done | None = None) -> None:
        """Publish; `done` hears the outcome, exactly once, possibly before this returns.

        Nothing in the message makes it raise: what cannot be carried is replaced (see broker.properties).
        """
        outcome = self._refusal()
        if outcome is not None:
            _tell(done, outcome)
            return
        channel = self._channel
        exchange, key = short(message.exchange), short(message.routing_key)
        properties = Written(message.properties, room(channel))
        marks = None
        if message.mandatory:
            message_id = None if message.message_id is None else short(message.message_id)
            marks = _marks(exchange, key, message_id, message.body)
        tag = self._tag = self._tag + 1
        self._pending[tag] = _Pending(marks, exchange, key, done, time.monotonic() + self._timeout)
        try:
            channel.basic_publish(exchange, key, message.body, properties, mandatory=message.mandatory)
        except Exception:
            # Sent or not: nobody knows. With the channel its numbers are void, and `done` hears DISCONNECTED.
            destination = text(exchange or key)
            log.exception("a message could not be sent: reopening the channel", destination=destination)
            self._void("a message could not be sent")

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
        self._on_ready()

    def _lost(self) -> None:
        self._usable = False
        self._rejecting.clear()
        if self._cancel_sweep is not None:
            self._cancel_sweep()
            self._cancel_sweep = None
        self._overdue.clear()
        pending, self._pending = self._pending, {}
        # The broker does not say which of several it meant; sent again, that message will be alone some time.
        refused = len(pending) == 1 and getattr(self._closed_for, "reply_code", None) == PRECONDITION_FAILED
        for entry in pending.values():
            self._settle(entry, Outcome.REFUSED if refused else Outcome.DISCONNECTED)

    def _confirmed(self, frame: Any) -> None:
        if not self._usable:
            return  # its numbers are not believed any more
        tag: int = frame.method.delivery_tag
        if tag not in self._pending and tag not in self._overdue:
            self._void(f"a confirm for message {tag}, which is not outstanding: {self._tag} were sent")
            return
        multiple = bool(frame.method.multiple)
        ok = isinstance(frame.method, Basic.Ack)
        tags = [each for each in (*self._overdue, *self._pending) if each <= tag] if multiple else [tag]
        for each in tags:
            self._overdue.pop(each, None)
            entry = self._pending.pop(each, None)
            if entry is not None:  # None: it timed out before
                outcome = self._outcome(ok, entry)
                # For a queue that is down another channel does no better, and it costs what is outstanding elsewhere.
                self._note(entry.destination, ok or outcome is Outcome.QUEUE_DOWN)
                self._settle(entry, outcome)

    def _settle(self, entry: _Pending, outcome: Outcome) -> None:
        self._on_settled(outcome)
        _tell(entry.done, outcome)

    def _note(self, destination: str, ok: bool) -> None:
        if ok:
            self._rejecting.pop(destination, None)
        else:
            self._rejecting.setdefault(destination, time.monotonic())

    def _outcome(self, ok: bool, entry: _Pending) -> Outcome:
        if entry.returned:
            return Outcome.UNROUTABLE
        if ok:
            return Outcome.CONFIRMED
        return Outcome.QUEUE_DOWN if self._suspect(entry) else Outcome.REJECTED

    def _suspect(self, entry: _Pending) -> bool:
        """Have the queue looked at that did not take the message; returns whether one is known to be down."""
        if self._faults is None:
            return False
        queues = self._faults.fed_by(text(entry.exchange), text(entry.key))
        self._faults.suspect(*queues)
        return any(queue in self._faults.down for queue in queues)

    def _returned(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        # The return comes before its confirm, on the same channel.
        message_id = None if properties.message_id is None else short(properties.message_id)
        marks = _marks(short(method.exchange), short(method.routing_key), message_id, body)
        for entry in self._pending.values():
            if not entry.returned and entry.marks == marks:
                entry.returned = True
                return
        if not self._overdue:
            self._void("a message came back that is not outstanding")

    def _sweep(self) -> None:
        now = time.monotonic()
        expired = []
        for tag, entry in self._pending.items():
            if entry.deadline > now:
                break
            expired.append(tag)
        # A blocked broker is not a slow one: what was sent before the alarm is confirmed after it.
        for tag in [] if self.blocked else expired:
            self._overdue[tag] = now
            entry = self._pending.pop(tag)
            self._suspect(entry)
            self._settle(entry, Outcome.TIMED_OUT)
        if self._connection is not None:
            self._cancel_sweep = self._connection.loop.call_later(SWEEP_SECONDS, self._sweep)
        if any(now - since > REJECTED_SECONDS for since in self._rejecting.values()):
            self._renew(f"nothing but rejections from {', '.join(sorted(self._rejecting))}")
        elif not self.blocked and any(now - since > OVERDUE_SECONDS for since in self._overdue.values()):
            # If a number had been counted for nothing, one would be missing for ever.
            self._void(f"{len(self._overdue)} messages were never confirmed")

    def _void(self, why: str) -> None:
        """Stop believing any number of this channel."""
        if self._usable:
            self._on_void()
            self._renew(why)

    def _renew(self, why: str) -> None:
        """Move on to a new channel; what is outstanding on this one becomes DISCONNECTED."""
        if not self._usable:
            return
        log.warning("reopening the publishing channel", reason=why, outstanding=len(self._pending))
        self._usable = False  # until the role has its new channel
        with contextlib.suppress(Exception):  # it is closed, or its connection is just being lost
            self._channel.close(reply_text=text(short(why)))


def _marks(exchange: bytes, key: bytes, message_id: bytes | None, body: bytes) -> Marks:
    return exchange, key, message_id, len(body), hash(body) if message_id is None else 0


def _tell(done: Done | None, outcome: Outcome) -> None:
    """A `done` that raises is its message's trouble, and neither the connection's nor the other messages'."""
    if done is None:
        return
    try:
        done(outcome)
    except Exception:
        log.exception("the outcome of a message could not be handled", outcome=outcome.value)
