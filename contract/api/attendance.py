"""Who is watching: users and sessions over sliding windows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class DeviceCountsView:
    """How many there are on each class of device. `all` are different ones, bots left out."""

    all: int
    ios: int
    android: int
    web_pc: int
    web_mobile: int
    other: int
    bot: int


@dataclass(slots=True, frozen=True)
class AttendanceWindowView:
    """Who was here within the last `minutes` and the one that has begun."""

    name: Literal["peak", "session", "limit"]
    minutes: int
    users: DeviceCountsView
    sessions: DeviceCountsView


@dataclass(slots=True, frozen=True)
class AttendancePointView:
    """What the session's window was at a time."""

    time: float
    users: int
    sessions: int


@dataclass(slots=True, frozen=True)
class AttendanceView:
    """Who is here, at most five seconds ago. Each count may be off by 2 %.

    `shared` tells whether they are the counts of all gateways; false while Redis does not answer (`trouble` says why),
    null where there is none, and each gateway counts its own. `series` has the last three hours at most, minute by
    minute, as this gateway has seen them.
    """

    time: float
    shared: bool | None
    trouble: str
    windows: list[AttendanceWindowView]
    series: list[AttendancePointView]
