"""Declares the topology, one object after the other, and turns the broker's 406 into a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from broker.reasons import refused
from broker.refusals import PRECONDITION_FAILED, read_mismatch
from broker.role import NOT_FOUND
from contract.topology import Exchange, Queue, Topology

if TYPE_CHECKING:
    from broker.connection import Connection

RIGHTS = ". docs/security.md says which rights each service needs"
STEP_SECONDS = 20.0
"""A cluster may leave a declaration unanswered, while heartbeats go on: for ever without its majority, and until a
silent node is given up where it has one."""

Step = Callable[[Any, Callable[[Any], None]], None]
"""Asks one thing on a channel; the callback hears the broker's answer."""


def declare(
    connection: Connection,
    topology: Topology,
    done: Callable[[], None],
    failed: Callable[[str, bool], None],
    *,
    unanswered: Callable[[str], None] | None = None,
) -> None:
    """Declare all of `topology` on a channel of its own, which is closed again.

    Ends with `done()`, or with `failed(reason, permanent)`: a mismatch with an existing object is permanent, a
    broker that does not answer is not, and goes to `unanswered(reason)` if that is given. The caller ignores what it
    hears after its connection was lost.
    """

    def closed(reason: Any) -> None:
        failed(mismatch(reason), getattr(reason, "reply_code", None) == PRECONDITION_FAILED)

    def silent(reason: str) -> None:
        failed(reason, False)

    steps = [step for item in _items(topology) for step in _declaration(item)]
    _ask(connection, steps, done, closed, unanswered or silent)


def look_up(
    connection: Connection,
    topology: Topology,
    found: Callable[[], None],
    missing: Callable[[], None],
    failed: Callable[[str, bool], None],
    *,
    unanswered: Callable[[str], None],
) -> None:
    """Ask whether all of `topology` is there, and change nothing.

    Every node answers that by itself. A binding, even one that exists, is a transaction of the whole cluster: as long
    as that waits for a silent node, nobody could begin to work on the others. Ends with `found()` or `missing()`, or
    as `declare` does with `failed` or `unanswered`.
    """

    def closed(reason: Any) -> None:
        if getattr(reason, "reply_code", None) == NOT_FOUND:
            missing()
        else:
            failed(mismatch(reason), False)

    steps = [partial(_look_up, item) for item in _items(topology)]
    _ask(connection, steps, found, closed, unanswered)


def _ask(
    connection: Connection,
    steps: Iterable[Step],
    done: Callable[[], None],
    closed: Callable[[Any], None],
    unanswered: Callable[[str], None],
) -> None:
    """Go through `steps` on a channel of its own, each with STEP_SECONDS for its answer."""
    finished = False
    channel: Any = None
    left = iter(steps)
    cancel_watch: Callable[[], None]

    def silent() -> None:
        nonlocal finished, cancel_watch
        if connection.blocked:  # in an alarm the broker does not even read what publishers send
            cancel_watch = watch()
            return
        finished = True
        if channel is not None and channel.is_open:
            channel.close()
        unanswered(f"the broker has not answered a declaration for {STEP_SECONDS:.0f} s")

    def watch() -> Callable[[], None]:
        return connection.loop.call_later(STEP_SECONDS, silent)

    cancel_watch = watch()

    def opened(fresh: Any) -> None:
        nonlocal channel
        if finished:  # given up before it was there
            fresh.close()
            return
        channel = fresh
        channel.add_on_close_callback(lost)
        step()

    def lost(_channel: Any, reason: Any) -> None:
        cancel_watch()
        if not finished and connection.open:  # a lost connection reports itself
            closed(reason)

    def step(_frame: Any = None) -> None:
        nonlocal finished, cancel_watch
        cancel_watch()
        if finished:
            return
        ask = next(left, None)
        if ask is None:
            finished = True
            channel.close()
            done()
            return
        cancel_watch = watch()
        ask(channel, step)

    connection.open_channel(opened)


def _items(topology: Topology) -> list[Exchange | Queue]:
    return [*topology.exchanges, *topology.queues]


def _look_up(item: Exchange | Queue, channel: Any, done: Callable[[Any], None]) -> None:
    if isinstance(item, Exchange):
        channel.exchange_declare(item.name, passive=True, callback=done)
    else:
        channel.queue_declare(item.name, passive=True, callback=done)


def _declaration(item: Exchange | Queue) -> Iterator[Step]:
    # A step for each binding: nothing may be asked on a channel that was given up since.
    if isinstance(item, Exchange):
        yield partial(_declare_exchange, item)
        return
    yield partial(_declare_queue, item)
    for exchange, key in item.bindings:
        yield partial(_bind, item.name, exchange, key)


def _declare_exchange(exchange: Exchange, channel: Any, done: Callable[[Any], None]) -> None:
    channel.exchange_declare(exchange.name, exchange.type, durable=True, callback=done)


def _declare_queue(queue: Queue, channel: Any, done: Callable[[Any], None]) -> None:
    channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments), callback=done)


def _bind(queue: str, exchange: str, key: str, channel: Any, done: Callable[[Any], None]) -> None:
    channel.queue_bind(queue, exchange, routing_key=key, callback=done)


def mismatch(reason: Any) -> str:
    """Turn what the broker said of a failed declaration into a sentence that says what to do about it."""
    text = str(getattr(reason, "reply_text", reason))
    found = read_mismatch(text)
    if found is None:
        return (
            f"the broker refused a declaration: {refused(text)}{RIGHTS if 'ACCESS_REFUSED' in text else ''}"
        )
    return (
        f"the {found.kind} '{found.name}' exists with another '{found.argument}' "
        f"(received {found.wanted} but current is {found.current}). "
        "Arguments are immutable: `framefleet queues upgrade` recreates it and keeps its messages"
    )
