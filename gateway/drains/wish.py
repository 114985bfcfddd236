"""The desired drains as a value: what one change makes of them, and what may be accepted. Pure."""

import re

from msgspec.structs import replace

from contract.drains import MAX_DRAINS, DesiredDrains, NodeDrain, encode_drains, parse_drains
from contract.identifiers import NODE_ID_PATTERN
from gateway.desired.revision import check_revision
from gateway.desired.wish import Wish
from gateway.errors import TooManyDrains

FILE = "desired-drains.json"

_NODE = re.compile(NODE_ID_PATTERN)


def drained(desired: DesiredDrains, node_id: str, drain: NodeDrain) -> DesiredDrains:
    """`desired` with that worker out of work; one that is already stays so since it was. Raises TooManyDrains."""
    nodes = {node_id: drain, **desired.nodes}
    if len(nodes) > MAX_DRAINS:
        raise TooManyDrains(f"{MAX_DRAINS:,} workers are drained already")
    return replace(desired, nodes=nodes)


def undrained(desired: DesiredDrains, node_id: str) -> DesiredDrains:
    """`desired` with that worker back at work."""
    return replace(desired, nodes={name: each for name, each in desired.nodes.items() if name != node_id})


def check(desired: DesiredDrains) -> None:
    """Raise ValueError unless it is something that a gateway would have announced."""
    check_revision(desired.revision)
    if len(desired.nodes) > MAX_DRAINS or not all(_NODE.match(node_id) for node_id in desired.nodes):
        raise ValueError("too many workers, or no worker's name")


def _order(desired: DesiredDrains) -> list[tuple[str, float, str]]:
    return sorted((node_id, drain.since, drain.by or "") for node_id, drain in desired.nodes.items())


DRAINS = Wish(
    name="drains",
    file=FILE,
    nothing=DesiredDrains(),
    parse=parse_drains,
    encode=encode_drains,
    check=check,
    order=_order,
    reported=lambda status: status.drains,
)
