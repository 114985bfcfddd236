"""Who gets how much of what all tokens share, rule by rule."""

import asyncio

import pytest

from gateway.errors import TooManyQueries
from gateway.live.allotment import ANEW_SECONDS, Allotment, in_turns
from gateway.live.hub import Hub
from gateway.live.paint_ages import INTERVAL_SECONDS, PaintAges
from gateway.live.protocol import FRAMES
from gateway.live.seats import ViewerSeat, ViewerSeats
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind, Withheld
from gateway.live.watch_list import MAX_WATCHED, WatchList
from gateway.security.allowance import Allowance
from gateway.security.turnstile import Turnstile

ALICE, BOB, CAROL = ("token alice",), ("token bob",), ("token carol",)


# --- the turnstile -----------------------------------------------------------------------------------------------


class Passages:
    """Passages through a turnstile that last until they are ended, in the order in which they were let in."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self._tasks: list[asyncio.Task[None]] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.inside: list[str] = []
        self.refused: list[str] = []

    async def ask(self, holders: tuple[str, ...], *names: str) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._pass(holders, name)))
        await self.settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, holders: tuple[str, ...], name: str) -> None:
        try:
            async with self._turnstile.passage(holders):
                self.inside.append(name)
                await self._ends[name].wait()
        except TooManyQueries:
            self.refused.append(name)


async def test_whoever_has_fewer_inside_goes_next_whenever_they_came() -> None:
    passages = Passages(Turnstile(width=2, queue=10, patience=5))
    await passages.ask(ALICE, "a1", "a2", "a3", "a4", "a5")
    await passages.ask(BOB, "b1", "b2")
    assert passages.inside == ["a1", "a2"]
    await passages.end("a1")
    await passages.end("a2")
    assert passages.inside[2:] == ["b1", "a3"]
    await passages.end("b1")
    assert passages.inside[4:] == ["b2"]
    await passages.close()


async def test_some_places_are_for_those_who_have_nobody_inside() -> None:
    passages = Passages(Turnstile(width=2, queue=10, patience=5, spare=1))
    await passages.ask(ALICE, "a1", "a2", "a3")
    assert passages.inside == ["a1", "a2"]
    await passages.ask(BOB, "b1", "b2")
    assert passages.inside == ["a1", "a2", "b1"]
    await passages.ask(CAROL, "c1")
    await passages.end("a1")
    assert passages.inside[3:] == ["c1"]
    await passages.close()


async def test_the_sessions_of_a_token_share_what_it_has() -> None:
    passages = Passages(Turnstile(width=1, queue=10, patience=5))
    await passages.ask(("token main", "session 1"), "1a", "1b", "1c")
    await passages.ask(("token main", "session 2"), "2a")
    await passages.end("1a")
    assert passages.inside == ["1a", "2a"]
    await passages.close()


async def test_cost_counts_and_not_the_number() -> None:
    """One long passage of Alice's is followed by several short ones of Bob's."""
    turnstile = Turnstile(width=1, queue=10, patience=5)
    async with turnstile.passage(ALICE):
        passages = Passages(turnstile)
        await passages.ask(ALICE, "a1", "a2")
        await passages.ask(BOB, "b1", "b2", "b3")
        await asyncio.sleep(0.05)
    await passages.settle()
    for name in ("b1", "b2", "b3"):
        assert passages.inside[-1] == name
        await passages.end(name)
    assert passages.inside == ["b1", "b2", "b3", "a1"]
    await passages.close()


async def test_to_have_asked_for_nothing_saves_nothing_up() -> None:
    turnstile = Turnstile(width=1, queue=10, patience=5)
    async with turnstile.passage(BOB):
        pass
    for _ in range(3):
        async with turnstile.passage(ALICE):
            await asyncio.sleep(0.02)
    passages = Passages(turnstile)
    async with turnstile.passage(CAROL):
        await passages.ask(ALICE, "a1")
        await passages.ask(BOB, "b1")
    await passages.settle()
    await asyncio.sleep(0.03)  # longer than what Alice's last passage cost more than where Bob began
    await passages.ask(BOB, "b2")
    await passages.end("b1")
    assert passages.inside == ["b1", "a1"]
    await passages.close()


async def test_a_full_queue_takes_from_who_has_most_in_it() -> None:
    passages = Passages(Turnstile(width=1, queue=4, patience=5))
    await passages.ask(ALICE, "a1", "a2", "a3", "a4", "a5", "a6")
    assert passages.refused == ["a6"]  # it waits for itself
    await passages.ask(BOB, "b1", "b2", "b3")
    assert sorted(passages.refused) == ["a4", "a5", "a6", "b3"]
    await passages.close()


async def test_after_a_passage_there_is_a_rest() -> None:
    turnstile = Turnstile(width=1, queue=4, patience=5, rest=1.0)
    loop = asyncio.get_running_loop()
    async with turnstile.passage(ALICE):
        await asyncio.sleep(0.05)
    left = loop.time()
    async with turnstile.passage(BOB):
        assert loop.time() - left >= 0.045


async def test_who_is_cancelled_leaves_no_trace() -> None:
    turnstile = Turnstile(width=1, queue=4, patience=5)
    async with turnstile.passage(ALICE):
        waiting = [asyncio.create_task(turnstile.enter(BOB)) for _ in range(3)]
        await asyncio.sleep(0)
        assert turnstile.waiting == 3
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert turnstile.waiting == 0
    async with turnstile.passage(CAROL):
        let_in = asyncio.create_task(turnstile.enter(BOB))
        await asyncio.sleep(0)
    let_in.cancel()  # in the same moment in which it was let in
    await asyncio.gather(let_in, return_exceptions=True)
    async with asyncio.timeout(1), turnstile.passage(CAROL):
        pass


# --- seats -------------------------------------------------------------------------------------------------------


class Room:
    """ViewerSeats, and whose were taken away."""

    def __init__(self, limit: int = 0, per_address: int = 0, per_token: int = 0) -> None:
        self.seats = ViewerSeats(limit, per_address, per_token)
        self.ended: list[str] = []

    def take(self, token: str, session: str = "", address: str = "") -> str | None:
        return self.seats.take(
            ViewerSeat(token, session, address, lambda: self.ended.append(token + session))
        )


def test_a_full_room_takes_a_seat_from_who_has_most() -> None:
    room = Room(limit=4)
    assert [room.take("greedy") for _ in range(5)] == [None, None, None, None, "full"]
    assert [room.take("wall") for _ in range(3)] == [None, None, "full"]
    assert room.ended == ["greedy", "greedy"]
    assert len(room.seats) == 4


def test_within_a_token_its_sessions_share() -> None:
    room = Room(limit=4)
    for _ in range(4):
        room.take("main", "1")
    assert room.take("main", "2") is None
    assert room.take("main", "2") is None
    assert room.take("main", "2") == "full"
    assert room.ended == ["main1", "main1"]


def test_an_address_s_seats_are_shared_by_its_tokens() -> None:
    room = Room(per_address=2)
    assert [room.take("greedy", address="10.0.0.1") for _ in range(3)] == [None, None, "address"]
    assert room.take("greedy", address="10.0.0.2") is None
    assert room.take("wall", address="10.0.0.1") is None
    assert (room.ended, len(room.seats)) == (["greedy"], 3)
    assert [room.take("x", address=f"2001:db8::{n}") for n in range(3)] == [None, None, "address"]


def test_a_token_has_its_limit() -> None:
    room = Room(per_token=2)
    assert [room.take("a") for _ in range(3)] == [None, None, "token"]
    assert room.take("b") is None


# --- pictures ----------------------------------------------------------------------------------------------------


def test_lists_take_turns() -> None:
    assert list(in_turns([["a", "b", "c", "d"], ["b", "x"], [], ["y"]])) == ["a", "b", "y", "c", "x", "d"]


class Wall:
    """A hub with an allotment of so many places; all cameras are known but those that begin with `no`."""

    def __init__(self, places: int) -> None:
        self.hub = Hub()
        self.withheld = 0
        self.allotment = Allotment(
            self.hub, lambda camera_id: not camera_id.startswith("no"), self._note, places
        )
        self.now = 0.0

    def _note(self, viewer: Viewer, count: int) -> None:
        self.withheld += count

    def watch(
        self,
        holders: tuple[str, ...],
        pictures: set[str],
        viewer: Viewer | None = None,
        kind: ViewerKind = ViewerKind.DASHBOARD,
    ) -> Viewer:
        if viewer is None:
            viewer = Viewer(kind, lambda: None, holders)
            self.hub.join(viewer, Subscription(pictures=frozenset(pictures)), self.now)
        else:
            self.hub.subscribe(viewer, Subscription(pictures=frozenset(pictures)), self.now)
        return viewer

    def granted(self) -> frozenset[str]:
        self.now += ANEW_SECONDS
        return self.allotment.granted(self.now)


def names(prefix: str, count: int) -> set[str]:
    return {f"{prefix}{n}" for n in range(count)}


def test_cameras_that_nobody_knows_take_no_place() -> None:
    wall = Wall(places=10)
    greedy = wall.watch(ALICE, names("no", 200))
    other = wall.watch(BOB, names("b", 10))
    assert wall.granted() == names("b", 10)
    assert greedy.take_withheld() == Withheld(unknown=frozenset(names("no", 200)))
    assert (greedy.take_withheld(), other.take_withheld()) == (None, None)
    assert wall.withheld == 200


def test_every_token_sees_its_part_however_many_viewers_another_has() -> None:
    wall = Wall(places=30)
    greedy = [wall.watch(ALICE, names(f"a{n}-", 20)) for n in range(10)]
    assert len(wall.granted()) == 30
    bob, carol = wall.watch(BOB, names("b", 20)), wall.watch(CAROL, names("c", 5))
    granted = wall.granted()
    assert len(granted) == 30
    assert granted >= names("c", 5)
    assert len(granted & names("b", 20)) in (12, 13)
    told = [viewer.take_withheld() for viewer in (*greedy, bob)]
    assert all(each is not None and each.crowded and not each.crowded & granted for each in told)
    assert carol.take_withheld() is None
    wall.hub.leave(bob)
    for viewer in greedy:
        wall.hub.leave(viewer)
    assert wall.granted() == names("c", 5)


def test_sessions_and_their_viewers_share_what_a_token_has() -> None:
    wall = Wall(places=12)
    for _ in range(5):
        wall.watch(("token main", "session 1"), names("a", 10))
    wall.watch(("token main", "session 2"), names("b", 10))
    granted = wall.granted()
    assert (len(granted & names("a", 10)), len(granted & names("b", 10))) == (6, 6)


def test_what_is_seen_stays_while_others_come_and_go() -> None:
    wall = Wall(places=8)
    wall.watch(ALICE, names("a", 20))
    before = wall.granted()
    bob = wall.watch(BOB, names("b", 2))
    during = wall.granted()
    assert len(during & before) == 6
    wall.watch(BOB, {"b0", "b1", "b2"}, bob)
    assert wall.allotment.granted(wall.now) == during  # not shared out anew within the same second
    assert wall.granted() >= {"b0", "b1", "b2"}


def test_a_viewer_is_told_when_its_pictures_come_again() -> None:
    wall = Wall(places=1)
    first, second = wall.watch(ALICE, {"a"}), wall.watch(BOB, {"b"})
    (granted,) = wall.granted()
    loser, camera = (second, "b") if granted == "a" else (first, "a")
    assert loser.take_withheld() == Withheld(crowded=frozenset({camera}))
    wall.hub.leave(first if loser is second else second)
    assert wall.granted() == {camera}
    assert loser.take_withheld() == Withheld()


def test_a_client_that_gets_pictures_in_its_results_is_told_there() -> None:
    wall = Wall(places=0)
    viewer = wall.watch(ALICE, {"a"}, kind=ViewerKind.FRAMES)
    wall.granted()
    wall.hub.publish(Update("a", "a:1", 1.0, 10.0, b'{"camera_id":"a"}'))
    wall.hub.publish(Update("b", "b:1", 1.0, 10.0, b'{"camera_id":"b"}'))
    sent = FRAMES.next(viewer)
    assert b'{"camera_id":"a","frame_withheld":"crowded"}' in sent
    assert b'{"camera_id":"b"}' in sent


def test_what_is_wanted_goes_before_what_was() -> None:
    bound: set[str] = set()
    watch_list = WatchList(
        lambda camera_id, on: bound.add(camera_id) if on else bound.discard(camera_id), lambda cameras: None
    )
    watch_list.follow(frozenset(names("a", MAX_WATCHED)), 0.0)
    watch_list.follow(frozenset(names("b", 300)), 1.0)  # in the others' grace
    assert len(bound) == MAX_WATCHED
    assert bound >= names("b", 300)
    watch_list.follow(frozenset(names("b", 300)), 100.0)
    assert bound == names("b", 300)


def test_an_allowance_is_made_up_for() -> None:
    allowance = Allowance(per_second=10, at_once=20, sessions=2)
    main1, main2 = ("token main", "session 1"), ("token main", "session 2")
    assert allowance.book(main1, 20, 0.0) == 0
    assert allowance.book(main1, 5, 0.0) == pytest.approx(0.5)  # and nothing was used
    assert allowance.book(main1, 5, 0.5) == 0
    assert allowance.book(main2, 15, 0.5) == 0
    # The token's part is used up.
    assert allowance.book(("token main", "session 3"), 15, 0.5) == pytest.approx(0.25)
    assert allowance.book(BOB, 20, 0.5) == 0


# --- what dashboards report --------------------------------------------------------------------------------------


def test_nonsense_of_one_token_moves_no_figure() -> None:
    seen: list[float] = []
    ages = PaintAges(seen.append)
    for n in range(1_000):
        ages.add(("token liar", f"session {n}"), 3_600.0, 0.0)
    ages.add(ALICE, 0.2, 0.1)
    for age in (0.3, 0.1, 50.0):
        ages.add(BOB, age, 0.2)
    ages.tick(INTERVAL_SECONDS / 2)
    assert seen == []
    ages.tick(INTERVAL_SECONDS)
    ages.tick(2 * INTERVAL_SECONDS)
    assert seen == [0.3]
    ages.add(("token liar",), 3_600.0, 10.0)
    ages.add(ALICE, 0.2, 10.0)
    ages.tick(10.0 + INTERVAL_SECONDS)
    assert seen == [0.3, 0.2]
