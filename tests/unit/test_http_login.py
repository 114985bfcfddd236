"""Logging in to HTTP cameras: which way is taken, and what is sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from producer.sources.http.challenges import Challenge, challenges
from producer.sources.http.digest import strongest
from producer.sources.http.login import Login

ADDRESS = URL("http://camera/pic.jpg?size=1")
MD5 = 'Digest realm="c", nonce="n1", qop="auth"'
SHA256 = 'Digest realm="c", nonce="n2", qop="auth", algorithm=SHA-256'
SHA512 = 'Digest realm="c", nonce="n3", qop="auth", algorithm=SHA-512-256'
UNKNOWN = 'Digest realm="c", nonce="n4", qop="auth", algorithm=SHA3-512'
BASIC = 'Basic realm="c"'


def said(login: Login) -> str:
    return login.header(ADDRESS) or "nothing"


@pytest.mark.parametrize(
    ("offers", "sent"),
    [
        ([BASIC], "Basic bWU6c2VjcmV0"),
        ([MD5], 'nonce="n1"'),
        ([BASIC, MD5], 'nonce="n1"'),
        ([f"{BASIC}, {MD5}"], 'nonce="n1"'),
        ([f"{MD5}, {BASIC}"], 'nonce="n1"'),
        ([MD5, SHA256], 'nonce="n2"'),
        ([f"{SHA512}, {SHA256}", MD5], 'nonce="n3"'),
        ([UNKNOWN, SHA256, BASIC], 'nonce="n2"'),
        (["Negotiate", "NTLM TlRMTVNTUAAC==", 'Bearer realm="x"', MD5], 'nonce="n1"'),
        (['Basic realm="Digest, yes, Digest"'], "Basic bWU6c2VjcmV0"),
        (["bAsIc"], "Basic bWU6c2VjcmV0"),
        ([MD5.replace("Digest", "DIGEST").replace('"auth"', "AUTH").replace(", ", " , ")], 'nonce="n1"'),
        (['Digest realm="c" nonce="n1" qop=auth, auth-int'], "qop=auth,"),
        (['Digest realm="c", nonce="n1", qop="auth-int"'], "qop=auth-int,"),
        (['Digest realm="c", nonce="n1", algorithm=md5-sess, qop="auth"'], "algorithm=md5-sess"),
    ],
)
def test_the_strongest_way_that_is_offered_is_taken(offers: list[str], sent: str) -> None:
    login = Login("me", "secret")
    assert said(login) == "nothing", "nothing is sent before it is asked for"
    assert login.learns(offers, again=False)
    assert sent in said(login)


@pytest.mark.parametrize(
    ("offers", "trouble"),
    [
        ([UNKNOWN], "SHA3-512"),
        ([UNKNOWN, BASIC], "SHA3-512"),
        ([f"{BASIC}, {UNKNOWN}"], "SHA3-512"),
        (['Digest realm="without a nonce"', BASIC], "Digest"),
        (['Digest realm="c", nonce="n", qop="token"', BASIC], "qop token"),
        (["NTLM", 'Bearer realm="x"'], "ntlm, bearer"),
        ([], "without saying how"),
        ([""], "without saying how"),
    ],
)
def test_a_login_that_is_not_known_is_named_and_the_password_not_sent(
    offers: list[str], trouble: str
) -> None:
    login = Login("me", "secret")
    assert not login.learns(offers, again=False)
    assert said(login) == "nothing"
    assert trouble in (login.trouble or "")


def test_who_once_offered_digest_does_not_get_the_password_itself_later() -> None:
    login = Login("me", "secret")
    login.learns([MD5], again=False)
    assert not login.learns([BASIC], again=False)
    assert said(login) == "nothing"
    assert "restart the producer" in (login.trouble or "")


def test_without_a_login_nothing_is_sent() -> None:
    login = Login(None, None)
    assert not login.learns([BASIC, MD5], again=False)
    assert said(login) == "nothing"


def test_a_wrong_password_is_tried_once_and_a_nonce_that_aged_again() -> None:
    login = Login("me", "wrong")
    assert login.learns([MD5], again=False)
    assert login.learns([MD5 + ", stale=TRUE"], again=True)
    assert not login.learns([MD5 + ", stale=false"], again=True)
    assert not Login("me", "x").learns([], again=True)
    basic = Login("me", "wrong")
    assert basic.learns([BASIC], again=False)
    assert not basic.learns([BASIC], again=True)


def test_the_requests_of_a_nonce_are_counted() -> None:
    login = Login("me", "secret")
    login.learns([MD5], again=False)
    counts = [re.search("nc=([0-9a-f]+)", said(login)) for _ in range(3)]
    assert [count and count[1] for count in counts] == ["00000001", "00000002", "00000003"]


# The examples of RFC 7616 §3.9.1 and of RFC 2069 as its erratum corrects it.
MUFASA = {
    "realm": "http-auth@example.org",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "qop": "auth, auth-int",
}


@pytest.mark.parametrize(
    ("fields", "user", "password", "uri", "cnonce", "response"),
    [
        (
            MUFASA | {"algorithm": "MD5"},
            "Mufasa",
            "Circle of Life",
            "/dir/index.html",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            MUFASA | {"algorithm": "SHA-256"},
            "Mufasa",
            "Circle of Life",
            "/dir/index.html",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            {"realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093"},
            "Mufasa",
            "CircleOfLife",
            "/dir/index.html",
            "",
            "1949323746fe6a43ef61f9606e7febea",
        ),
    ],
)
def test_the_examples_of_the_standards(
    fields: dict[str, str],
    user: str,
    password: str,
    uri: str,
    cnonce: str,
    response: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: cnonce)
    digest = strongest([Challenge("digest", fields)], user, password)
    assert digest is not None
    answer = digest.answer("GET", uri)
    assert f'response="{response}"' in answer


def test_a_name_that_shall_not_be_sent_is_hashed() -> None:
    """RFC 7616 §3.9.2, as erratum 4897 corrects it."""
    fields = {"realm": "api@example.org", "nonce": "n", "algorithm": "SHA-512-256", "userhash": "true"}
    digest = strongest([Challenge("digest", fields)], "J\u00e4s\u00f8n Doe", "Secret, or not?")
    assert digest is not None
    answer = digest.answer("GET", "/doe.json")
    assert (
        'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true' in answer
    )


def test_names_that_are_not_ascii_and_quotes() -> None:
    offer = Challenge("digest", {"realm": 'a "b" \\c', "nonce": "n", "opaque": 'o"'})
    digest = strongest([offer], 'm"e', "x")
    assert digest is not None
    answer = digest.answer("GET", "/")
    assert r'username="m\"e"' in answer
    assert r'realm="a \"b\" \\c"' in answer
    assert r'opaque="o\""' in answer
    umlaut = strongest([Challenge("digest", {"nonce": "n", "charset": "utf-8"})], "J\u00e4", "x")
    assert umlaut is not None
    assert "username*=UTF-8''J%C3%A4" in umlaut.answer("GET", "/")


def test_what_is_quoted_is_read_as_it_is_meant() -> None:
    (found,) = challenges([r'Digest realm="a, \"b\" = DOM\x, Basic", nonce = "n=="   ,, opaque=,stale="TRUE'])
    assert found.scheme == "digest"
    assert found.fields == {"realm": 'a, "b" = DOM\\x, Basic', "nonce": "n==", "opaque": "", "stale": "TRUE"}


@given(st.lists(st.text(), max_size=3))
def test_whatever_is_offered_something_is_made_of_it(offers: list[str]) -> None:
    login = Login("me", "secret")
    if login.learns(offers, again=False):
        assert said(login).startswith(("Basic ", "Digest "))
    digest = Login("me", "secret")
    digest.learns([f"{offer}, {MD5}" for offer in offers] or [MD5], again=False)
    assert not said(digest).startswith("Basic")
