"""Tokens, sessions and one-time codes."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import TooManyGuesses
from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.security.auth import Authenticator, Identity
from gateway.security.codes import CODE_SECONDS, MAX_CODES, Codes
from gateway.security.credentials import cookie_of, token_of
from gateway.security.guesses import PER_ADDRESS, WINDOW_SECONDS
from gateway.security.keys import load_token
from gateway.security.sessions import RENEW_SECONDS, SESSION_SECONDS, BrowserSession, claimed, seal
from gateway.tokens import Keyring, add_token, revoke_token
from gateway.tokens.roles import Role
from gateway.tokens.strength import is_random, random_token

TOKEN = "correct horse battery"
OPERATOR = Identity(name="main", token_id="main")


def cookie(session: str, name: str = COOKIE) -> str:
    return f"theme=dark; {name}={session}"


def signed_in(authenticator: Authenticator, wall: float = 1000.0) -> str:
    """A Cookie header of somebody who has the main token."""
    return cookie(authenticator.new_session(OPERATOR, wall))


def test_without_a_token_everybody_is_the_operator() -> None:
    authenticator = Authenticator(None)
    assert not authenticator.required
    assert authenticator.identify("", "", "1.2.3.4", 0.0) == Identity()


def test_a_session_outlives_the_gateway_but_not_the_token() -> None:
    session = signed_in(Authenticator(TOKEN))
    assert TOKEN not in session
    assert Authenticator(TOKEN).identify("", session, "", 1001.0) is not None
    assert Authenticator("another token entirely").identify("", session, "", 1001.0) is None


def test_a_session_ends_and_is_renewed_before() -> None:
    authenticator = Authenticator(TOKEN)
    session = signed_in(authenticator)
    fresh = authenticator.identify("", session, "", 1001.0)
    older = authenticator.identify("", session, "", 1001.0 + RENEW_SECONDS)
    assert fresh is not None
    assert older is not None
    assert (fresh.renew, older.renew) == (False, True)
    assert fresh.expires == 1000.0 + SESSION_SECONDS
    assert authenticator.identify("", session, "", 1000.0 + SESSION_SECONDS) is None
    assert authenticator.identify("", session, "", 1.0) is None  # from the future


def test_sessions_cannot_be_forged_or_stretched() -> None:
    authenticator = Authenticator(TOKEN)
    value = authenticator.new_session(Identity("viewer", "main", "main"), 1000.0)
    version, token_id, role, begin, nonce, signature = value.split(".")
    other = "0" if signature[-1] != "0" else "1"
    for forged in (
        f"{version}.{token_id}.operator.{begin}.{nonce}.{signature}",
        f"{version}.{token_id}.{role}.2000.{nonce}.{signature}",
        f"{version}.00000000.{role}.{begin}.{nonce}.{signature}",
        f"{version}.{token_id}.{role}.{begin}.AAAAAAAAAAAA.{signature}",
        f"{version}.{token_id}.{role}.{begin}.{nonce}.{signature[:-1]}{other}",
        f"{version}.{token_id}.{role}.{begin}.{nonce}.",
        f"{token_id}.{role}.{begin}.{nonce}.{signature}",
        f".{signature}",
        signature,
        "",
        "é.é.é.é.é.é",
    ):
        assert authenticator.identify("", cookie(forged), "", 1001.0) is None, forged
    assert authenticator.identify("", cookie(value), "", 1001.0) is not None


def test_signing_out_ends_the_session_with_all_that_renewed_it() -> None:
    authenticator = Authenticator(TOKEN)
    first, other = signed_in(authenticator), signed_in(authenticator)
    identity = authenticator.identify("", first, "", 1001.0)
    assert identity is not None
    assert identity.session is not None
    renewed = cookie(authenticator.new_session(identity, 2000.0))
    assert authenticator.identify("", renewed, "", 2001.0) is not None
    authenticator.sign_out(identity, 2000.5)
    assert authenticator.identify("", first, "", 2001.0) is None
    assert authenticator.identify("", renewed, "", 2001.0) is None
    assert authenticator.identify("", other, "", 2001.0) is not None


def test_over_https_only_the_cookie_that_https_set_counts() -> None:
    authenticator = Authenticator(TOKEN)
    value = authenticator.new_session(OPERATOR, 1000.0)
    for name, secure, known in (
        (COOKIE, False, True),
        (COOKIE, True, False),
        (SECURE_COOKIE, True, True),
        (SECURE_COOKIE, False, False),
    ):
        found = authenticator.identify("", cookie(value, name), "", 1001.0, secure=secure)
        assert (found is not None) is known, (name, secure)


# --- further tokens --------------------------------------------------------------------------------------


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_a_further_token_has_its_role_name_and_end(tokens: Path) -> None:
    token = add_token(tokens, "wall", "viewer", 1000.0, 5000.0)
    authenticator = Authenticator(TOKEN, Keyring.load(tokens))
    found = authenticator.check(token, "", 2000.0)
    assert found is not None
    assert (found.role, found.name, found.expires) == ("viewer", "wall", 5000.0)
    session = cookie(authenticator.new_session(found, 2000.0))
    seen = authenticator.identify("", session, "", 2001.0)
    assert seen is not None
    assert (seen.role, seen.name, seen.expires) == ("viewer", "wall", 5000.0)
    assert authenticator.check(token, "", 5000.0) is None
    assert authenticator.identify("", session, "", 5000.0) is None
    assert authenticator.check(token[:-1] + ("A" if token[-1] != "A" else "B"), "", 2000.0) is None


def test_revoking_a_token_ends_it_its_sessions_and_the_links_made_with_it(tokens: Path) -> None:
    token = add_token(tokens, "anna", "operator", 1000.0, None)
    authenticator = Authenticator(TOKEN, Keyring.load(tokens))
    anna = authenticator.check(token, "", 1001.0)
    assert anna is not None
    session = cookie(authenticator.new_session(anna, 1001.0))
    code, _ = authenticator.new_code(anna, "viewer", 1001.0)
    revoke_token(tokens, "anna", 1002.0)
    assert set(authenticator.refresh(1002.0)) == set(anna.holders) == {f"token {anna.token_id}"}
    assert authenticator.check(token, "", 1003.0) is None
    assert authenticator.identify("", session, "", 1003.0) is None
    assert authenticator.redeem(code, "", 1003.0) is None


def test_who_has_the_file_of_hashes_can_sign_no_session(tokens: Path) -> None:
    token = add_token(tokens, "anna", "operator", 1000.0, None)
    anna = Authenticator(TOKEN, Keyring.load(tokens)).check(token, "", 1001.0)
    assert anna is not None
    forged = Authenticator("a main token that was made up", Keyring.load(tokens)).new_session(anna, 1001.0)
    assert Authenticator(TOKEN, Keyring.load(tokens)).identify("", cookie(forged), "", 1002.0) is None


# --- links -----------------------------------------------------------------------------------------------


def test_a_code_is_exchanged_once_and_grants_no_more_than_its_maker_has() -> None:
    authenticator = Authenticator(TOKEN)
    code, expires = authenticator.new_code(OPERATOR, "viewer", 1000.0)
    assert expires == 1000.0 + CODE_SECONDS
    found = authenticator.redeem(code, "", 1001.0)
    assert found is not None
    assert (found.role, found.name) == ("viewer", "main")
    assert authenticator.redeem(code, "", 1001.0) is None
    narrow, _ = authenticator.new_code(Identity("viewer", "main", "main"), "operator", 1000.0)
    limited = authenticator.redeem(narrow, "", 1001.0)
    assert limited is not None
    assert limited.role == "viewer"


def test_a_code_expires_and_very_many_push_out_the_oldest() -> None:
    codes = Codes()
    late, _ = codes.new("main", "viewer", 1000.0)
    assert codes.take(late, 1000.0 + CODE_SECONDS) is None
    oldest, _ = codes.new("main", "viewer", 1000.0)
    newest = [codes.new("main", "viewer", 1000.0)[0] for _ in range(MAX_CODES)][-1]
    assert codes.take(oldest, 1001.0) is None
    assert codes.take(newest, 1001.0) is not None


def test_wrong_codes_are_guesses_too() -> None:
    authenticator = Authenticator(TOKEN)
    code, _ = authenticator.new_code(OPERATOR, "operator", 100.0)
    for number in range(PER_ADDRESS):
        assert authenticator.redeem(f"guess-{number}", "evil", 100.0) is None
    with pytest.raises(TooManyGuesses):
        authenticator.redeem("one more", "evil", 101.0)
    with pytest.raises(TooManyGuesses):
        authenticator.check(TOKEN, "evil", 101.0)
    assert authenticator.redeem(code, "evil", 101.0) is not None  # 192 random bits: no guess


# --- guessing (more in test_gateway_guesses) -------------------------------------------------------------


def test_different_wrong_tokens_are_guesses_and_end_for_a_while() -> None:
    told: list[str] = []
    authenticator = Authenticator(TOKEN, on_guess=told.append)
    for number in range(PER_ADDRESS):
        assert authenticator.check(f"guess {number}", "evil", 100.0) is None
    with pytest.raises(TooManyGuesses):
        authenticator.check(TOKEN, "evil", 101.0)
    assert authenticator.check(TOKEN, "friend", 101.0)
    assert authenticator.check(TOKEN, "evil", 100.0 + WINDOW_SECONDS)
    assert told == ["evil"] * PER_ADDRESS


def test_who_has_a_further_token_is_not_shut_out_by_guesses_from_the_same_address(tokens: Path) -> None:
    token = add_token(tokens, "grafana", "viewer", 1.0, None)
    authenticator = Authenticator(TOKEN, Keyring.load(tokens))
    for number in range(PER_ADDRESS):
        authenticator.check(f"guess {number}", "proxy", 100.0)
    with pytest.raises(TooManyGuesses):
        authenticator.check(TOKEN, "proxy", 101.0)
    assert authenticator.check(token, "proxy", 101.0) is not None


def test_who_has_a_random_main_token_is_not_shut_out_either() -> None:
    # The second as `openssl rand -hex 32`.
    for token in (
        random_token(),
        "8f3c0b9ad27e416590f1c8e4b7d3a52c" * 2,
    ):
        authenticator = Authenticator(token)
        for number in range(PER_ADDRESS):
            authenticator.check(f"guess {number}", "127.0.0.1", 100.0)
        with pytest.raises(TooManyGuesses):
            authenticator.check("one more guess", "127.0.0.1", 101.0)
        assert authenticator.check(token, "127.0.0.1", 101.0) is not None


@pytest.mark.parametrize(
    "chosen",
    [
        "correct horse battery staple and some more words to make it a long one",
        "correct-horse-battery-staple-and-some-more-words-for-the-length",
        "passwordpasswordpasswordpasswordpassword12345",
        "0123456789" * 7,
        "a" * 64,
        "abc123" * 11,
        "a-token-of-the-test-suite",
        "",
    ],
)
def test_a_token_that_somebody_chose_is_not_taken_for_a_random_one(chosen: str) -> None:
    assert not is_random(chosen)


def test_a_token_that_we_make_is_seen_to_be_random() -> None:
    assert all(is_random(random_token()) and len(random_token()) == 43 for _ in range(200))


def test_one_wrong_token_again_and_again_is_no_guessing() -> None:
    authenticator = Authenticator(TOKEN)
    for _ in range(5 * PER_ADDRESS):
        assert authenticator.check("old token", "proxy", 100.0) is None
    assert authenticator.check(TOKEN, "proxy", 100.0)


def test_the_cookie_counts_no_guess() -> None:
    authenticator = Authenticator(TOKEN)
    for number in range(5 * PER_ADDRESS):
        assert authenticator.identify("", cookie(f"{number}.a.b"), "wall", 100.0) is None
    assert authenticator.check(TOKEN, "wall", 100.0)


# --- headers ---------------------------------------------------------------------------------------------


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("", None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        (basic(b"user:pass:word"), "pass:word"),
        (basic(b":abc"), "abc"),
        (basic(b"abc"), ""),
        (basic(b"\xff:\xff"), ""),
        ("Basic ***", ""),
        ("Basic é", ""),
        ("Negotiate abc", ""),
    ],
)
def test_the_token_in_a_header(header: str, token: str | None) -> None:
    assert token_of(header) == token


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_lets_anybody_in_or_raises(header: str) -> None:
    authenticator = Authenticator(TOKEN)
    for authorization in (header, f"Bearer {header}", f"Basic {header}"):
        assert token_of(authorization) != TOKEN
        assert authenticator.identify(authorization or "Bearer", header, "1.2.3.4", 1000.0) is None
    assert authenticator.identify("", cookie(header), "1.2.3.4", 1000.0) is None


@given(st.text(st.characters(max_codepoint=255, exclude_characters=";"), max_size=40))
def test_a_cookie_is_found_among_any_others(junk: str) -> None:
    assert cookie_of(f"{junk}; {COOKIE}=abc.def; {junk}", COOKIE) in (
        "abc.def",
        junk.partition("=")[2].strip(' "'),
    )
    assert cookie_of(f"a{junk}; {COOKIE}=abc", COOKIE) == "abc"
    assert cookie_of(f"x{COOKIE}=abc", COOKIE) == ""


@given(
    st.sampled_from(["main", "0a1b2c3d"]),
    st.sampled_from(["viewer", "operator"]),
    st.integers(0, 10**12 - 1),
    st.from_regex(r"[A-Za-z0-9_-]{12}", fullmatch=True),
    st.binary(min_size=32, max_size=32),
)
def test_a_sealed_session_reads_as_what_it_was(
    token_id: str, role: Role, begin: int, nonce: str, key: bytes
) -> None:
    session = BrowserSession(token_id, role, begin, nonce)
    claim = claimed(seal(session, key))
    assert claim is not None
    assert claim[0] == session


def test_the_token_is_made_once_and_is_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    token = load_token(folder)
    assert len(token) >= 40
    assert load_token(folder) == token
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    (folder / "token").write_text("\n")
    assert load_token(folder) not in ("", token)
