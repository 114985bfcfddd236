"""Who may do what, and from which page."""

import pytest
from starlette.datastructures import Headers

from gateway.security.origins import Origins
from gateway.tokens.roles import lesser, needed_role, suffices


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/api/cameras", "viewer"),
        ("HEAD", "/", "viewer"),
        ("POST", "/api/models/switch", "operator"),
        ("DELETE", "/api/models/switch", "operator"),
        ("POST", "/api/links", "operator"),
        ("POST", "/api/something/new", "operator"),
        ("PROPFIND", "/api/cameras", "operator"),
        ("POST", "/api/logout", "viewer"),
        ("POST", "/api/login", "viewer"),
        ("POST", "/api/login/other", "operator"),
        ("POST", "/api/prometheus/api/v1/query", "viewer"),
        ("POST", "/api/prometheus", "operator"),
    ],
)
def test_what_is_not_reading_is_the_operator_s(method: str, path: str, role: str) -> None:
    assert needed_role(method, path) == role


def test_roles_are_ordered() -> None:
    assert suffices("operator", "viewer")
    assert not suffices("viewer", "operator")
    assert lesser("operator", "viewer") == lesser("viewer", "operator") == "viewer"


ORIGINS = Origins(frozenset({"https://wall.example"}))


@pytest.mark.parametrize(
    ("origin", "host", "secure", "allowed"),
    [
        ("http://fleet:8080", "fleet:8080", False, True),
        ("HTTP://Fleet:8080", "fleet:8080", False, True),
        ("https://fleet", "fleet", True, True),
        ("https://fleet", "fleet:443", True, True),
        ("https://fleet", "fleet", False, True),  # behind a proxy that nobody named
        ("http://fleet", "fleet", True, False),  # a page that was not protected
        ("https://wall.example", "fleet", True, True),
        ("https://wall.example.evil", "fleet", True, False),
        ("http://fleet:8081", "fleet:8080", False, False),
        ("http://fleet.evil", "fleet", False, False),
        ("null", "null", False, False),
        ("", "", False, False),
        ("http://", "", False, False),
        ("file://", "", False, False),
        ("http://[", "[", False, False),
        ("http://fleet:http", "fleet:http", False, False),
        ("chrome-extension://fleet", "fleet", False, False),
    ],
)
def test_pages_of_our_own_and_of_those_named_may_connect(
    origin: str, host: str, secure: bool, allowed: bool
) -> None:
    assert ORIGINS.allow(origin, host, secure=secure) is allowed


def test_a_cookie_needs_a_browser_that_says_where_it_comes_from() -> None:
    for headers, own in (
        ({"origin": "http://fleet"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({}, False),
    ):
        assert ORIGINS.own_page(Headers(headers)) is own, headers


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("[::1]:8080", True),
        ("wall.example", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_without_a_token_only_our_own_names_are_answered(host: str, own: bool) -> None:
    assert ORIGINS.own_host(host) is own
