"""The remote lane's money: prices, days of a time zone, bookings that are exact and never forgotten."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from worker.remote.books import FILE, FileBooks, Period, Totals
from worker.remote.budget import Budget, cheaper, share
from worker.remote.held import CallsHeld
from worker.remote.prices import DOLLAR, FREE, InvalidPrices, Price, Prices, read_prices
from worker.remote.treasury import Cost, Treasury
from worker.remote.usage import Usage, plausible

BERLIN = ZoneInfo("Europe/Berlin")
SEER = Price("seer", date(2026, 1, 1), Decimal("0.15"), Decimal("0.60"))


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def write(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text)
    return path


def test_prices_are_dated_and_costs_whole_billionths(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[[price]]\nmodel = "m"\nsince = 2026-01-01\ninput = 0.15\noutput = 0.6\n'
        '[[price]]\nmodel = "m"\nsince = 2026-12-01\ninput = 1\noutput = 2\n',
    )
    prices = read_prices(path)
    assert prices.at("m", date(2026, 11, 30)).cost(1_000_000, 1_000_000) == round(0.75 * DOLLAR)
    assert prices.at("m", date(2026, 12, 1)).cost(1, 1) == 3_000
    with pytest.raises(InvalidPrices, match="no price for n"):
        prices.at("n", date(2026, 12, 1))
    with pytest.raises(InvalidPrices, match="no price for m on 2025"):
        prices.at("m", date(2025, 12, 1))
    assert Prices().at("anything", date(2026, 1, 1)) is FREE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "price = 3",
        "[[price]]\nmodel = 'm'\n",
        "[[price]]\nmodel = 'm'\nsince = '2026-01-01'\ninput = 1\noutput = 1\n",
        "[[price]]\nmodel = 'm'\nsince = 2026-01-01\ninput = -1\noutput = 1\n",
        "[[price]]\nmodel = 'm'\nsince = 2026-01-01\ninput = nan\noutput = 1\n",
        "[[price]]\nmodel = 'm'\nsince = 2026-01-01\ninput = true\noutput = 1\n",
        "[[price",
    ],
)
def test_a_file_of_prices_that_is_wrong_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidPrices):
        read_prices(write(tmp_path, text))


def test_a_day_begins_at_midnight_of_the_zone_also_when_clocks_change() -> None:
    budget = Budget(BERLIN, 1.0, 10.0, 50.0)
    assert budget.periods(at("2026-11-30T23:59:59"))[0].name == "2026-11-30"
    assert [period.name for period in budget.periods(at("2026-12-01T00:00:00"))] == ["2026-12-01", "2026-12"]
    utc = Budget(ZoneInfo("UTC"), 1.0, 10.0, 50.0)
    assert utc.periods(at("2026-12-01T00:00:00"))[0].name == "2026-11-30"
    assert budget.periods(at("2026-03-29T03:00:00"))[0].name == "2026-03-29"  # an hour is left out
    assert budget.periods(at("2026-10-25T23:59:59"))[0].name == "2026-10-25"  # and lived twice


def test_a_raise_holds_for_its_period_alone() -> None:
    budget = Budget(BERLIN, 1.0, 10.0, 50.0, {"2026-11-30": 2.0})
    assert budget.periods(at("2026-11-30T12:00:00"))[0].limit == 3 * DOLLAR
    assert budget.periods(at("2026-12-01T12:00:00"))[0].limit == 1 * DOLLAR


async def test_a_second_day_starts_with_a_whole_budget_and_the_month_goes_on(tmp_path: Path) -> None:
    now = [at("2026-11-29T23:59:00")]
    treasury = Treasury(
        Budget(BERLIN, 0.001, 0.0015, 50.0), Prices([SEER]), FileBooks(tmp_path), clock=lambda: now[0]
    )
    expected = Usage(1_000, 1_000)  # 0.00075 dollars
    price = treasury.price("seer")
    booking = await treasury.book(price, expected)
    await treasury.settle(booking, Cost(spent=price.cost(1_000, 1_000)), 1)
    with pytest.raises(CallsHeld) as held:
        await treasury.book(price, expected)
    assert held.value.by == "budget"
    assert not await treasury.has_room()
    now[0] = at("2026-11-30T00:00:01")
    assert await treasury.has_room()
    second = await treasury.book(price, expected)
    assert second.periods == ("2026-11-30", "2026-11")
    await treasury.settle(second, Cost(uncertain=second.amount))
    with pytest.raises(CallsHeld):  # the month's
        await treasury.book(price, Usage(10, 10))
    now[0] = at("2026-12-01T00:00:00")
    await treasury.book(price, expected)
    await treasury.look()
    assert treasury.month is not None
    assert (treasury.month.period, treasury.month.reserved, treasury.month.spent) == ("2026-12", 0.00075, 0.0)
    await treasury.close()


async def test_a_booking_that_nobody_settles_stays_in_the_books_of_the_next_process(tmp_path: Path) -> None:
    day = Period("2026-11-30", 100)
    first = FileBooks(tmp_path)
    assert await first.reserve([day], 60) is not None
    second = FileBooks(tmp_path)  # while the first one is there: two workers of one machine
    assert await second.reserve([day], 60) is None
    booking = await second.reserve([day], 40)
    assert booking is not None
    await second.settle(booking, spent=30, uncertain=0, frames=2)
    assert await second.totals(["2026-11-30", "2026-11-29"]) == [
        Totals(spent=30, reserved=60, calls=2, frames=2),
        Totals(),
    ]
    await first.close()
    await second.close()


async def test_books_that_cannot_be_written_hold_the_lane(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, and was never one" * 100)
    books = FileBooks(tmp_path)
    treasury = Treasury(Budget(BERLIN, 1.0, 1.0, 50.0), Prices([SEER]), books)
    with pytest.raises(CallsHeld, match="books cannot be written") as held:
        await treasury.book(treasury.price("seer"), Usage(1, 1))
    assert held.value.by == "books"
    assert isinstance(held.value.__context__, sqlite3.Error)
    await treasury.close()


def test_the_cheaper_model_by_each_rule() -> None:
    monday, saturday = date(2026, 11, 30), date(2026, 11, 28)
    assert cheaper(["budget"], 0.8, monday, None)
    assert not cheaper(["budget"], 0.79, saturday, 1)
    assert cheaper(["weekend"], 0.0, saturday, None)
    assert not cheaper(["weekend"], 0.99, monday, 2)
    assert cheaper(["low-priority", "budget"], 0.0, monday, 3)
    assert not cheaper(["low-priority"], 0.0, monday, 0)
    assert not cheaper([], 1.0, saturday, 1)


def test_the_share_is_the_larger_one() -> None:
    periods = [Period("d", 100), Period("m", 1_000)]
    assert share(periods, [Totals(spent=10, reserved=20, uncertain=20), Totals(spent=100)]) == 0.5
    assert share([Period("d", None)], [Totals(spent=5)]) == 0.0


@pytest.mark.parametrize(
    ("usage", "believed"),
    [
        (Usage(300, 40), True),
        (Usage(1, 0), True),
        (Usage(-5, 40), False),
        (Usage(300, 10**12), False),
        (Usage(10**9, 1), False),
        (None, False),
    ],
)
def test_a_usage_that_cannot_be_true_is_not_believed(usage: Usage | None, believed: bool) -> None:
    assert plausible(usage, Usage(500, 800)) is believed
