"""Producers that share cameras: the rules, and simulated fleets in which members come, go, die and lose touch."""

import random
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.status import HEARTBEAT_SECONDS
from producer.cluster.sharing import DEAF_AFTER, MEMBER_TIMEOUT, SETTLE, Member, Sharing
from tests.helpers.members import TICK, Fleet

CAMERAS = 1_000
CAMERA_IDS = [f"cam-{n}" for n in range(12)]
LATE = 2 * TICK + 0.15  # seconds: a tick, its rounding, and three messages on their way
AFTER_DEATH = MEMBER_TIMEOUT + LATE


def settled(members: int, seed: int = 0) -> Fleet:
    fleet = Fleet(CAMERAS, seed)
    for n in range(members):
        fleet.start(f"producer-{n}")
    fleet.run(5)
    assert fleet.exact
    fleet.forget_past()
    return fleet


def introduced(offers: Mapping[str, Iterable[str]]) -> list[Sharing]:
    """Members by name with what they could serve, who all have heard themselves and each other at 0."""
    everybody = [Sharing(Member(name, 0.0), cameras) for name, cameras in offers.items()]
    for one in everybody:
        one.heard(one.member, "", 0.0)
    for one in everybody:
        for other in everybody:
            one.heard(other.member, other.offer(0.0), 0.0)
    return everybody


# --- members come and go ----------------------------------------------------------------------------------


def test_a_producer_that_is_alone_serves_everything_after_a_second() -> None:
    fleet = Fleet(CAMERAS)
    fleet.start("alone")
    fleet.run(10)
    assert fleet.exact
    assert SETTLE <= fleet.longest_gap <= SETTLE + LATE


@pytest.mark.parametrize("members", [3, 10])
def test_members_that_start_together_never_serve_a_camera_twice(members: int) -> None:
    fleet = Fleet(CAMERAS)
    for n in range(members):
        fleet.start(f"producer-{n}")
    fleet.run(5)
    assert fleet.exact
    assert fleet.longest_double == 0
    assert fleet.moves == CAMERAS


@pytest.mark.parametrize("seconds_after_its_heartbeat", [0.1, 1.0, HEARTBEAT_SECONDS - 0.1])
def test_the_cameras_of_a_killed_one_are_served_by_the_others_and_no_other_camera_moves(
    seconds_after_its_heartbeat: float,
) -> None:
    fleet = settled(3)
    fleet.run(1 + seconds_after_its_heartbeat)  # they said their last one at 4 s
    victim, *others = fleet.processes
    lost, kept = victim.running, [process.running for process in others]
    victim.kill()
    fleet.run(15)
    assert fleet.exact
    assert fleet.longest_gap <= AFTER_DEATH
    assert fleet.longest_double == 0
    assert fleet.moves == len(lost) > 0
    assert all(process.running > before for process, before in zip(others, kept, strict=True))


def test_two_of_five_killed_at_once() -> None:
    fleet = settled(5)
    for process in fleet.processes[:2]:
        process.kill()
    fleet.run(15)
    assert fleet.exact
    assert fleet.longest_gap <= AFTER_DEATH


def test_a_newcomer_gets_its_share_from_everybody_after_they_let_go() -> None:
    fleet = settled(4)
    before = [process.running for process in fleet.processes]
    newcomer = fleet.start("newcomer")
    fleet.run(5)
    assert fleet.exact
    assert fleet.longest_double == 0
    assert fleet.longest_gap <= SETTLE + LATE
    assert fleet.moves == len(newcomer.running)
    given_up = [old - process.running for process, old in zip(fleet.processes, before, strict=False)]
    assert all(given_up)
    assert frozenset().union(*given_up) == newcomer.running


def test_a_clean_stop_hands_over_at_once() -> None:
    fleet = settled(4)
    leaver = fleet.processes[1]
    lost = len(leaver.running)
    leaver.stop()
    fleet.run(5)
    assert fleet.exact
    assert fleet.longest_gap <= 0.1
    assert fleet.longest_double == 0
    assert fleet.moves == lost


def test_a_killed_one_that_starts_again_under_its_name_takes_its_cameras_back() -> None:
    fleet = settled(3)
    victim = fleet.processes[0]
    lost = victim.running
    victim.kill()
    fleet.run(1)
    again = fleet.start(victim.member.name)
    fleet.run(20)
    assert fleet.exact
    assert again.running == lost
    assert fleet.moves == len(lost)
    assert fleet.longest_gap <= 1 + SETTLE + LATE


def test_two_that_are_called_the_same_divide_what_falls_to_the_name() -> None:
    fleet = Fleet(CAMERAS)
    for name in ("twin", "other", "twin"):
        fleet.start(name)
        fleet.run(0.1)
    fleet.run(5)
    assert fleet.exact
    twins = [len(process.running) for process in fleet.processes if process.member.name == "twin"]
    assert sum(twins) == pytest.approx(CAMERAS / 2, rel=0.15)
    assert twins[0] == pytest.approx(twins[1], rel=0.25)


# --- the network fails ------------------------------------------------------------------------------------


def test_a_broker_that_goes_away_moves_nothing() -> None:
    fleet = settled(5)
    fleet.broker_up = False
    fleet.run(300)
    fleet.broker_up = True
    fleet.run(30)
    assert fleet.exact
    assert fleet.moves == 0


def test_who_died_while_the_broker_was_away_is_noticed_after_its_return() -> None:
    fleet = settled(3)
    fleet.broker_up = False
    fleet.run(20)
    fleet.processes[1].kill()
    fleet.run(20)
    fleet.broker_up = True
    fleet.forget_past()
    fleet.run(20)
    assert fleet.exact
    assert fleet.longest_gap <= HEARTBEAT_SECONDS + AFTER_DEATH


def test_halves_that_lose_touch_serve_everything_each_and_agree_when_they_meet_again() -> None:
    fleet = settled(6)
    half = set(fleet.processes[:2])
    fleet.loses = lambda sender, receiver: (sender in half) != (receiver in half)
    fleet.run(60)
    assert set(fleet.servers.values()) == {2}
    assert fleet.longest_gap == 0
    fleet.loses = lambda sender, receiver: False
    fleet.forget_past()
    fleet.run(10)
    assert fleet.exact
    assert fleet.longest_gap <= 0.1
    assert fleet.longest_double <= HEARTBEAT_SECONDS + 0.1


def test_heartbeats_lost_now_and_then_move_nothing() -> None:
    fleet = settled(5)
    fleet.loses = lambda sender, receiver: fleet.random.random() < 0.05  # five in a row: once in 3 million
    fleet.run(600)
    assert fleet.exact
    assert fleet.moves == 0


def test_who_cannot_hear_is_taken_over_and_comes_back() -> None:
    fleet = settled(4)
    deaf, *others = fleet.processes
    served = deaf.running
    fleet.loses = lambda sender, receiver: receiver is deaf
    fleet.run(DEAF_AFTER + HEARTBEAT_SECONDS + AFTER_DEATH)
    assert served <= frozenset().union(*(process.running for process in others))
    fleet.loses = lambda sender, receiver: False
    fleet.forget_past()
    fleet.run(10)
    assert fleet.exact
    assert deaf.running == served


@pytest.mark.parametrize("seconds", [5.0, 25.0])
def test_a_process_that_was_halted_does_not_believe_that_it_is_alone(seconds: float) -> None:
    fleet = settled(4)
    fleet.processes[0].halt(seconds)
    fleet.run(seconds + 20)
    assert fleet.exact
    assert fleet.longest_gap <= min(seconds, AFTER_DEATH) + 0.1
    assert fleet.longest_double <= 0.5


@pytest.mark.parametrize("seed", range(6))
def test_an_hour_of_anything(seed: int) -> None:
    fleet = settled(3 + seed, seed)
    chance = random.Random(seed)
    for number in range(150):
        fleet.run(chance.uniform(14, 34))
        alive = fleet.alive
        what = chance.choice(["start", "kill", "stop", "halt", "outage", "again"])
        if what in ("kill", "stop") and len(alive) > 3:
            getattr(chance.choice(alive), what)()
        elif what == "again":
            process = chance.choice(alive)
            process.kill()
            fleet.start(process.member.name)
        elif what == "halt":
            chance.choice(alive).halt(chance.uniform(1, 13))
        elif what == "outage":
            fleet.broker_up = False
            fleet.run(chance.uniform(1, 60))
            fleet.broker_up = True
        elif len(alive) < 10:
            fleet.start(f"producer-{seed}-{number}")
    fleet.run(30)
    assert fleet.exact
    assert fleet.longest_gap <= AFTER_DEATH + SETTLE + LATE
    assert fleet.longest_double <= HEARTBEAT_SECONDS


# --- the files differ -------------------------------------------------------------------------------------


def test_a_changed_file_that_reaches_one_producer_after_the_other_moves_only_what_changed() -> None:
    fleet = settled(3)
    new = [*fleet.cameras[100:], "brand-new"]
    fleet.servers["brand-new"] = 0
    fleet.cameras.append("brand-new")
    fleet.forget_past()
    for process in fleet.processes:
        process.reload(new)
        fleet.run(7)
        assert fleet.servers["brand-new"] == 1
        assert all(fleet.servers[camera_id] == 1 for camera_id in new)
    assert all(fleet.servers[camera_id] == 0 for camera_id in fleet.cameras[:100])
    assert fleet.longest_double <= 0.1
    # The cameras that the first files no longer had moved to who still had them, the new one at most twice.
    assert fleet.moves <= 2 * 100 + 3


OFFERS = st.lists(st.frozensets(st.sampled_from(CAMERA_IDS)), min_size=1, max_size=6)


@given(offers=OFFERS, chance=st.randoms(use_true_random=False))
def test_whatever_each_could_serve_every_camera_ends_up_with_exactly_one(
    offers: list[frozenset[str]], chance: random.Random
) -> None:
    everybody = introduced({f"p{n}": offer for n, offer in enumerate(offers)})
    shares: list[frozenset[str]] = []
    for _ in range(len(everybody) + 1):
        for one in chance.sample(everybody, len(everybody)):
            share = one.share(SETTLE)
            for other in everybody:
                other.serves(one.member, share)
        shares = [one.share(SETTLE) for one in everybody]
    assert sorted(camera_id for share in shares for camera_id in share) == sorted(frozenset().union(*offers))


def test_who_shares_nothing_is_no_member() -> None:
    sharing = Sharing(Member("us", 1.0), ["gate"])
    sharing.heard(sharing.member, "", 0.0)
    assert not sharing.heard(Member("old version", 1.0), "", 0.0)
    sharing.serves(Member("old version", 1.0), ["gate"])
    assert sharing.members == [sharing.member]
    assert sharing.share(SETTLE) == {"gate"}


# --- the hash ---------------------------------------------------------------------------------------------


def test_shares_are_as_even_as_chance_makes_them() -> None:
    """Pearson's chi-square of the camera counts, over many fleets: its mean is the degrees of freedom."""
    chance = random.Random(5)
    ratios = []
    for _ in range(60):
        members = chance.randint(3, 10)
        names = [f"{chance.getrandbits(48):012x}" for _ in range(members)]  # as containers are called
        cameras = [f"cam-{n}" for n in range(300)]
        everybody = introduced(dict.fromkeys(names, cameras))
        counts = [len(one.share(SETTLE)) for one in everybody]
        assert sum(counts) == len(cameras)
        even = len(cameras) / members
        ratios.append(sum((count - even) ** 2 / even for count in counts) / (members - 1))
    assert sum(ratios) / len(ratios) == pytest.approx(1.0, abs=0.25)


def test_every_process_computes_the_same_weights() -> None:
    """Known shares: a change of the hash would have old and new producers serve cameras twice or not at all."""
    everybody = introduced(dict.fromkeys(("east", "north", "west"), CAMERA_IDS))
    shares = [sorted(int(camera_id[4:]) for camera_id in one.share(SETTLE)) for one in everybody]
    assert {one.offer(0.0) for one in everybody} == {"4aa8275b5c76b6b1"}
    assert shares == [[2, 3, 7], [1, 5, 9, 10, 11], [0, 4, 6, 8]]
