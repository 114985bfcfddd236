"""The token, sessions and guesses."""

import base64
import stat
from pathlib import Path

import pytest

from gateway.auth import (
    COOKIE,
    GUESS_SECONDS,
    GUESSES,
    RENEW_SECONDS,
    SESSION_SECONDS,
    Authenticator,
    TooManyGuesses,
    load_token,
    token_of,
)

TOKEN = "correct horse battery"


def cookie(session: str) -> str:
    return f"theme=dark; {COOKIE}={session}"


def test_without_a_token_everybody_is_the_operator() -> None:
    authenticator = Authenticator(None)
    assert not authenticator.required
    assert authenticator.identify("", "", "1.2.3.4", 0.0) is not None


def test_a_session_outlives_the_gateway_but_not_the_token() -> None:
    session = Authenticator(TOKEN).new_session(1000.0)
    assert TOKEN not in session
    assert Authenticator(TOKEN).identify("", cookie(session), "", 1001.0) is not None
    assert Authenticator("another token entirely").identify("", cookie(session), "", 1001.0) is None


def test_a_session_ends_and_is_renewed_before() -> None:
    authenticator = Authenticator(TOKEN)
    session = cookie(authenticator.new_session(1000.0))
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
    begin, nonce, signature = authenticator.new_session(1000.0).split(".")
    for forged in (
        f"2000.{nonce}.{signature}",
        f"{begin}.other.{signature}",
        f"{begin}.{nonce}.{signature[:-1]}0"
        if signature[-1] != "0"
        else f"{begin}.{nonce}.{signature[:-1]}1",
        f"{begin}.{nonce}.",
        f".{signature}",
        signature,
        "",
        "é.é.é",
    ):
        assert authenticator.identify("", cookie(forged), "", 1001.0) is None, forged


def test_a_revoked_session_is_over() -> None:
    authenticator = Authenticator(TOKEN)
    one, two = authenticator.new_session(1000.0), authenticator.new_session(1000.0)
    identity = authenticator.identify("", cookie(one), "", 1001.0)
    assert identity is not None
    assert identity.session is not None
    authenticator.revoke(identity.session)
    assert authenticator.identify("", cookie(one), "", 1001.0) is None
    assert authenticator.identify("", cookie(two), "", 1001.0) is not None


def test_different_wrong_tokens_are_guesses_and_end_for_a_while() -> None:
    authenticator = Authenticator(TOKEN)
    for number in range(GUESSES):
        assert not authenticator.check(f"guess {number}", "evil", 100.0)
    with pytest.raises(TooManyGuesses):
        authenticator.check(TOKEN, "evil", 101.0)
    assert authenticator.check(TOKEN, "friend", 101.0)
    assert authenticator.check(TOKEN, "evil", 100.0 + GUESS_SECONDS)


def test_one_wrong_token_again_and_again_is_no_guessing() -> None:
    authenticator = Authenticator(TOKEN)
    for _ in range(5 * GUESSES):
        assert not authenticator.check("old token", "proxy", 100.0)
    assert authenticator.check(TOKEN, "proxy", 100.0)


def test_the_cookie_counts_no_guess() -> None:
    authenticator = Authenticator(TOKEN)
    for number in range(5 * GUESSES):
        assert authenticator.identify("", cookie(f"{number}.a.b"), "wall", 100.0) is None
    assert authenticator.check(TOKEN, "wall", 100.0)


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
        ("Negotiate abc", ""),
    ],
)
def test_the_token_in_a_header(header: str, token: str | None) -> None:
    assert token_of(header) == token


def test_the_token_is_made_once_and_is_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    token = load_token(folder)
    assert len(token) >= 40
    assert load_token(folder) == token
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    (folder / "token").write_text("\n")
    assert load_token(folder) not in ("", token)
