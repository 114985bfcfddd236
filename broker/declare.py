"""Declares the topology, one object after the other, and turns the broker's 406 into a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broker.reasons import refused
from broker.refusals import PRECONDITION_FAILED, read_mismatch
from contract.topology import Exchange, Queue, Topology

if TYPE_CHECKING:
    from broker.connection import Connection

RIGHTS = ". docs/security.md says which rights each service needs"
STEP_SECONDS = 20.0
"""A cluster without its majority may leave a declaration unanswered for ever, while heartbeats go on."""


def declare(
    connection: Connection,
    topology: Topology,
    done: Callable[[], None],
    failed: Callable[[str, bool], None],
) -> None:
    """Declare all of `topology` on a channel of its own, which is closed again.

    Ends with `done()`, or with `failed(reason, permanent)`: a mismatch with an existing object is permanent, a
    broker that does not answer is not. The caller ignores what it hears after its connection was lost.
    """
    finished = False
    cancel_watch: Callable[[], None]

    def unanswered() -> None:
        nonlocal finished, cancel_watch
        if connection.blocked:  # in an alarm the broker does not even read what publishers send
            cancel_watch = watch()
            return
        finished = True
        failed(f"the broker has not answered a declaration for {STEP_SECONDS:.0f} s", False)

    def watch() -> Callable[[], None]:
        return connection.loop.call_later(STEP_SECONDS, unanswered)

    cancel_watch = watch()

    def opened(channel: Any) -> None:
        def closed(_channel: Any, reason: Any) -> None:
            cancel_watch()
            if not finished and connection.open:  # a lost connection reports itself
                failed(mismatch(reason), getattr(reason, "reply_code", None) == PRECONDITION_FAILED)

        channel.add_on_close_callback(closed)
        steps: list[Exchange | Queue] = [*topology.exchanges, *topology.queues]

        def step(_frame: Any = None) -> None:
            nonlocal finished, cancel_watch
            cancel_watch()
            if not steps:
                finished = True
                channel.close()
                done()
                return
            cancel_watch = watch()
            item = steps.pop(0)
            if isinstance(item, Exchange):
                channel.exchange_declare(item.name, item.type, durable=True, callback=step)
            else:
                _declare_queue(channel, item, step)

        step()

    connection.open_channel(opened)


def _declare_queue(channel: Any, queue: Queue, done: Callable[[Any], None]) -> None:
    bindings = list(queue.bindings)

    def bind(frame: Any) -> None:
        if not bindings:
            done(frame)
            return
        exchange, key = bindings.pop(0)
        channel.queue_bind(queue.name, exchange, routing_key=key, callback=bind)

    channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments), callback=bind)


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
        "Arguments are immutable: `framefleet queues upgrade` makes it anew and keeps its messages"
    )
