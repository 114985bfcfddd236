"""Who is here: windows and their borders, midnight, clocks that jump, floods, and what a device is."""

import random
from collections.abc import Iterable

import pytest

from gateway.attendance.batch import Batch
from gateway.attendance.buckets import Buckets
from gateway.attendance.devices import MAX_AGENT, Devices, device_of
from gateway.attendance.identities import (
    EPOCH_MINUTES,
    Salts,
    Visitor,
    epoch_of,
    epochs_of,
    session_digest,
    user_digest,
)
from gateway.attendance.notes import agent_of
from gateway.attendance.register import AttendanceRegister
from gateway.attendance.stays import Stays
from gateway.attendance_figures import DEVICES, KINDS, Device, WindowMinutes

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)
WEB_VIEW = (
    "Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/110.0.0.0 Mobile Safari/537.36"
)
NOON = 20_000 * EPOCH_MINUTES * 60 + 12 * 3_600.0


class Clock:
    def __init__(self, wall: float) -> None:
        self.wall = wall

    def __call__(self) -> float:
        return self.wall


class Observed:
    def __init__(self) -> None:
        self.losses: dict[str, int] = {}
        self.stays: list[tuple[Device, float]] = []

    def lost(self, reason: str, count: int) -> None:
        self.losses[reason] = self.losses.get(reason, 0) + count

    def stayed(self, device: Device, seconds: float) -> None:
        self.stays.append((device, seconds))


def visitor(number: int, user: str = "main", agent: str = CHROME) -> Visitor:
    return Visitor(user, f"10.0.{number // 250}.{number % 250}", agent)


def sessions(register: AttendanceRegister, wall: float, minutes: int, device: str = "all") -> int:
    minute = int(wall) // 60
    return register.buckets.counts(epoch_of(minute), minute, minutes)["sessions"][device]


def a_register(wall: float = NOON) -> tuple[AttendanceRegister, Clock, Observed]:
    clock, observed = Clock(wall), Observed()
    return AttendanceRegister(WindowMinutes(), observed, clock=clock), clock, observed


# --- devices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (CHROME, "web_pc"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:119.0) Gecko/20100101 Firefox/119.0", "web_pc"),
        (IPHONE, "web_mobile"),
        (IPHONE.replace("Version/17.0", "CriOS/119.0"), "web_mobile"),
        ("Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/119.0 Firefox/119.0", "web_mobile"),
        (WEB_VIEW, "android"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ1A)", "android"),
        ("MyApp/1.0 CFNetwork/1335 Darwin/21.6.0", "ios"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("curl/7.88.1", "other"),
        ("Prometheus/2.42.0", "other"),
        ("Mozilla/5.0", "other"),
        ("\x00\xff" * 50, "other"),
    ],
)
def test_what_a_user_agent_runs_on(agent: str, device: str) -> None:
    assert device_of(agent) == device


def test_a_flood_of_agents_costs_bounded_time_and_memory() -> None:
    devices = Devices(known=100, new_at_once=50)
    devices.begin()
    found = [devices.of(f"{CHROME} {number}") for number in range(10_000)]
    assert found.count("web_pc") == 50
    assert found.count("other") == 9_950
    for _ in range(10):
        devices.begin()
        for number in range(50):
            devices.of(f"{CHROME} {random.random()} {number}")
    assert len(devices) == 100


def test_what_an_application_declares_goes_before_its_agent() -> None:
    devices = Devices()
    assert devices.of(CHROME, "ios") == "ios"
    assert devices.of(CHROME, "toaster") == "web_pc"


def test_of_a_long_agent_only_the_beginning_is_kept() -> None:
    scope = {"headers": [(b"host", b"x"), (b"user-agent", CHROME.encode() + b"x" * 100_000)]}
    assert len(agent_of(scope)) == MAX_AGENT
    assert device_of(agent_of(scope)) == "web_pc"
    assert agent_of({"headers": [(b"user-agent", b"\xff\xfe")]}) == "\xff\xfe"
    assert agent_of({"headers": []}) == ""


# --- identities ------------------------------------------------------------------------------------------------------


def test_a_session_is_its_user_its_place_and_its_agent() -> None:
    salt = Salts().of(1)
    kinds = [
        Visitor("a", "bc", "d"),
        Visitor("ab", "c", "d"),
        Visitor("a", "b", "cd"),
        Visitor("", "abc", "d"),
        Visitor("a", "bc", "\udcff"),
    ]
    assert len({session_digest(salt, each) for each in kinds}) == len(kinds)
    assert user_digest(salt, kinds[0]) == user_digest(salt, Visitor("a", "elsewhere", "other"))


def test_a_salt_is_forgotten_and_nothing_can_be_compared_afterwards() -> None:
    salts = Salts()
    before = session_digest(salts.of(7), visitor(1))
    assert session_digest(salts.of(7), visitor(1)) == before
    salts.keep([8])
    assert session_digest(salts.of(7), visitor(1)) != before


def test_only_the_last_window_before_midnight_is_hashed_twice() -> None:
    assert epochs_of(10 * EPOCH_MINUTES, 30) == (10,)
    assert epochs_of(11 * EPOCH_MINUTES - 31, 30) == (10,)
    assert epochs_of(11 * EPOCH_MINUTES - 30, 30) == (10, 11)
    assert epochs_of(11 * EPOCH_MINUTES - 1, 30) == (10, 11)


# --- windows ---------------------------------------------------------------------------------------------------------


async def test_a_request_is_counted_in_each_window_until_it_is_over() -> None:
    register, clock, _ = a_register()
    clock.wall = NOON + 59.9  # at a border: the next moment is another minute
    register.see(visitor(1))
    clock.wall = NOON + 60.1
    register.see(visitor(2))
    register.see(visitor(2))
    await register.flush()
    assert [sessions(register, clock.wall, minutes) for minutes in WindowMinutes()] == [2, 2, 2]
    clock.wall = NOON + 2 * 60
    await register.flush()
    assert [sessions(register, clock.wall, minutes) for minutes in WindowMinutes()] == [1, 2, 2]
    clock.wall = NOON + 7 * 60
    await register.flush()
    assert [sessions(register, clock.wall, minutes) for minutes in WindowMinutes()] == [0, 0, 2]
    clock.wall = NOON + 31 * 60
    await register.flush()
    assert [sessions(register, clock.wall, minutes) for minutes in WindowMinutes()] == [0, 0, 1]
    clock.wall = NOON + 40 * 60
    await register.flush()
    assert sessions(register, clock.wall, 30) == 0
    assert len(register.buckets) == 0


async def test_a_websocket_is_here_in_each_minute_until_it_is_closed() -> None:
    register, clock, observed = a_register()
    register.opened(visitor(1))
    register.opened(visitor(1))  # a second page
    register.closed(visitor(1))
    for minute in range(60):
        clock.wall = NOON + 60 * minute + 1
        await register.flush()
        assert sessions(register, clock.wall, 1) == 1
    register.closed(visitor(1))
    for minute in range(60, 66):
        clock.wall = NOON + 60 * minute + 1
        await register.flush()
    assert sessions(register, clock.wall, 1) == 0
    ((device, seconds),) = observed.stays
    assert device == "web_pc"
    assert seconds == pytest.approx(59 * 60, abs=120)


async def test_midnight_counts_nobody_twice_and_forgets_nobody() -> None:
    midnight = 20_001 * EPOCH_MINUTES * 60.0
    register, clock, observed = a_register(midnight - 600)
    for minute in range(-10, 25):
        clock.wall = midnight + 60 * minute
        for number in range(100):
            register.see(visitor(number))
        await register.flush()
        assert sessions(register, clock.wall, 30) == 100
    assert not observed.stays


async def test_a_clock_that_jumps_costs_what_it_jumped_over_and_no_more() -> None:
    register, clock, observed = a_register()
    register.opened(visitor(1))
    register.see(visitor(2))
    await register.flush()
    for wall in (NOON - 86_400 * 400, NOON + 86_400 * 400, NOON, NOON - 1):
        clock.wall = wall
        await register.flush()
        assert sessions(register, wall, 1) in (1, 2), "the WebSocket is still open"
        assert len(register.buckets) <= 8
    assert all(seconds >= 0 for _, seconds in observed.stays)


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_a_full_batch_asks_to_be_counted_and_loses_what_is_beyond() -> None:
    batch = Batch(most=3)
    assert [batch.add(1, visitor(number)) for number in (1, 1, 2, 3)] == [False, False, False, True]
    assert batch.add(2, visitor(3))
    assert not batch.add(1, visitor(3)), "it is there already"
    assert (len(batch), batch.lost) == (3, 1)


async def test_what_is_lost_is_counted() -> None:
    register, _, observed = a_register()
    for number in range(10_050):
        register.see(visitor(number))
    await register.flush()
    assert observed.losses == {"full": 50}


def test_stays_are_bounded_and_all_are_told() -> None:
    observed = Observed()
    stays = Stays(300, observed.stayed, most=100)
    for number in range(1_000):
        stays.seen([b"%d" % number], "other", 1_000.0 + number / 100)
    assert len(stays) == 100
    assert len(observed.stays) == 900
    stays.end_all()
    assert len(observed.stays) == 1_000


def test_a_stay_has_two_names_around_midnight_and_is_told_once() -> None:
    observed = Observed()
    stays = Stays(300, observed.stayed)
    stays.seen([b"today"], "web_pc", 0.0)
    stays.seen([b"today", b"tomorrow"], "web_pc", 100.0)
    stays.seen([b"tomorrow"], "web_pc", 200.0)
    stays.seen([b"tomorrow", b"the day after"], "web_pc", 250.0)
    stays.end_silent(600.0)
    assert observed.stays == [("web_pc", 250.0)]
    assert len(stays) == 0


# --- how right it is -------------------------------------------------------------------------------------------------


def fill(buckets: Buckets, minutes: Iterable[int], digests: list[bytes]) -> None:
    for minute in minutes:
        buckets.add(0, minute, "sessions", "web_pc", digests)


@pytest.mark.parametrize("people", [10, 1_000, 50_000])
def test_a_union_of_thirty_minutes_is_right_within_two_per_cent(people: int) -> None:
    draw = random.Random(people)
    everybody = [draw.randbytes(8) for _ in range(people)]
    buckets = Buckets(31)
    for minute in range(30):
        fill(buckets, [minute], everybody[minute::30] + everybody[: people // 10])
    count = buckets.counts(0, 30, 30)["sessions"]["all"]
    assert abs(count / people - 1) < 0.02
    assert people > 10 or count == people, "small counts are exact"


def test_users_of_two_devices_are_one_and_bots_are_apart() -> None:
    buckets = Buckets(31)
    for device in DEVICES:
        buckets.add(0, 5, "users", device, [b"somebody"])
    counts = buckets.counts(0, 5, 1)["users"]
    assert counts == dict.fromkeys(("all", *DEVICES), 1)
    only_bots = Buckets(31)
    only_bots.add(0, 5, "users", "bot", [b"a bot"])
    assert only_bots.counts(0, 5, 1)["users"]["all"] == 0
    assert only_bots.counts(0, 5, 1)["users"]["bot"] == 1


def test_kinds_and_devices_are_all_counted() -> None:
    counts = Buckets(31).counts(0, 5, 1)
    assert set(counts) == set(KINDS)
    assert all(set(each) == {"all", *DEVICES} for each in counts.values())


# --- what goes wrong -------------------------------------------------------------------------------------------------


async def test_a_flush_that_fails_does_not_end_the_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    register, clock, _ = a_register()
    monkeypatch.setattr(register.buckets, "add", lambda *_: 1 / 0)
    register.see(visitor(1))
    with pytest.raises(ZeroDivisionError):
        await register.flush()
    monkeypatch.undo()
    register.see(visitor(2))
    register.end()
    await register.run()
    assert sessions(register, clock.wall, 1) == 1
