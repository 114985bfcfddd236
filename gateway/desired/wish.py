"""What can be desired of the workers, and how a wish of that kind is written, checked, compared and reported."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contract.drains import DesiredDrains
from contract.models import DesiredModels
from contract.remote import DesiredRemote
from contract.status import NodeStatus

Desired = TypeVar("Desired", DesiredModels, DesiredDrains, DesiredRemote)


@dataclass(frozen=True)
class Wish(Generic[Desired]):
    """One kind of wish, called `name` in logs and kept in `file`. `nothing`: what holds before the first one.

    `check` raises ValueError for what no gateway would have announced; `order` settles which of two holds under one
    revision; `reported` is the revision that a node acts on, None if its version knows no such wish.
    """

    name: str
    file: str
    nothing: Desired
    parse: Callable[[bytes], Desired]
    encode: Callable[[Desired], bytes]
    check: Callable[[Desired], None]
    order: Callable[[Desired], Any]
    reported: Callable[[NodeStatus], int | None]
