"""One call, with everything around it: the breaker, the rate, the money, the audit log, the counts."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from worker.remote.answer import Seen, read_completion, read_pictures
from worker.remote.audit import AuditLog, Sent, digest, moment
from worker.remote.breaker import Breaker
from worker.remote.endpoint import Endpoint
from worker.remote.errors import (
    Answered,
    CallFailed,
    EndpointRefuses,
    Passing,
    PictureRefused,
    Throttled,
)
from worker.remote.held import CallsHeld
from worker.remote.metrics import RemoteMetrics
from worker.remote.picture import Prepared
from worker.remote.prices import Price
from worker.remote.rate import CallRate
from worker.remote.request import Dialect, chat_body, estimated_tokens
from worker.remote.treasury import Cost, Treasury
from worker.remote.usage import Usage, plausible

LATE_SECONDS = 0.5
"""A call that leaves later than this after it was counted is counted anew: see worker.remote.rate."""
PROBE_SECONDS = 0.2
DIALECTS = 4
"""Requests that are written anew since the endpoint does not know a field, at most."""


@dataclass(frozen=True)
class OutgoingPicture:
    """A frame's picture, ready to be sent, and whose it is."""

    camera_id: str
    frame_id: str
    picture: Prepared


@dataclass(frozen=True)
class CallAnswer:
    """What is said of each picture, what each has cost (billionths of a dollar), and the seconds that it took."""

    seen: list[Seen]
    costs: list[int]
    seconds: float


@dataclass(frozen=True)
class Asking:
    """How the endpoint is asked: the words, the tokens for each picture, and who we are."""

    node_id: str
    prompt: str
    max_tokens: int
    blurred: bool


class Caller:
    """Calls. `pause` sleeps, and raises CallsHeld where that is to end early. Lives on one event loop."""

    def __init__(
        self,
        endpoint: Endpoint,
        rate: CallRate,
        treasury: Treasury,
        breaker: Breaker,
        dialect: Dialect,
        audit: AuditLog,
        metrics: RemoteMetrics,
        asking: Asking,
        pause: Callable[[float], Awaitable[None]],
        rate_failures: tuple[type[Exception], ...] = (),
        explain: Callable[[Exception], str] = str,
    ) -> None:
        self._endpoint = endpoint
        self._rate = rate
        self._treasury = treasury
        self._breaker = breaker
        self._dialect = dialect
        self._audit = audit
        self._metrics = metrics
        self._asking = asking
        self._pause = pause
        self._rate_failures = rate_failures
        self._explain = explain

    async def call(self, frames: Sequence[OutgoingPicture], model: str) -> CallAnswer:
        """Ask for these pictures in one request. Raises CallsHeld, or what errors.py has; what is to pay is booked."""
        for _ in range(DIALECTS):
            try:
                return await self._call(frames, model)
            except PictureRefused as error:
                if not self._dialect.learn(str(error)):
                    raise
        raise EndpointRefuses("the endpoint does not take our requests, however they are written")

    async def _call(self, frames: Sequence[OutgoingPicture], model: str) -> CallAnswer:
        asking = self._asking
        sizes = [(each.picture.sent_width, each.picture.sent_height) for each in frames]
        expected = Usage(estimated_tokens(asking.prompt, sizes), asking.max_tokens * len(frames))
        price = self._treasury.price(model)
        jpegs = [each.picture.jpeg for each in frames]
        body = chat_body(model, asking.prompt, jpegs, self._dialect, asking.max_tokens)
        tokens = expected.given + expected.got
        await self._admitted()
        try:
            counted = await self._count(tokens)
            booking = await self._treasury.book(price, expected)
            try:
                self._write_down(frames, model)
            except OSError as error:
                await self._treasury.settle(booking, Cost())
                raise CallsHeld("books", f"the audit log cannot be written ({error.strerror})") from None
        except CallsHeld:
            self._breaker.left()
            raise

        async def ready() -> None:
            if time.monotonic() - counted > LATE_SECONDS:
                await self._count(tokens)

        began = time.monotonic()
        outcome, sent, cost = "error", True, Cost(uncertain=booking.amount)
        answered = 0
        try:
            completion = read_completion(await self._endpoint.ask(body, ready))
            cost = self._charged(price, completion.usage, expected)
            seen = read_pictures(completion.text, len(frames))
            outcome, answered = "ok", len(frames)
        except CallFailed as error:
            outcome, sent = error.outcome, error.sent
            cost = self._charge_of(error, price, expected, cost)
            await self._judge(error)
            raise
        except CallsHeld:  # there was a connection, and then no leave to use it
            sent, cost = False, Cost()
            self._breaker.left()
            raise
        else:
            self._breaker.succeeded()
        finally:
            self._metrics.called(outcome, time.monotonic() - began, len(body) if sent else 0)
            self._metrics.cost(cost)
            await self._treasury.settle(booking, cost, answered)
        return CallAnswer(seen, _shared(cost.whole, len(frames)), time.monotonic() - began)

    async def _admitted(self) -> None:
        """Wait for the call that tries whether the endpoint is well again. Raises CallsHeld while it is not."""
        while not self._breaker.admits():
            if self._breaker.wait > 0:
                raise CallsHeld(
                    "breaker", "the endpoint has failed at every call of late: it is left alone for a moment"
                )
            await self._pause(PROBE_SECONDS)

    async def _count(self, tokens: int) -> float:
        """Pass the limit of calls and tokens a minute; returns when (monotonic)."""
        try:
            while (wait := await self._rate.take(tokens)) > 0:
                self._metrics.waited(wait)
                await self._pause(wait)
        except self._rate_failures as error:
            raise CallsHeld("books", self._explain(error)) from None
        return time.monotonic()

    async def _judge(self, error: CallFailed) -> None:
        match error:
            case Throttled():
                self._breaker.left()
                if error.after:
                    await self._forbid(error.after)
            case Passing():
                self._breaker.failed()
            case _:
                self._breaker.succeeded()  # it answers, whatever it says

    async def _forbid(self, seconds: float) -> None:
        try:
            await self._rate.forbid(seconds)
        except self._rate_failures:
            return  # each worker that is told waits by itself

    def _charge_of(self, error: CallFailed, price: Price, expected: Usage, unknown: Cost) -> Cost:
        match error:
            case Answered():
                return self._charged(price, error.usage, expected) if error.usage else unknown
            case Passing(free=False):
                return unknown
            case _:
                return Cost()

    def _charged(self, price: Price, usage: Usage | None, expected: Usage) -> Cost:
        if usage is None or not plausible(usage, expected):
            self._metrics.usage_invalid()
            return Cost(uncertain=price.cost(expected.given, expected.got))
        self._metrics.used(usage)
        return Cost(spent=price.cost(usage.given, usage.got))

    def _write_down(self, frames: Sequence[OutgoingPicture], model: str) -> None:
        asking, when = self._asking, moment(time.time())
        for each in frames:
            self._audit.write(
                Sent(
                    time=when,
                    node_id=asking.node_id,
                    camera_id=each.camera_id,
                    frame_id=each.frame_id,
                    endpoint=self._endpoint.host,
                    model=model,
                    sha256=digest(each.picture.jpeg),
                    bytes=len(each.picture.jpeg),
                    width=each.picture.sent_width,
                    height=each.picture.sent_height,
                    blurred=asking.blurred,
                    prompt=digest(asking.prompt.encode())[:16],
                )
            )


def _shared(cost: int, frames: int) -> list[int]:
    """The cost in parts that add up to it."""
    part, rest = divmod(cost, frames)
    return [part + (number < rest) for number in range(frames)]
