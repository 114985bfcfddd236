"""The remote lane: its workers, what has been spent, and what may be."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class RemoteWorkerView:
    """A worker of the remote lane. `reason` says why it takes no frames; `concurrency` is how many calls it may make
    at once now."""

    node_id: str
    endpoint: str
    model: str
    state: Literal["open", "waiting", "held"]
    held_by: str
    reason: str
    concurrency: int
    calls: int
    errors: int
    frame_most: float
    """Dollars that a frame may cost at most."""
    prices_changed: float | None
    """When its file of prices was last written, in Unix seconds; null: nothing costs anything."""


@dataclass(slots=True, frozen=True)
class SpentView:
    """Dollars of a day or month, `period` being its name. `uncertain` and `reserved` count as spent: nobody knows
    whether calls without an answer were charged, and what is under way may be. `limit` is null without a budget."""

    period: str
    spent: float
    uncertain: float
    reserved: float
    limit: float | None
    calls: int
    frames: int


@dataclass(slots=True, frozen=True)
class RemoteView:
    """`state`: `absent` without a worker, `paused` by an operator, `held` if all are, else `open`. `waiting` frames are
    in the lane's queue; null while the broker does not tell. `day` and `month` are null without a worker. `raised` are
    the dollars by which operators have raised the budgets of these two. `warned`: the warning threshold is passed.
    `warning`: workers that do not share limits and books; else empty."""

    state: Literal["absent", "open", "held", "paused"]
    reason: str
    waiting: int | None
    workers: list[RemoteWorkerView]
    day: SpentView | None
    month: SpentView | None
    warned: bool
    warning: str
    raised: dict[str, float]
