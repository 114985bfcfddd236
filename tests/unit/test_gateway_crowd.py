"""Who holds how many connections, and who makes room."""

from gateway.security.crowd import Crowd, Shares


def nobody(_address: str) -> bool:
    return False


def test_an_address_has_its_share_and_gets_it_back() -> None:
    shares = Shares(2)
    assert [shares.take("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert shares.take("10.0.0.2")
    shares.give_back("10.0.0.1")
    assert shares.take("10.0.0.1")
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        shares.give_back(address)
    assert len(shares) == 0


def test_ipv6_neighbours_share() -> None:
    shares = Shares(2)
    assert [shares.take(f"2001:db8::{host}") for host in range(3)] == [True, True, False]


def test_no_limit_is_no_limit() -> None:
    shares = Shares(0)
    assert all(shares.take("10.0.0.1") for _ in range(1000))


def test_some_addresses_are_spared() -> None:
    crowd = Crowd(10, 1, lambda address: address == "127.0.0.1")
    assert [crowd.admit(n, "127.0.0.1") for n in range(3)] == [None] * 3
    assert [crowd.admit(n, "10.0.0.1") for n in range(3, 5)] == [None, "address"]
    for n in range(5):
        crowd.leave(n)
    assert crowd.admit(6, "10.0.0.1") is None
    assert len(crowd) == 1


def test_the_longest_idle_makes_room_and_the_busy_stay() -> None:
    crowd = Crowd(3, 0, nobody)
    ended: list[int] = []
    for n in range(3):
        assert crowd.admit(n, f"10.0.0.{n}") is None
        crowd.idle(n, lambda n=n: ended.append(n))  # type: ignore[misc]
    crowd.busy(0)
    crowd.idle(1, lambda: ended.append(99))  # it was idle already
    assert crowd.admit(3, "10.0.0.9") is None
    assert ended == [1]
    crowd.idle(0, lambda: ended.append(0))
    assert crowd.admit(4, "10.0.0.9") is None
    assert ended == [1, 2]
    crowd.busy(0)
    assert crowd.admit(5, "10.0.0.9") == "connections"
    crowd.leave(1)  # when its socket really closes: it is counted out already
    assert len(crowd) == 3


def test_who_is_over_the_share_pushes_nobody_out() -> None:
    crowd = Crowd(2, 1, nobody)
    ended: list[str] = []
    crowd.admit("friend", "10.0.0.1")
    crowd.idle("friend", lambda: ended.append("friend"))
    crowd.admit("greedy", "10.0.0.2")
    assert crowd.admit("more", "10.0.0.2") == "address"
    assert ended == []
    assert crowd.admit("stranger", "10.0.0.3") is None
    assert ended == ["friend"]
