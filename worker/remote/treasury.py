"""The money of the lane: what a call may cost is booked before it, and what it has cost afterwards."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from contract.remote import SpentReport
from runtime.logs import get_logger
from worker.remote.books import Booking, Books, Period, Totals
from worker.remote.budget import Budget, share
from worker.remote.held import CallsHeld
from worker.remote.prices import DOLLAR, Price, Prices
from worker.remote.usage import Usage

log = get_logger("remote")

SETTLE_AGAIN_SECONDS = 2.0
NO_BOOKS = "the books cannot be written ({why}): nothing is sent until they can"


@dataclass(frozen=True)
class Cost:
    """What a call has cost, in billionths of a dollar: certainly, and perhaps."""

    spent: int = 0
    uncertain: int = 0

    @property
    def whole(self) -> int:
        """Both."""
        return self.spent + self.uncertain


class Treasury:
    """Books by the prices and within the budget. `explain` says what a failure of the books means."""

    def __init__(
        self,
        budget: Budget,
        prices: Prices,
        books: Books,
        *,
        explain: Callable[[Exception], str] = lambda error: type(error).__name__,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._budget = budget
        self._prices = prices
        self._books = books
        self._explain = explain
        self._clock = clock
        self._refused = 0  # the amount that did not fit
        self._settling: set[asyncio.Task[None]] = set()
        self.share = 0.0
        """The largest share of a budget that was booked when `look` was called last."""
        self.warned = False
        self.books = ""
        """Their identity."""
        self.day: SpentReport | None = None
        self.month: SpentReport | None = None

    @property
    def today(self) -> date:
        """The day of the budget."""
        return self._budget.today(self._clock())

    @property
    def prices_changed(self) -> float | None:
        """When the file of prices was last written, in Unix seconds."""
        return self._prices.changed

    def price(self, model: str) -> Price:
        """What that model costs today. Raises InvalidPrices."""
        return self._prices.at(model, self.today)

    def allow(self, raises: Mapping[str, float]) -> None:
        """Take what operators have raised budgets by."""
        self._budget = replace(self._budget, raises=raises)

    async def book(self, price: Price, expected: Usage) -> Booking:
        """Reserve what a call may cost. Raises CallsHeld: too little is left, or the books are gone."""
        amount = price.cost(expected.given, expected.got)
        periods = self._budget.periods(self._clock())
        try:
            booking = await self._books.reserve(periods, amount)
        except self._books.failures as error:
            raise CallsHeld("books", NO_BOOKS.format(why=self._explain(error))) from None
        if booking is None:
            self._refused = amount
            raise CallsHeld("budget", self._spent_sentence(periods))
        return booking

    async def settle(self, booking: Booking, cost: Cost, frames: int = 0) -> None:
        """Write down what the call has cost. What cannot be written now is tried again for as long as we live."""
        try:
            await self._settle(booking, cost, frames)
        except self._books.failures as error:
            log.warning("what a call has cost is not in the books yet", reason=self._explain(error))
            task = asyncio.create_task(self._settle_later(booking, cost, frames))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def look(self) -> None:
        """Read the books. Raises CallsHeld where they are gone."""
        periods = self._budget.periods(self._clock())
        try:
            totals = await self._books.totals([period.name for period in periods])
            self.books = await self._books.identity()
        except self._books.failures as error:
            raise CallsHeld("books", NO_BOOKS.format(why=self._explain(error))) from None
        self.share = share(periods, totals)
        self.day, self.month = (_report(*each) for each in zip(periods, totals, strict=True))
        warned = totals[1].booked >= self._budget.warn * DOLLAR
        if warned and not self.warned:
            log.warning("the warning threshold is reached", month=periods[1].name, dollars=self._budget.warn)
        self.warned = warned

    async def has_room(self) -> bool:
        """Tell whether what did not fit would fit now."""
        await self.look()
        return all(
            report is None
            or report.limit is None
            or round((report.spent + report.uncertain + report.reserved) * DOLLAR) + self._refused
            <= round(report.limit * DOLLAR)
            for report in (self.day, self.month)
        )

    async def close(self) -> None:
        """Write down what is left to be, as far as that is possible, and close the books."""
        if self._settling:
            await asyncio.wait(self._settling, timeout=SETTLE_AGAIN_SECONDS)
        await self._books.close()

    async def _settle(self, booking: Booking, cost: Cost, frames: int) -> None:
        await self._books.settle(booking, spent=cost.spent, uncertain=cost.uncertain, frames=frames)

    async def _settle_later(self, booking: Booking, cost: Cost, frames: int) -> None:
        while True:
            await asyncio.sleep(SETTLE_AGAIN_SECONDS)
            try:
                await self._settle(booking, cost, frames)
            except self._books.failures:
                continue
            return

    def _spent_sentence(self, periods: tuple[Period, Period]) -> str:
        limits = [
            f"${period.limit / DOLLAR:,.2f} for {period.name}"
            for period in periods
            if period.limit is not None
        ]
        return (
            f"the budget ({' and '.join(limits)}) has not enough left for another call: frames wait until the next day "
            "or month begins, or an operator raises it (framefleet remote raise)"
        )


def _report(period: Period, totals: Totals) -> SpentReport:
    return SpentReport(
        period=period.name,
        spent=totals.spent / DOLLAR,
        uncertain=totals.uncertain / DOLLAR,
        reserved=totals.reserved / DOLLAR,
        limit=None if period.limit is None else period.limit / DOLLAR,
        calls=totals.calls,
        frames=totals.frames,
    )
