"""Who may be wrong how often: an address, a network, and everybody together."""

import pytest

from gateway.errors import TooManyGuesses
from gateway.security.guesses import MAX_ADDRESSES, WINDOW_SECONDS, Guesses, network_of


def guess(guesses: Guesses, address: str, *secrets: str, wall: float = 100.0) -> None:
    for secret in secrets:
        guesses.wrong(address, secret, wall)


def test_an_address_is_shut_out_and_let_in_again() -> None:
    guesses = Guesses(per_address=2)
    guess(guesses, "10.0.0.1", "a", "b")
    with pytest.raises(TooManyGuesses) as first:
        guesses.check("10.0.0.1", 101.0)
    with pytest.raises(TooManyGuesses) as second:
        guesses.check("10.0.0.1", 102.0)
    assert (first.value.first, second.value.first) == (True, False)
    guesses.check("10.0.0.2", 101.0)
    guesses.check("10.0.0.1", 100.0 + WINDOW_SECONDS)
    guesses.check("10.0.0.1", 50.0)  # the clock was set back


def test_a_whole_ipv6_network_counts_as_one() -> None:
    guesses = Guesses(per_address=3)
    for host in range(3):
        guess(guesses, f"2001:db8:1:2:{host}::7", f"guess {host}")
    with pytest.raises(TooManyGuesses):
        guesses.check("2001:db8:1:2:ffff::1", 101.0)
    guesses.check("2001:db8:1:3::1", 101.0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_many_addresses_together_shut_out_strangers_only() -> None:
    guesses = Guesses(per_address=10, in_all=50)
    guesses.right("10.0.0.1")
    for number in range(50):
        guesses.check(f"192.0.2.{number}", 100.0)
        guess(guesses, f"192.0.2.{number}", "a guess of its own")
    with pytest.raises(TooManyGuesses):
        guesses.check("198.51.100.1", 101.0)
    guesses.check("10.0.0.1", 101.0)  # has been right before
    guesses.check("198.51.100.1", 100.0 + WINDOW_SECONDS)


def test_repeating_is_no_guessing() -> None:
    guesses = Guesses(per_address=2, in_all=3)
    assert guesses.wrong("10.0.0.1", "old", 100.0)
    for _ in range(10):
        assert not guesses.wrong("10.0.0.1", "old", 100.0)
    guesses.check("10.0.0.1", 100.0)
    guesses.check("10.0.0.2", 100.0)


def test_memory_is_bounded() -> None:
    guesses = Guesses(in_all=10**9)
    for number in range(MAX_ADDRESSES + 50):
        guesses.wrong(f"net {number}", "x", 100.0)
        guesses.right(f"net {number}")
    assert len(guesses._tries) == len(guesses._known) == MAX_ADDRESSES
