"""Sign-outs outlive the gateway, and reach those that share its folder."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.cookies import COOKIE
from gateway.security import sign_outs
from gateway.security.auth import Authenticator, Identity
from gateway.security.sessions import CLOCK_SKEW_SECONDS, SESSION_SECONDS, BrowserSession
from gateway.security.sign_outs import SignOuts

TOKEN = "correct horse battery"
MAIN = Identity(name="main", token_id="main")
DAY = 24 * 3600.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "signed-out"


def gateway(file: Path, wall: float = 1000.0) -> Authenticator:
    """What a gateway that starts now knows."""
    known = SignOuts(file)
    known.refresh(wall)
    return Authenticator(TOKEN, sign_outs=known)


def let_in(authenticator: Authenticator, session: str, wall: float) -> Identity | None:
    return authenticator.identify("", f"{COOKIE}={session}", "", wall)


def signed_out(authenticator: Authenticator, wall: float) -> str:
    """A cookie that somebody has kept a copy of, before its owner signed out."""
    session = authenticator.new_session(MAIN, wall)
    identity = let_in(authenticator, session, wall)
    assert identity is not None
    authenticator.sign_out(identity, wall)
    return session


def test_a_sign_out_survives_a_restart(file: Path) -> None:
    before = gateway(file)
    other = before.new_session(MAIN, 1000.0)
    stolen = signed_out(before, 1000.0)
    after = gateway(file, 2000.0)
    assert let_in(after, stolen, 2000.0) is None
    assert let_in(after, other, 2000.0) is not None
    assert file.stat().st_mode & 0o077 == 0


def test_gateways_that_share_the_folder_hear_of_it(file: Path) -> None:
    here, there = gateway(file), gateway(file)
    session = here.new_session(MAIN, 1000.0)
    identity = let_in(there, session, 1001.0)
    assert identity is not None
    here.sign_out(identity, 1001.0)
    assert here.refresh(1002.0) == {}  # it has closed them itself
    assert there.refresh(1002.0) == {f"session {identity.session}": "signed out"}
    assert let_in(there, session, 1002.0) is None
    assert there.refresh(1003.0) == {}


def test_it_is_forgotten_when_its_cookies_would_be_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_outs, "MAX_SIGN_OUTS", 4)
    known = SignOuts(file)
    for n in range(9):
        known.add("main", f"old-nonce-{n:02}", 1000.0 + n)
    later = 1008.0 + SESSION_SECONDS + CLOCK_SKEW_SECONDS
    known.add("main", "new-nonce-00", later)
    known.refresh(later)
    assert len(file.read_text().splitlines()) < 9
    again = SignOuts(file)
    again.refresh(later)
    assert again.over(BrowserSession("main", "viewer", int(later), "new-nonce-00"))
    assert not again.over(BrowserSession("main", "viewer", int(later), "other-nonce0"))


def test_who_signs_out_very_often_brings_nobody_elses_session_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_outs, "MAX_SIGN_OUTS", 20)
    known = SignOuts(file)
    known.add("main", "of-the-owner", 1000.0)
    for n in range(50):
        known.add("0a1b2c3d", f"greedy-{n:05}", 1000.0 + n)
    for each in (known, SignOuts(file)):
        each.refresh(2000.0)
        assert each.over(BrowserSession("main", "operator", 900, "of-the-owner"))
        assert not each.over(BrowserSession("main", "operator", 900, "another-one0"))
        assert each.over(BrowserSession("0a1b2c3d", "viewer", 1000, "greedy-00000"))
        # The greedy token's other sessions of that time are over too; it can sign in again.
        assert each.over(BrowserSession("0a1b2c3d", "viewer", 900, "another-one0"))
        assert not each.over(BrowserSession("0a1b2c3d", "viewer", 1100, "another-one0"))
        assert len(each._nonces) <= 20


def test_a_line_that_was_cut_short_costs_no_other(file: Path) -> None:
    known = SignOuts(file)
    known.add("main", "first-nonce0", 1000.0)
    with file.open("ab") as out:
        out.write(b"1001 main half-a-no")
    assert known.refresh(1002.0) == frozenset()
    known.add("main", "third-nonce0", 1003.0)
    again = SignOuts(file)
    assert again.refresh(1004.0) == {"first-nonce0", "third-nonce0"}


def test_where_it_cannot_be_written_it_holds_until_the_restart(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    known = SignOuts(tmp_path / "file" / "signed-out")
    with structlog.testing.capture_logs() as logs:
        known.add("main", "first-nonce0", 1000.0)
    assert known.over(BrowserSession("main", "viewer", 900, "first-nonce0"))
    assert [line["event"] for line in logs] == [
        "a sign-out cannot be kept: it holds until the gateway restarts"
    ]


@given(st.binary(max_size=200))
def test_whatever_is_in_the_file_nothing_is_raised(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    file = tmp_path_factory.mktemp("junk") / "signed-out"
    file.write_bytes(junk + b"\n1000 main a-real-nonce\n")
    known = SignOuts(file)
    known.refresh(2000.0)
    known.add("main", "first-nonce0", 2000.0)
    assert known.over(BrowserSession("main", "viewer", 900, "first-nonce0"))


def test_many_that_are_heard_at_once_are_one_write(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    here = gateway(file)
    opened: list[Path] = []
    monkeypatch.setattr(sign_outs, "locked", lambda path: opened.append(path) or nullcontext())  # type: ignore[func-returns-value]
    heard = [(1_000, "main", f"{number:012}") for number in range(1_000)]
    here._hear_sign_outs([*heard, *heard])
    here._hear_sign_outs(heard)  # of which nothing is new
    assert opened == [file]
    assert file.read_bytes().count(b" main ") == len(heard)
    assert len(here.refresh(1_000.0)) == len(heard)
    for known in (here, gateway(file)):
        assert known._sign_outs.over(BrowserSession("main", "viewer", 1_000, heard[-1][2]))
