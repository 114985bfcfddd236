"""A role: something that uses one channel of a connection and gets a new one whenever the old one is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from broker.backoff import compute_backoff

if TYPE_CHECKING:
    from broker.connection import Connection

log = structlog.get_logger("broker")

NOT_FOUND = 404
MISSED_SECONDS = 1.0
"""The wait before a missing queue is declared again. When a queue is deleted, RabbitMQ subscribes its consumers anew by
itself if it finds a queue of that name again at once, and such a consumer gets nothing more, without a word. What was
confirmed into a queue declared again at the moment of its deletion was seen to vanish, as if it had gone with the old
one."""


class Role:
    """Base of publishers, consumers and watchers. Every method runs on the connection's loop.

    Subclasses override `_opened` (a fresh channel is there) and `_lost` (it is gone, with all that was under
    way on it). A channel that the broker closes is opened again with backoff while the connection stands.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._channel: Any = None
        self._attempt = 0
        self._missed = False  # the channel is closed because its queue is gone
        self._cancel_reopen: Callable[[], None] | None = None
        self._closed_for: Exception | None = None  # why the channel was closed, or the connection

    def attach(self, connection: Connection) -> None:
        """Called by the connection each time it is open and the topology declared."""
        self._connection = connection
        connection.open_channel(self._channel_opened)

    def detach(self, reason: Exception | None = None) -> None:
        """Called by the connection when it is lost or closed, with what the broker said, if anything."""
        if self._cancel_reopen is not None:
            self._cancel_reopen()  # the next connection attaches: a second channel would consume twice
            self._cancel_reopen = None
        if self._channel is not None:
            self._channel = None
            self._closed_for = reason
            self._lost()

    def ensure(self) -> None:
        """Declare again what somebody may have deleted and this role alone needs; by default nothing."""

    def end(self) -> None:
        """Give the channel up for good."""
        channel = self._channel
        self._connection = None  # on which a closed channel would be opened again
        if self._cancel_reopen is not None:
            self._cancel_reopen()
            self._cancel_reopen = None
        if channel is not None and channel.is_open:
            channel.close()

    @property
    def attached(self) -> bool:
        """There is an open channel."""
        return self._channel is not None

    def _channel_opened(self, channel: Any) -> None:
        if self._connection is None:  # ended meanwhile
            channel.close()
            return
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        self._opened(channel)

    def _channel_closed(self, channel: Any, reason: Exception) -> None:
        if channel is not self._channel:
            return  # the connection went first
        self._channel = None
        self._closed_for = reason
        self._lost()
        self._reopen(reason)

    def _reopen(self, reason: Exception) -> None:
        connection = self._connection
        if connection is None or not connection.open:
            return
        delay = compute_backoff(self._attempt)
        if self._missed or getattr(reason, "reply_code", None) == NOT_FOUND:
            delay += MISSED_SECONDS
        self._missed = False
        self._attempt += 1
        log.warning("channel lost", role=type(self).__name__, reason=str(reason), retry_in=round(delay, 2))
        # The topology is declared again first: the channel may have gone because a queue was deleted.
        self._cancel_reopen = connection.loop.call_later(delay, lambda: connection.redeclare(self))

    def _settled(self) -> None:
        """Say that the role works again: the next loss starts the backoff anew."""
        self._attempt = 0

    def _opened(self, channel: Any) -> None:
        raise NotImplementedError

    def _lost(self) -> None:
        """The channel is gone."""
