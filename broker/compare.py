"""Find the arguments in which an existing queue differs from what is wanted, without management rights.

The broker names one difference for each declaration that it refuses; declaring again with its own value for that
argument brings the next one to light. Nothing is created: a queue that does not exist is not declared.
"""

import re
from dataclasses import dataclass

from broker.errors import Refused
from broker.refusals import read_mismatch
from broker.session import Session
from contract.topology import Argument, Queue

_VALUE = re.compile(r"^(?:the value )?'(?P<value>.*?)'(?: of type '(?P<type>\w+)')?$")
MOST = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """One argument. None: it is not set."""

    argument: str
    wanted: Argument | None
    current: Argument | None


async def differences(session: Session, queue: Queue) -> list[Difference]:
    """List how the existing `queue` differs, if it does. Raises NoSuchQueue, Refused, Unreachable."""
    await session.count(queue.name)
    found: list[Difference] = []
    arguments = dict(queue.arguments)
    for _ in range(MOST):
        try:
            async with session.channel() as channel:
                await channel.declare(Queue(queue.name, arguments))
        except Refused as refusal:
            difference = read_difference(str(refusal), arguments)
            if difference is None:
                if not found:
                    raise
                return found  # the other arguments make no sense for this kind of queue
            found.append(difference)
            if difference.current is None:
                arguments.pop(difference.argument, None)
            else:
                arguments[difference.argument] = difference.current
            if not difference.argument.startswith("x-"):
                return found  # `durable` is not an argument that could be tried
        else:
            return found
    return found


def read_difference(said: str, arguments: dict[str, Argument]) -> Difference | None:
    """The difference that the broker's sentence names; None if it is another sentence."""
    mismatch = read_mismatch(said)
    if mismatch is None or mismatch.kind != "queue":
        return None
    wanted = arguments.get(mismatch.argument, _value(mismatch.wanted, None))
    return Difference(mismatch.argument, wanted, _value(mismatch.current, wanted))


def _value(text: str, like: Argument | None) -> Argument | None:
    match = _VALUE.match(text)
    if match is None:
        return None
    value, kind = match["value"], match["type"]
    number = kind in ("signedint", "long", "short", "byte") if kind else isinstance(like, int)
    return int(value) if number and value.lstrip("-").isdigit() else value
