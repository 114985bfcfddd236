"""Owns one connection to the broker, and recovers it whenever it is lost.

connecting -> declaring -> ready, and back to connecting with jittered exponential backoff, for ever, over
several URLs in turn. What has been declared once is only looked up when the connection is made again, and declared
beside the work. Everything runs on the loop's thread; nothing here blocks.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import structlog

from broker.backoff import compute_backoff
from broker.declare import declare, look_up
from broker.loops import AsyncioLoop
from broker.reasons import describe
from broker.role import MISSED_SECONDS, Role
from broker.urls import connection_parameters, redact
from contract.topology import TOPOLOGY, Topology

log = structlog.get_logger("broker")
P = ParamSpec("P")

STEADY_SECONDS = 5.0
"""A connection that stood for less was not a success: what is done on it may be why the broker closes it each time."""


class Connection:
    """Keeps one AMQP connection open and its roles attached.

    `on_state` hears `connecting`, `ready`, `lost` and `closed` with a detail; `on_fatal` hears the one sentence
    when waiting cannot help (the topology does not match); `on_opened` is given each connection of pika's once it is
    open. A `quiet` one leaves it to them to say so in the log.
    """

    def __init__(
        self,
        loop: AsyncioLoop,
        urls: Sequence[str],
        name: str,
        roles: Sequence[Role] = (),
        *,
        topology: Topology = TOPOLOGY,
        on_state: Callable[[str, str], None] = lambda state, detail: None,
        on_fatal: Callable[[str], None] = lambda reason: None,
        on_opened: Callable[[Any], None] = lambda connection: None,
        quiet: bool = False,
    ) -> None:
        self.loop = loop
        self.name = name
        self.blocked = False
        self._urls = list(urls)
        self._roles = list(roles)
        self._topology = topology
        self._on_state = on_state
        self._on_fatal = on_fatal
        self._on_opened = on_opened
        self._quiet = quiet
        self._attempt = 0
        self._ready_since = float("inf")  # monotonic
        self._turn = 0  # whose turn it is: after a loss the next one's, since a node may listen and be frozen
        self._declared_before = False
        self._connection: Any = None
        self._cancel_retry: Callable[[], None] | None = None
        self._stopping = False
        self._stopped: list[Callable[[], None]] = []
        self._ready = False
        self._ensuring = False
        self._why_closing = ""

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once. May be called from any thread."""
        self.loop.call_soon_threadsafe(self._connect)

    def stop(self, done: Callable[[], None] | None = None) -> None:
        """Close for good; `done` is called when nothing is left. On the loop's thread."""
        self._stopping = True
        if done is not None:
            self._stopped.append(done)
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None
        connection = self._connection
        if connection is None:
            self._finish()
        elif connection.is_open:
            self._detach_roles()
            connection.close()
        elif not connection.is_closing:
            # In the middle of an attempt: pika reports it as failed, and that ends it.
            connection.close()

    def drop(self) -> None:
        """End what `stop` has begun without waiting for the broker's goodbye. On the loop's thread."""
        transport = getattr(self._connection, "_transport", None)
        if transport is not None:
            transport.abort()  # pika tells of it in the loop's next turn

    @property
    def ready(self) -> bool:
        """The connection is open and the topology declared. May be read from any thread."""
        return self._ready

    @property
    def open(self) -> bool:
        """The AMQP connection itself is open."""
        return self._connection is not None and bool(self._connection.is_open)

    def add(self, role: Role) -> None:
        """Attach one more role, now and after every reconnect. On the loop's thread, or before `start`."""
        self._roles.append(role)
        if self._ready:
            role.attach(self)

    def remove(self, role: Role) -> None:
        """Detach a role for good; what it holds goes back to its queue. On the loop's thread."""
        if role in self._roles:
            self._roles.remove(role)
            role.end()

    @property
    def server(self) -> dict[str, str]:
        """What the broker said of itself when the connection was made; empty while there is none."""
        said = getattr(self._connection, "server_properties", None) or {}
        return {name: value for name, value in said.items() if isinstance(value, str)}

    # --- for roles --------------------------------------------------------------------------------------

    def open_channel(self, opened: Callable[[Any], None]) -> None:
        """Open a channel on the current connection."""
        self._connection.channel(on_open_callback=opened)

    def redeclare(self, role: Role) -> None:
        """Declare the topology again where something of it is missing, then attach `role` anew."""
        if self.open and not self._stopping:
            self._restore(lambda: self._reattach(role))

    def ensure_topology(self) -> None:
        """Declare again, in a second, what somebody may have deleted; nothing happens while disconnected."""
        if not self._ensuring:
            self._ensuring = True
            self.loop.call_later(MISSED_SECONDS, self._ensure)

    def _ensure(self) -> None:
        self._ensuring = False
        if self.open and not self._stopping:
            self._declare(self._ensure_roles, self._not_ensured)

    def _ensure_roles(self) -> None:
        for role in list(self._roles):
            role.ensure()

    def _not_ensured(self, reason: str) -> None:
        # What is there can be used: no reason to leave a node that lives.
        log.warning("broker topology could not be looked after", connection=self.name, reason=reason)

    # --- the story --------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._cancel_retry = None
        if self._stopping:
            self._finish()
            return
        url = self._urls[self._turn % len(self._urls)]
        self._on_state("connecting", redact(url))
        self._connection = self.loop.connect(
            connection_parameters(url, name=self.name),
            opened=self._opened,
            failed=self._failed,
            closed=self._closed,
        )

    def _opened(self, connection: Any) -> None:
        if self._stopping:
            connection.close()
            return
        self._on_opened(connection)
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        if self._declared_before:
            self._restore(self._restored)
        else:
            self._declare(self._declared, self._unanswered)

    def _declare(self, done: Callable[[], None], unanswered: Callable[[str], None]) -> None:
        current = self._while_connected
        declare(
            self,
            self._topology,
            current(done),
            current(self._declare_failed),
            unanswered=current(unanswered),
        )

    def _restore(self, done: Callable[[], None]) -> None:
        """Declare the topology if something of it is missing."""
        current = self._while_connected
        look_up(
            self,
            self._topology,
            current(done),
            current(lambda: self._declare(done, self._unanswered)),
            current(self._declare_failed),
            unanswered=current(self._unanswered),
        )

    def _while_connected(self, then: Callable[P, None]) -> Callable[P, None]:
        """`then`, unless the connection of now is lost by that time: answers that come, or do not, afterwards."""
        current = self._connection

        def heard(*args: P.args, **kwargs: P.kwargs) -> None:
            if self._connection is current:
                then(*args, **kwargs)

        return heard

    def _declared(self) -> None:
        self._declared_before = True
        self._begin()

    def _restored(self) -> None:
        self._begin()
        self.ensure_topology()  # somebody may have taken a binding away meanwhile

    def _begin(self) -> None:
        self._ready_since = time.monotonic()
        self._ready = True
        if not self._quiet:
            log.info("broker connected", connection=self.name)
        self._on_state("ready", "")
        for role in self._roles:
            role.attach(self)

    def _reattach(self, role: Role) -> None:
        if not self._stopping:
            role.attach(self)

    def _declare_failed(self, reason: str, permanent: bool) -> None:
        self._declared_before = False  # what is there is not what was declared
        if permanent:
            log.error("broker topology does not match", connection=self.name, reason=reason)
            self._on_fatal(reason)
            self._give_up(reason)
        else:
            self._unanswered(reason)

    def _unanswered(self, reason: str) -> None:
        log.warning("broker topology could not be declared", connection=self.name, reason=reason)
        self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        if self.open:
            self._why_closing = reason
            self._connection.close()  # tried again with backoff: somebody may mend it

    def _failed(self, _connection: Any, error: Any) -> None:
        self._lost(describe(error))

    def _closed(self, _connection: Any, reason: Any) -> None:
        self._detach_roles(reason)
        why, self._why_closing = self._why_closing, ""
        self._lost(why or describe(reason))

    def _lost(self, reason: str) -> None:
        self._connection = None
        self._ready = False
        self.blocked = False
        if self._stopping:
            self._finish()
            return
        if time.monotonic() - self._ready_since > STEADY_SECONDS:
            self._attempt = 0
        self._ready_since = float("inf")
        delay = compute_backoff(self._attempt)
        if not self._quiet:
            log.warning("broker unreachable", connection=self.name, reason=reason, retry_in=round(delay, 2))
        self._attempt += 1
        self._turn += 1
        self._on_state("lost", reason)
        self._cancel_retry = self.loop.call_later(delay, self._connect)

    def _finish(self) -> None:
        self._connection = None
        self._ready = False
        self._on_state("closed", "")
        stopped, self._stopped = self._stopped, []
        for done in stopped:
            done()

    def _detach_roles(self, reason: Any = None) -> None:
        for role in list(self._roles):
            role.detach(reason)

    def _blocked(self, _connection: Any, frame: Any) -> None:
        self.blocked = True
        log.warning(
            "broker alarm: publishing is blocked", connection=self.name, reason=str(frame.method.reason)
        )

    def _unblocked(self, _connection: Any, _frame: Any) -> None:
        self.blocked = False
        log.info("broker alarm ended: publishing goes on", connection=self.name)
