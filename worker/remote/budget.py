"""Days and months of a time zone, what may be spent in them, and when a cheaper model does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from worker.remote.books import Period, Totals
from worker.remote.prices import DOLLAR

CHEAPER_FROM = 0.8
"""Of a budget: from then on the rule `budget` holds."""
LOW_PRIORITIES = range(1, 4)
"""AMQP's property `priority` of a task, 0 to 9; without it 0, which says nothing."""
SATURDAY = 5


@dataclass(frozen=True)
class Budget:
    """Dollars for a day and a month of `zone`; None is no limit. `raises` are operators', by the period's name."""

    zone: ZoneInfo
    day: float | None
    month: float | None
    warn: float
    raises: Mapping[str, float] = field(default_factory=dict)

    def today(self, now: float) -> date:
        """The day at that moment (Unix seconds)."""
        return datetime.fromtimestamp(now, self.zone).date()

    def periods(self, now: float) -> tuple[Period, Period]:
        """The day and the month of that moment."""
        day = self.today(now).isoformat()
        return self._period(day, self.day), self._period(day[:7], self.month)

    def _period(self, name: str, dollars: float | None) -> Period:
        if dollars is None:
            return Period(name, None)
        return Period(name, round((dollars + self.raises.get(name, 0.0)) * DOLLAR))


def share(periods: Sequence[Period], totals: Sequence[Totals]) -> float:
    """The largest share of a budget that is booked; 0 without one."""
    shares = [
        each.booked / period.limit
        for period, each in zip(periods, totals, strict=True)
        if period.limit is not None and period.limit > 0
    ]
    return max(shares, default=0.0)


def cheaper(rules: Sequence[str], booked: float, today: date, priority: int | None) -> bool:
    """Tell whether the cheaper model is to be used, by any of the rules. `booked` is a share of the budget."""
    return (
        ("budget" in rules and booked >= CHEAPER_FROM)
        or ("weekend" in rules and today.weekday() >= SATURDAY)
        or ("low-priority" in rules and priority in LOW_PRIORITIES)
    )
