"""A turnstile lets so many pieces of work through at once; whoever has least inside, and has cost least, is next.

Holders are a token and, below it, its sessions (`Identity.holders`): tokens share what there is, and the sessions of
one token share what that has. Nobody goes first because they came first, and who asks for much waits for itself.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.errors import TooManyQueries
from gateway.security.holders import Holders, levels

MAX_REMEMBERED = 1_000
"""Holders whose cost is remembered although they hold nothing now."""


@dataclass(slots=True, eq=False)
class Account:
    """What a holder holds, lets wait and has cost, in seconds; `members` are those below it, at the end their waiters.

    `floor` is the cost of the member that went through last: who comes begins there, or it would go first for long.
    """

    holding: int = 0
    waiting: int = 0
    cost: float = 0.0
    floor: float = 0.0
    members: dict[str, "Account"] = field(default_factory=dict)
    waiters: deque["asyncio.Future[None]"] = field(default_factory=deque)

    def member(self, name: str) -> "Account":
        """The account of one below, new if need be."""
        account = self.members.get(name)
        if account is None:
            if len(self.members) >= MAX_REMEMBERED:
                self.members = {n: a for n, a in self.members.items() if a.holding or a.waiting}
            account = self.members[name] = Account()
        if not (account.holding or account.waiting):
            account.cost = max(account.cost, self.floor)  # to have asked for nothing saves nothing up
        return account

    def next(self) -> "Account":
        """The member whose turn it is, of those that let something wait."""
        waiting = (account for account in self.members.values() if account.waiting)
        return min(waiting, key=lambda account: (account.holding, account.cost))


@dataclass(slots=True, eq=False)
class Ticket:
    """One passage: whose it is, from the top down, and when it began."""

    accounts: tuple[Account, ...]
    begun: float


class Turnstile:
    """Lets `width` through at once, and `spare` more of holders that have nobody inside; `queue` may wait.

    Each waits `patience` seconds; when the queue is full, the token with the most in it gives one up. After each
    passage nobody is let in for `rest` times as long as it took: with a width of 1 that bounds the time that is used.
    """

    def __init__(self, width: int, queue: int, patience: float, *, spare: int = 0, rest: float = 0.0) -> None:
        self._width = width
        self._queue = queue
        self._patience = patience
        self._spare = spare
        self._rest = rest
        self._all = Account()
        self._resting_until = float("-inf")
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._all.waiting

    @asynccontextmanager
    async def passage(self, holders: Holders = ()) -> AsyncIterator[None]:
        """A place for the length of the block. Raises TooManyQueries."""
        ticket = await self.enter(holders)
        try:
            yield
        finally:
            self.leave(ticket)

    async def enter(self, holders: Holders = ()) -> Ticket:
        """Wait for a place, which `leave` gives back. Raises TooManyQueries."""
        accounts = self._accounts(holders)
        if not self._all.waiting and not self._rests() and self._has_room(accounts[1]):
            self._count(accounts)
        else:
            await self._wait(accounts)
        return Ticket(accounts, asyncio.get_running_loop().time())

    def leave(self, ticket: Ticket) -> None:
        """Give the place back; the holders have cost what it took."""
        now = asyncio.get_running_loop().time()
        took = now - ticket.begun
        for account in ticket.accounts:
            account.holding -= 1
            account.cost += took
        self._resting_until = now + self._rest * took
        self._let_in()

    # --- inside ------------------------------------------------------------------------------------------

    def _accounts(self, holders: Holders) -> tuple[Account, ...]:
        token, session = levels(holders)
        account = self._all.member(token)
        return self._all, account, account.member(session)

    def _has_room(self, token: Account) -> bool:
        """Whether there is a place for one of this token's."""
        spare = self._spare if not token.holding else 0
        return self._all.holding < self._width + spare

    def _count(self, accounts: tuple[Account, ...]) -> None:
        for above, account in zip((None, *accounts), accounts, strict=False):
            account.holding += 1
            if above is not None:
                above.floor = max(above.floor, account.cost)

    async def _wait(self, accounts: tuple[Account, ...]) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._all.waiting >= self._queue:
            self._make_room(accounts[1])
        accounts[-1].waiters.append(waiter)
        for account in accounts:
            account.waiting += 1
        self._let_in()
        try:
            async with asyncio.timeout(self._patience):
                await waiter
        except BaseException as error:
            # It was let in meanwhile.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.leave(Ticket(accounts, asyncio.get_running_loop().time()))
            else:
                with contextlib.suppress(ValueError):
                    accounts[-1].waiters.remove(waiter)
                    self._no_longer_waits(accounts)
            if isinstance(error, TimeoutError):
                raise TooManyQueries from None
            raise

    def _no_longer_waits(self, accounts: tuple[Account, ...]) -> None:
        for account in accounts:
            account.waiting -= 1

    def _make_room(self, asking: Account) -> None:
        """Let the token with the most in the queue give up what came last of it. Raises TooManyQueries if that is the
        asking one."""
        most = max(self._all.members.values(), key=lambda account: account.waiting)
        if most.waiting <= asking.waiting + 1:
            raise TooManyQueries
        session = max(most.members.values(), key=lambda account: account.waiting)
        session.waiters.pop().set_exception(TooManyQueries())
        self._no_longer_waits((self._all, most, session))

    def _let_in(self) -> None:
        while self._all.waiting and not self._rests():
            waiting = [account for account in self._all.members.values() if account.waiting]
            able = [account for account in waiting if self._has_room(account)]
            if not able:
                return  # whoever leaves looks again
            token = min(able, key=lambda account: (account.holding, account.cost))
            session = token.next()
            waiter = session.waiters.popleft()
            accounts = (self._all, token, session)
            self._no_longer_waits(accounts)
            if not waiter.done():
                self._count(accounts)
                waiter.set_result(None)

    def _rests(self) -> bool:
        """Whether nobody is let in now; then it is looked again when that is over. The clock is read once: a rest that
        ended between two looks at it would wake nobody."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._resting_until:
            return False
        if self._alarm is None:
            self._alarm = loop.call_at(self._resting_until, self._rested)
        return True

    def _rested(self) -> None:
        self._alarm = None
        self._let_in()
