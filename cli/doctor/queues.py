"""The area `queues`: their arguments, depths, consumers and members, and whether RabbitMQ can use them."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from broker import BrokerError
from broker.diagnosis import fault
from broker.errors import Unreachable
from broker.faults import REMEDY
from broker.session import session
from cli.doctor import workers
from cli.doctor.errors import NoAnswer
from cli.doctor.exposition import Samples, broker_pages, read_page
from cli.doctor.finding import Findings
from cli.doctor.http import ANSWER_SECONDS, side_by_side
from cli.doctor.place import Place
from cli.doctor.promql import series
from cli.doctor.stranger import stranger
from cli.queues.upgrade import FoundQueue, inspect
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TASK_QUEUE, TOPOLOGY

CLIENT = "framefleet doctor"
QUEUES_SECONDS = 6.0
FULL = (0.5, 0.8)
"""Shares of a queue's bound in messages: a warning, an error."""
MEMBER = "rabbitmq_detailed_raft_log_commit_index"
FOREIGN_NOW = "(max by (queue) (gateway_queue_foreign_consumers))[1m:5s]"
FOREIGN = f"min_over_time({FOREIGN_NOW}) > 0 and count_over_time({FOREIGN_NOW}) >= 10"
"""A minute long, as their alerts: a worker that stands still or is drained is not heard before its consumer goes."""


def check(place: Place, findings: Findings) -> None:
    """Note what is wrong with each of our queues."""
    if not place.urls:
        return
    urls = asyncio.run(_brokers(place.urls))
    if not urls:
        findings.unknown("queues", "not looked at: at no address a broker answers", "see broker")
        return
    try:
        states = asyncio.run(_states(urls, findings))
    except BrokerError as error:
        findings.unknown("queues", f"not looked at: {error}", "see broker")
        return
    except TimeoutError:
        findings.unknown(
            "queues",
            f"RabbitMQ answers too slowly: not done within {QUEUES_SECONDS:g} s",
            "see broker; try again",
        )
        return
    judge(states, findings, workers.all_drained(place))
    _members(place, findings)
    for labels, count in series(place.prometheus, FOREIGN):
        findings.error(
            labels.get("queue", ""),
            f"{count:.0f} more have consumed it for a minute than our services: what they take is missing",
            "stop that program; one that wants results binds a queue of its own to `results` (docs/integrate.md)",
        )


async def _brokers(urls: Sequence[str]) -> list[str]:
    """Those where somebody speaks AMQP, or nobody listens."""
    strange = await asyncio.gather(*map(stranger, urls))
    return [url for url, why in zip(urls, strange, strict=True) if not why]


async def _states(urls: Sequence[str], findings: Findings) -> list[FoundQueue]:
    """Look at each queue. Those that are down are noted at once, and left out. Raises BrokerError, TimeoutError."""
    async with asyncio.timeout(QUEUES_SECONDS):
        async with session(urls, CLIENT, timeout=ANSWER_SECONDS) as asking:
            states = [await inspect(asking, queue) for queue in TOPOLOGY.queues]
        for state in list(states):
            # On a connection of its own: RabbitMQ closes that of who asks for a queue that is down.
            if state.messages == 0 and not state.consumers:
                why = await _fault(urls, state.queue.name)
                if why is not None:
                    states.remove(state)
                    findings.error(state.queue.name, f"it is down, RabbitMQ cannot use it ({why})", REMEDY)
    return states


async def _fault(urls: Sequence[str], queue: str) -> str | None:
    try:
        async with session(urls, CLIENT, timeout=ANSWER_SECONDS) as asking:
            return await fault(asking, queue)
    except Unreachable:
        return None  # the area `broker` says so


def judge(states: list[FoundQueue], findings: Findings, drained: Sequence[str] = ()) -> None:
    """Note what the states of the queues show. `drained`: the workers, if every one that is heard is drained."""
    there = [state for state in states if state.messages is not None]
    if states and not there:
        findings.error(
            "queues",
            "none of ours is there",
            "is this the right broker and virtual host? The first service that connects declares them: start one",
        )
        return
    if missing := [state.queue.name for state in states if state.messages is None]:
        findings.warning(
            "missing",
            f"{len(missing)} are not there: {', '.join(missing)}",
            "the next service that connects declares them; if they were there: who has deleted them?",
        )
    for state in there:
        _judge(state, state.messages or 0, findings, drained)
    waiting = sum(state.messages or 0 for state in there)
    as_they_should = sum(not state.differs for state in there)
    findings.ok("arguments", f"{as_they_should} of {len(states)} queues are as this version wants them")
    findings.ok("depth", f"{waiting:,} messages wait in all queues together")


def _judge(state: FoundQueue, messages: int, findings: Findings, drained: Sequence[str]) -> None:
    name = state.queue.name
    if state.differs:
        differing = "; ".join(
            f"{each.argument} is {_value(each.current)}, should be {_value(each.wanted)}"
            for each in state.differences
        )
        findings.error(
            name, differing, "framefleet queues upgrade (docs/upgrading.md): it keeps the messages"
        )
    if state.set_aside is not None:
        findings.error(
            name,
            f"{state.set_aside:,} messages in {name}.upgrade: an upgrade was interrupted",
            "framefleet queues upgrade",
        )
    _judge_depth(state, messages, findings)
    if name == TASK_QUEUE and not state.consumers:
        todo = (
            workers.undrain(drained)
            if drained
            else f"{workers.START}; or look at /readyz of those that run (.run/logs/, docker compose ps -a cv-worker)"
        )
        if messages:
            waits = f"{messages:,} message{'' if messages == 1 else 's'}"
            findings.error(name, f"no worker takes what waits in it: {waits}", todo)
        else:
            findings.warning(name, "no worker consumes it", todo)
    if name == RESULT_QUEUE and not state.consumers:
        findings.error(
            name,
            "nobody consumes it: nothing is recorded",
            "start the gateway; its /readyz says what it lacks",
        )


def _judge_depth(state: FoundQueue, messages: int, findings: Findings) -> None:
    name = state.queue.name
    most = int(state.queue.arguments["x-max-length"])
    if name == DEAD_LETTER_QUEUE and messages:
        note = findings.error if messages > FULL[0] * most else findings.warning
        note(
            name,
            f"{messages:,} dead letters wait, of {most:,}",
            "framefleet dlq list says of each why (docs/dead-letters.md)",
        )
    elif messages > FULL[0] * most:
        note = findings.error if messages > FULL[1] * most else findings.warning
        note(
            name,
            f"{messages:,} messages, {messages / most:.0%} of what it takes",
            "add whoever consumes it (workers; for result_queue the gateway and its disk), or send less",
        )


def _members(place: Place, findings: Findings) -> None:
    """Count the members of each queue that run. One broker has one of each, of which there is nothing to tell."""
    pages = broker_pages(place)
    if len(pages) < 2:
        return
    detailed = side_by_side(lambda page: read_page(f"{page}/metrics/detailed?family=ra_metrics"), pages)
    # `broker` says who is silent.
    read = [samples for _, samples in detailed if not isinstance(samples, NoAnswer)]
    judge_members(read, len(pages), findings)


def judge_members(read: Sequence[Samples], brokers: int, findings: Findings) -> None:
    """Note the queues of which some member does not run, by what the brokers that answered say of their own."""
    members = Counter(
        labels["queue"] for samples in read for labels, _ in samples.get(MEMBER, []) if labels.get("queue")
    )
    ours = {queue.name for queue in TOPOLOGY.queues}
    few = {queue: count for queue, count in members.items() if queue in ours and count < brokers}
    for queue, count in sorted(few.items()):
        findings.error(
            queue,
            f"{count} of its {brokers} members run",
            "start the broker that is down; if all run: rabbitmq-queues grow NODE all (docs/high-availability.md)",
        )
    if members and not few:
        findings.ok("members", f"{brokers} of each queue run")


def _value(value: object) -> str:
    return "not set" if value is None else str(value) or "empty"
