"""What tokens cost: a TOML file of dated prices. Money is counted in billionths of a dollar, whole numbers."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.errors import WorkerError

DOLLAR = 1_000_000_000
"""Billionths: a token of a model for a tenth of a dollar per million costs a hundred of them."""
_KEYS = {"model", "since", "input", "output"}


class InvalidPrices(WorkerError, ValueError):
    """The file of prices is not as it must be, or has none for a model that is to be paid for."""

    wrong_setting = True

    @property
    def sentence(self) -> str:
        return f"WORKER_REMOTE_PRICES: {self}"


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens taken in and given out, from that day on."""

    model: str
    since: date
    given: Decimal
    got: Decimal

    def cost(self, given: int, got: int) -> int:
        """What so many tokens cost, in billionths of a dollar, rounded up."""
        return math.ceil((self.given * given + self.got * got) * (DOLLAR // 1_000_000))


FREE = Price("", date.min, Decimal(0), Decimal(0))
"""Of a model on one's own hardware."""


@dataclass(frozen=True)
class Prices:
    """All prices; none at all means that nothing costs anything."""

    entries: Sequence[Price] = ()
    changed: float | None = None
    """When their file was last written, in Unix seconds; None without one."""

    def at(self, model: str, day: date) -> Price:
        """The price that holds on that day. Raises InvalidPrices for a model that has none, where others have."""
        if not self.entries:
            return FREE
        known = [each for each in self.entries if each.model == model and each.since <= day]
        if not known:
            raise InvalidPrices(
                f"there is no price for {model} on {day}: add it, with `input = 0` and `output = 0` if it is free"
            )
        return max(known, key=lambda each: each.since)


def read_prices(path: Path | None) -> Prices:
    """Read the file. Raises InvalidPrices, with what is wrong."""
    if path is None:
        return Prices()
    try:
        content = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        changed = path.stat().st_mtime
    except OSError as error:
        raise InvalidPrices(f"{path} cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidPrices(f"{path} is not TOML: {error}") from None
    entries = content.get("price")
    if not isinstance(entries, list) or not entries:
        raise InvalidPrices(f"{path} has no [[price]]: docs/remote.md shows one")
    return Prices([_price(entry, number, path) for number, entry in enumerate(entries, 1)], changed)


def _price(entry: Any, number: int, path: Path) -> Price:
    where = f"[[price]] number {number} of {path}"
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise InvalidPrices(f"{where} must have exactly: {', '.join(sorted(_KEYS))}")
    model, since = entry["model"], entry["since"]
    if not isinstance(model, str) or not isinstance(since, date):
        raise InvalidPrices(
            f'{where}: model = "name" and since = 2026-11-30 (a date, without quotes) are needed'
        )
    given, got = _dollars(entry["input"]), _dollars(entry["output"])
    if given is None or got is None:
        raise InvalidPrices(f"{where}: input and output are dollars per million tokens, from 0 on")
    return Price(model, since, given, got)


def _dollars(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    dollars = Decimal(value)
    return dollars if dollars.is_finite() and 0 <= dollars <= 100_000 else None
