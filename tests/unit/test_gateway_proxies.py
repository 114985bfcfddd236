"""What is believed of a proxy's word, and of whose."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.addresses import TrustedProxies
from gateway.security.proxies import PROXIED, ForwardedClient

TRUSTED = TrustedProxies(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.9, 203.0.113.5"], "203.0.113.5"),  # the first was written by the client
        ("10.0.0.1", ["198.51.100.9", "203.0.113.5, 10.0.0.2"], "203.0.113.5"),  # two proxies, two headers
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),  # trusted all the way
        ("10.0.0.1", ["203.0.113.5, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db9::7]:4711"], "2001:db9::7"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
def test_the_client_is_the_nearest_that_is_not_trusted(
    peer: str, forwarded: Sequence[str], client: str
) -> None:
    assert TRUSTED.client(peer, forwarded) == client


@given(st.lists(st.text(max_size=60), max_size=3))
def test_nothing_in_the_header_raises_and_a_client_cannot_hide_behind_it(spoofed: list[str]) -> None:
    assert TRUSTED.client("10.0.0.1", [*spoofed, "203.0.113.5"]) == "203.0.113.5"
    TRUSTED.client("10.0.0.1", spoofed)


@pytest.mark.parametrize("name", ["proxy.example", "10.0.0.0/33", "*"])
def test_names_are_no_networks(name: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        TrustedProxies([name])


async def seen(peer: str, public_url: str = "", **headers: str) -> Scope:
    """The scope behind the middleware."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    async def never(*_messages: Any) -> Any:
        raise AssertionError

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": "http", "scheme": "http", "client": (peer, 5), "headers": raw}
    await ForwardedClient(app, TRUSTED, public_url)(scope, never, never)
    return scopes[0]


SPOOFED = {
    "host": "gateway:8080",
    "x_forwarded_for": "203.0.113.5",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "fleet.example",
}


async def test_from_anybody_else_the_headers_mean_nothing() -> None:
    scope = await seen("203.0.113.99", **SPOOFED)
    assert (scope["client"][0], scope["scheme"]) == ("203.0.113.99", "http")
    assert (b"host", b"gateway:8080") in scope["headers"]
    assert PROXIED not in scope


async def test_a_trusted_proxy_is_believed() -> None:
    scope = await seen("192.0.2.1", **SPOOFED)
    assert (scope["client"][0], scope["scheme"]) == ("203.0.113.5", "https")
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"fleet.example"]
    assert PROXIED in scope
    strange = await seen("192.0.2.1", host="gateway:8080", x_forwarded_proto="gopher")
    assert (strange["scheme"], strange["client"][0]) == ("http", "192.0.2.1")


async def test_of_several_words_the_first_is_how_the_browser_came() -> None:
    """TLS ends at the outer proxy; the inner one adds how that came to it."""
    chained = {**SPOOFED, "x_forwarded_proto": "https, http", "x_forwarded_host": "fleet.example, inner:80"}
    scope = await seen("192.0.2.1", **chained)
    assert scope["scheme"] == "https"
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"fleet.example"]


async def test_the_public_url_goes_before_what_a_client_may_have_written() -> None:
    """A proxy passes X-Forwarded-Host on, as the client wrote it, unless it is told to set it."""
    for spoofed in (
        {**SPOOFED, "x_forwarded_host": "evil.example"},
        {**SPOOFED, "x_forwarded_proto": "http"},
    ):
        scope = await seen("192.0.2.1", "https://fleet.example:8443/below", **spoofed)
        assert [value for name, value in scope["headers"] if name == b"host"] == [b"fleet.example:8443"]
        assert scope["scheme"] == "https"
        assert scope["client"][0] == "203.0.113.5"
    scope = await seen("192.0.2.1", "http://fleet.example", **SPOOFED)
    assert scope["scheme"] == "https"  # what came by HTTPS did, whatever the setting says
    scope = await seen("203.0.113.99", "https://fleet.example", **SPOOFED)
    assert (b"host", b"gateway:8080") in scope["headers"]  # past the proxy it is reached as it is
