"""Puts the remote lane's parts together, as the settings say."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from worker.errors import WorkerError
from worker.remote.audit import AuditLog
from worker.remote.books import Books, FileBooks
from worker.remote.breaker import Breaker
from worker.remote.budget import Budget
from worker.remote.caller import Asking, Caller
from worker.remote.concurrency import Concurrency
from worker.remote.endpoint import Endpoint
from worker.remote.file_rate import FileRate
from worker.remote.metrics import RemoteMetrics
from worker.remote.prices import InvalidPrices, Prices, read_prices
from worker.remote.rate import CallRate, RedisRate
from worker.remote.request import Dialect
from worker.remote.shared_cache import SharedOpinions, shared_opinions
from worker.remote.shared_file import FAILURES
from worker.remote.treasury import Treasury

if TYPE_CHECKING:
    from worker.settings import WorkerSettings


class InvalidRemote(WorkerError, ValueError):
    """A setting of the remote lane is missing or does not go with the others."""

    wrong_setting = True


@dataclass(frozen=True)
class Parts:
    """What an engine works with."""

    caller: Caller
    treasury: Treasury
    breaker: Breaker
    concurrency: Concurrency
    metrics: RemoteMetrics
    audit: AuditLog
    shared: SharedOpinions | None


Pause = Callable[[float], Awaitable[None]]


def check(settings: "WorkerSettings") -> tuple[str | None, Prices]:
    """The key and the prices. Raises InvalidRemote or InvalidPrices for what cannot work."""
    if not settings.remote_url:
        raise InvalidRemote(
            "the remote lane needs an endpoint: set WORKER_REMOTE_URL, such as https://api.openai.com/v1"
        )
    if not settings.remote_model:
        raise InvalidRemote(
            "the remote lane needs a model: set WORKER_REMOTE_MODEL to its name at the endpoint"
        )
    prices = read_prices(settings.remote_prices)
    budget = _budget(settings)
    paid = False
    for model in filter(None, (settings.remote_model, settings.remote_cheaper_model)):
        price = prices.at(model, budget.today(time()))
        paid = paid or bool(price.given or price.got)
    limited = settings.remote_budget_day is not None or settings.remote_budget_month is not None
    if limited and not prices.entries:
        raise InvalidPrices("a budget needs prices: name a file of them (docs/remote.md shows one)")
    if paid and settings.remote_budget_month is None:
        raise InvalidRemote("the model costs money: set WORKER_REMOTE_BUDGET_MONTH, in dollars")
    return _key(settings), prices


@asynccontextmanager
async def make_parts(
    settings: "WorkerSettings", metrics: RemoteMetrics, pause: Pause, key: str | None, prices: Prices
) -> AsyncIterator[Parts]:
    """Connections, books and files, until the end of the block."""
    url = settings.redis_url.get_secret_value()
    client: Any = None
    failures = FAILURES
    explain: Callable[[Exception], str] = str
    if url:
        from runtime import redis

        client = redis.asynchronous(url)
        failures, explain = redis.FAILURES, lambda error: redis.sentence(error, url)
    rate: CallRate
    books: Books
    name = hashlib.sha256(f"{settings.remote_url} {settings.remote_model}".encode()).hexdigest()[:16]
    if client is None:
        rate = FileRate(settings.remote_folder, name, settings.remote_rpm, settings.remote_tpm)
        books = FileBooks(settings.remote_folder)
    else:
        from worker.remote.redis_books import RedisBooks

        rate = RedisRate(client, name, settings.remote_rpm, settings.remote_tpm, worker=settings.node_id)
        books = RedisBooks(client)
    shared = shared_opinions(settings, url) if url and settings.cached_results else None
    treasury = Treasury(_budget(settings), prices, books, explain=explain)
    breaker = Breaker(monotonic)
    audit = AuditLog(settings.remote_folder, settings.remote_audit_days)
    asking = Asking(
        settings.node_id, settings.remote_prompt, settings.remote_max_tokens, settings.remote_blur
    )
    try:
        async with Endpoint(
            settings.remote_url, key, settings.remote_timeout, settings.remote_concurrency
        ) as endpoint:
            caller = Caller(
                endpoint,
                rate,
                treasury,
                breaker,
                Dialect(settings.remote_format),
                audit,
                metrics,
                asking,
                pause,
                failures,
                explain,
            )
            concurrency = Concurrency(settings.remote_concurrency)
            yield Parts(caller, treasury, breaker, concurrency, metrics, audit, shared)
    finally:
        if shared is not None:
            shared.close()
        await treasury.close()
        await rate.close()
        audit.close()
        if client is not None:
            await client.aclose()


def _budget(settings: "WorkerSettings") -> Budget:
    return Budget(
        ZoneInfo(settings.remote_zone),
        settings.remote_budget_day,
        settings.remote_budget_month,
        settings.remote_warn,
    )


def _key(settings: "WorkerSettings") -> str | None:
    path = settings.remote_key_file
    if path is None:
        return None
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidRemote(f"WORKER_REMOTE_KEY_FILE: {path} cannot be read ({why})") from None
    if not key or not key.isprintable() or " " in key or not key.isascii():
        raise InvalidRemote(f"WORKER_REMOTE_KEY_FILE: {path} must hold the key alone, on one line")
    return key
