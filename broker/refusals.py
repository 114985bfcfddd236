"""RabbitMQ's sentences for what it refuses, read in one place: other arguments than those of what exists, and a
queue that there is not."""

import re
from typing import NamedTuple

PRECONDITION_FAILED = 406

# "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '6' but current is '5'";
# a value may also read "none", or "the value '5' of type 'signedint'". RabbitMQ 3.10 and 4.x.
_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)' for (?P<kind>\w+) '(?P<name>[^']+)'.*?: "
    r"received (?P<wanted>.*) but current is (?P<current>.*)$"
)

# "NOT_FOUND - no queue 'q' in vhost '/'"
_NO_QUEUE = re.compile(r"no queue '(?P<name>[^']+)'")


class Mismatch(NamedTuple):
    """An argument of a queue or an exchange that differs; the values as RabbitMQ writes them."""

    kind: str
    name: str
    argument: str
    wanted: str
    current: str


def read_mismatch(said: str) -> Mismatch | None:
    """The difference that the broker's sentence names; None if it is another sentence."""
    found = _INEQUIVALENT.search(said)
    return None if found is None else Mismatch(**found.groupdict())


def read_missing_queue(said: str) -> str | None:
    """The name of the queue that there is not, by the broker's sentence; None if it is another sentence."""
    found = _NO_QUEUE.search(said)
    return None if found is None else found["name"]
