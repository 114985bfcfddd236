"""Consuming and settling."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from broker.declare import declare
from broker.faults import INTERNAL_ERROR, QueueFaults
from broker.properties import Properties, Short
from broker.role import Role
from broker.tables import text
from contract.topology import EphemeralQueue, Topology

log = structlog.get_logger("broker")

LISTEN_SECONDS = 5.0
"""A consumer that is brought nothing looks this often whether something waits."""
BIND_SECONDS = 3.0
"""An ephemeral queue is bound again, this often, to what it is bound to."""
ANSWER_SECONDS = 10.0
"""A queue whose subscription is not answered for so long is suspected to be down."""


class Delivery:
    """One message in a consumer's hands. Settle it exactly once, on the connection's loop.

    Settling returns False if the channel that brought it is gone: the broker then delivers it again. Settling
    twice, for which the broker would close the channel, does nothing. `backlog`: it may have been in the queue already
    when its consumer subscribed.
    """

    __slots__ = ("_channel", "_method", "_on_settled", "_properties", "backlog", "body", "settled")

    def __init__(
        self,
        channel: Any,
        method: Any,
        properties: Properties,
        body: bytes,
        on_settled: Callable[[Any], None] = lambda channel: None,
        *,
        backlog: bool = False,
    ) -> None:
        self._on_settled = on_settled
        self._channel = channel
        self._method = method
        self._properties = properties
        self.backlog = backlog
        self.body = body
        self.settled = False

    @property
    def content_type(self) -> str | None:
        return _text(self._properties.content_type)

    @property
    def headers(self) -> Mapping[str, Any]:
        return self._properties.headers

    @property
    def message_id(self) -> str | None:
        return _text(self._properties.message_id)

    @property
    def correlation_id(self) -> str | None:
        return _text(self._properties.correlation_id)

    @property
    def reply_to(self) -> str | None:
        return _text(self._properties.reply_to)

    @property
    def app_id(self) -> str | None:
        """The sender: the producer's id, in our own tasks."""
        return _text(self._properties.app_id)

    @property
    def properties(self) -> Properties:
        """Everything that its sender wrote beside the body."""
        return self._properties

    @property
    def exchange(self) -> str:
        return _text(self._method.exchange) or ""

    @property
    def routing_key(self) -> str:
        return _text(self._method.routing_key) or ""

    @property
    def redelivered(self) -> bool:
        return bool(self._method.redelivered)

    @property
    def open(self) -> bool:
        """It can still be settled; if not, the broker delivers it again."""
        return bool(self._channel.is_open)

    def ack(self) -> bool:
        """Settle it as done: the broker forgets it."""
        return self._settle(lambda channel, tag: channel.basic_ack(tag))

    def reject(self) -> bool:
        """Refuse it for good: the broker dead-letters it."""
        return self._settle(lambda channel, tag: channel.basic_reject(tag, requeue=False))

    def requeue(self) -> bool:
        """Put it back, which counts towards the delivery limit. (`nack` would not on RabbitMQ 4.3.)"""
        return self._settle(lambda channel, tag: channel.basic_reject(tag, requeue=True))

    def _settle(self, how: Callable[[Any, int], None]) -> bool:
        if not self.open or self.settled:
            return False
        self.settled = True
        how(self._channel, self._method.delivery_tag)
        self._on_settled(self._channel)
        return True


def _text(value: Short | None) -> str | None:
    return text(value) if isinstance(value, bytes) else value


class Consumer(Role):
    """Consumes a durable queue by name, or an ephemeral queue of its own.

    `prefetch` 0 is unlimited. `on_subscribed` hears the queue's name each time that the broker begins to send us
    messages, `on_lost` that it sends none any more. A message whose `on_delivery` raises is refused for good, which
    costs no other and not the connection. A consumer that the broker cancels (its queue was deleted, its node went)
    declares the topology again and re-subscribes. `declared`, if any, is declared before each subscription, and at
    each `ensure`: what only this consumer needs. While its durable queue is suspected to be down it does not ask for
    it, for which RabbitMQ would close the connection; `faults` says when to.
    """

    def __init__(
        self,
        queue: str | EphemeralQueue,
        on_delivery: Callable[[Delivery], None],
        *,
        prefetch: int = 0,
        no_ack: bool = False,
        on_subscribed: Callable[[str], None] = lambda queue_name: None,
        on_lost: Callable[[], None] = lambda: None,
        declared: Topology | None = None,
        faults: QueueFaults | None = None,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._faults = faults if isinstance(queue, str) else None
        self._asking = False  # for a subscription, without an answer yet
        self._on_delivery = on_delivery
        self._on_subscribed = on_subscribed
        self._on_lost = on_lost
        self._prefetch = self._wanted = prefetch
        self._no_ack = no_ack
        self._declared_first = declared
        self._tag: str | None = None
        self._paused = False
        self._ending = False
        self._unsettled = 0
        self._received = 0
        self._backlog_until = 0  # that many are received: what came in since we subscribed comes after them
        self._bindings = set(queue.bindings) if isinstance(queue, EphemeralQueue) else set()
        self.queue_name: str | None = None
        if self._faults is not None:
            self._faults.follow(str(queue), self._judged)

    @property
    def subscribed(self) -> bool:
        """The broker sends us messages. May be read from any thread."""
        return self._tag is not None

    def bind(self, exchange: str, key: str) -> None:
        """Add a binding of an ephemeral queue, now and after every reconnect."""
        if (exchange, key) not in self._bindings:
            self._bindings.add((exchange, key))
            if self._channel is not None and self.queue_name is not None:
                self._channel.queue_bind(self.queue_name, exchange, routing_key=key)

    def unbind(self, exchange: str, key: str) -> None:
        """Remove a binding of an ephemeral queue."""
        if (exchange, key) in self._bindings:
            self._bindings.remove((exchange, key))
            if self._channel is not None and self.queue_name is not None:
                self._channel.queue_unbind(self.queue_name, exchange, routing_key=key)

    @property
    def full(self) -> bool:
        """We hold as many messages as we may, so none is under way to us.

        This is the moment to cancel or change a subscription. What is under way at any other moment is requeued by
        pika or dropped after the broker's answer, comes again as redelivered, and counts towards the delivery limit.
        """
        return self._prefetch > 0 and self._unsettled >= self._prefetch

    def set_prefetch(self, prefetch: int) -> None:
        """Hold so many messages from now on: subscribe again, since a consumer keeps the number it began with.

        That happens at the next moment when it disturbs nothing: when called while `full`, or when nothing is held.
        """
        self._wanted = prefetch
        channel, tag, name = self._channel, self._tag, self.queue_name
        if prefetch == self._prefetch or channel is None or tag is None or name is None or not self.full:
            return
        self._prefetch = prefetch
        self._tag = None
        channel.basic_cancel(tag)
        channel.basic_qos(prefetch_count=prefetch, callback=lambda _frame: self._resume(channel, name))

    def _resume(self, channel: Any, name: str) -> None:
        if not self._paused and channel is self._channel:
            self._consume(channel, name)

    def cancel(self, done: Callable[[], None]) -> None:
        """Stop receiving, for good; what was delivered can still be settled. `done` when the broker agreed."""
        self._paused = True
        if self._channel is None or self._tag is None:
            done()
            return
        tag, self._tag = self._tag, None
        self._channel.basic_cancel(tag, callback=lambda _frame: done())

    def ensure(self) -> None:
        """Declare again what only this consumer needs, on another channel: a refusal must not cost what is held."""
        if self._declared_first is None or self._connection is None or self._paused:
            return
        declare(self._connection, self._declared_first, lambda: None, self._not_declared)

    def _not_declared(self, reason: str, _permanent: bool) -> None:
        log.warning("what a consumer needs could not be declared", queue=self._queue, reason=reason)

    def end(self) -> None:
        """Give the channel up for good, once what it holds is settled."""
        self._ending = True
        self._connection = None
        if self._faults is not None:
            self._faults.unfollow(str(self._queue), self._judged)
        if not self._unsettled:
            super().end()

    def _opened(self, channel: Any) -> None:
        if self._paused or (self._faults is not None and self._faults.suspects(str(self._queue))):
            return
        channel.add_on_cancel_callback(self._cancelled_by_broker)

        def prepared() -> None:
            if channel is self._channel:
                channel.basic_qos(
                    prefetch_count=self._prefetch, callback=lambda _frame: self._declare(channel)
                )

        def failed(reason: str, permanent: bool) -> None:
            self._not_declared(reason, permanent)
            if channel is self._channel and channel.is_open:
                channel.close()  # opened and declared again with backoff: somebody may mend it

        if self._declared_first is None or self._connection is None:
            prepared()
        else:
            declare(self._connection, self._declared_first, prepared, failed)

    def _declare(self, channel: Any) -> None:
        if isinstance(self._queue, str):
            self._count(channel, self._queue)
            return
        channel.queue_declare(
            "",
            exclusive=True,
            auto_delete=True,
            arguments=self._queue.arguments,
            callback=lambda frame: self._declared(channel, frame.method.queue),
        )

    def _declared(self, channel: Any, name: str) -> None:
        for exchange, key in sorted(self._bindings):
            channel.queue_bind(name, exchange, routing_key=key)
        self._consume(channel, name)

    def _count(self, channel: Any, name: str) -> None:
        """Ask how many messages wait before we take any: the first so many that come are the backlog."""

        def counted(frame: Any) -> None:
            self._asking = False
            self._backlog_until = self._received + frame.method.message_count
            self._resume(channel, name)

        self._ask(channel)
        channel.queue_declare(name, passive=True, callback=counted)

    def _consume(self, channel: Any, name: str) -> None:
        def received(channel: Any, method: Any, properties: Any, body: bytes) -> None:
            self._unsettled += 1
            self._received += 1
            backlog = self._received <= self._backlog_until
            delivery = Delivery(channel, method, properties, body, self._settled_one, backlog=backlog)
            try:
                self._on_delivery(delivery)
            except Exception:
                log.exception(
                    "a message could not be handled",
                    queue=name,
                    exchange=delivery.exchange,
                    message_id=delivery.message_id,
                )
                if not self._no_ack:
                    delivery.reject()  # its own trouble, and for good: it would be no other the next time

        def subscribed(frame: Any) -> None:
            if self._paused:  # cancelled while the subscription was being made
                channel.close()
                return
            self._asking = False
            self._tag = frame.method.consumer_tag
            self.queue_name = name
            self._settled()
            self._on_subscribed(name)
            if isinstance(self._queue, str):
                self._listen(channel, name, self._tag)
            else:
                self._keep_bound(channel, name)

        self._ask(channel)
        channel.basic_consume(name, received, auto_ack=self._no_ack, callback=subscribed)

    def _ask(self, channel: Any) -> None:
        """Note that the broker is asked for the queue: one that is down is given away by what becomes of that."""
        self._asking = True
        if self._faults is not None and self._connection is not None:
            self._connection.loop.call_later(ANSWER_SECONDS, lambda: self._unanswered(channel))

    def _unanswered(self, channel: Any) -> None:
        if self._asking and channel is self._channel:
            self._suspect()

    def _suspect(self) -> None:
        if self._faults is not None:
            self._faults.suspect(str(self._queue))

    def _judged(self, well: bool) -> None:
        """The queue was looked at: subscribe to one that is well, and hold on to nothing of one that is down."""
        if self._channel is not None and not self._paused and well != self.subscribed:
            self._channel.close()  # the role opens another

    def _keep_bound(self, channel: Any, name: str) -> None:
        """Bind again and again: an exchange that is deleted takes its bindings along, and RabbitMQ tells nobody.

        If it is there again by then, so is the binding; if not, RabbitMQ closes the channel, and the role declares it.
        """
        left: list[tuple[str, str]] = []

        def bind(_frame: Any = None) -> None:  # one after the other: there may be a thousand
            while left and channel.is_open:
                exchange, key = left.pop()
                if (exchange, key) in self._bindings:
                    channel.queue_bind(name, exchange, routing_key=key, callback=bind)
                    return
            wait()

        def look() -> None:
            connection = self._connection
            if channel is not self._channel or self._tag is None or connection is None:
                return  # another channel looks after itself
            if not connection.blocked:  # in a broker alarm nobody would answer
                left.extend(sorted(self._bindings))
            bind()

        def wait() -> None:
            if self._connection is not None:
                self._connection.loop.call_later(BIND_SECONDS, look)

        wait()

    def _listen(self, channel: Any, name: str, tag: str | None, waited: bool = False) -> None:
        """Subscribe again when messages wait at two looks and none is brought in between.

        When a queue is deleted and there again at once, RabbitMQ may leave its consumers subscribed to nothing, without
        a word and for ever.

        Others may have taken some of the backlog: what is left of it waits now, or is under way.
        """
        received = self._received

        def looked(frame: Any) -> None:
            if self._prefetch:
                left = frame.method.message_count + self._prefetch
                self._backlog_until = min(self._backlog_until, self._received + left)
            if self._faults is not None and tag == self._tag and not frame.method.consumer_count:
                self._suspect()  # we consume it, and are not counted: there is nobody to count us
            waits = frame.method.message_count > 0 and not self.full and self._received == received
            if waits and waited and tag == self._tag:
                log.warning("messages wait and none is brought: subscribing again", queue=name)
                channel.close()
            else:
                self._listen(channel, name, tag, waits)

        def look() -> None:
            if channel is not self._channel or tag != self._tag:
                return  # another subscription looks after itself
            if self._received == received or self._received < self._backlog_until:
                channel.queue_declare(name, passive=True, callback=looked)
            else:
                self._listen(channel, name, tag)

        if self._connection is not None:
            self._connection.loop.call_later(LISTEN_SECONDS, look)

    def _cancelled_by_broker(self, _frame: Any) -> None:
        log.warning("consumer cancelled by the broker", queue=self.queue_name)
        if self._channel is not None:
            self._missed = True
            self._channel.close()  # deliveries under way are void; the role opens a new channel and subscribes

    def _settled_one(self, channel: Any) -> None:
        if channel is not self._channel:
            return
        self._unsettled -= 1
        if self._ending and not self._unsettled:
            super().end()
            return
        if not self._unsettled and self._wanted != self._prefetch and self._tag is not None:
            # With the channel the broker takes back what may be under way; a cancelled consumer would lose sight of it.
            channel.close()

    def _lost(self) -> None:
        if self._asking and getattr(self._closed_for, "reply_code", None) == INTERNAL_ERROR:
            self._suspect()  # of several that asked, the look will tell which was meant
        self._asking = False
        self._unsettled = 0
        self._prefetch = self._wanted
        self._tag = None
        self.queue_name = None
        self._on_lost()
