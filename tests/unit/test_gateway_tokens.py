"""The file of further tokens: what it keeps, who may read it, and what happens when it is broken."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.errors import BrokenTokens, InvalidToken
from gateway.tokens import Keyring, add_token, make_token, read_tokens, revoke_token
from gateway.tokens.command import add_arguments, run
from gateway.tokens.entries import id_of
from gateway.tokens.file import FORGET_SECONDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "tokens.json"


def test_the_file_keeps_no_token_and_is_its_owner_s_alone(path: Path) -> None:
    token = add_token(path, "wall", "viewer", 1000.0, 2000.0)
    text = path.read_text()
    assert token.split("_", 2)[2] not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    entry = read_tokens(path)[0]
    assert (entry.id, entry.name, entry.role) == (id_of(token), "wall", "viewer")
    assert (entry.created, entry.expires, entry.revoked) == (1000.0, 2000.0, None)
    assert [entry.state(wall) for wall in (1999.0, 2000.0)] == ["valid", "expired"]


def test_revoking_by_name_and_by_id(path: Path) -> None:
    one = id_of(add_token(path, "one", "viewer", 1.0, None))
    add_token(path, "two", "operator", 1.0, None)
    assert one is not None
    assert revoke_token(path, "two", 5.0).revoked == 5.0
    assert revoke_token(path, one, 6.0).name == "one"
    assert [entry.state(7.0) for entry in read_tokens(path)] == ["revoked", "revoked"]
    with pytest.raises(InvalidToken, match="no token two"):
        revoke_token(path, "two", 8.0)


def test_a_name_belongs_to_one_token_at_a_time(path: Path) -> None:
    add_token(path, "wall", "viewer", 1.0, 10.0)
    with pytest.raises(InvalidToken, match="named wall"):
        add_token(path, "wall", "viewer", 2.0, None)
    add_token(path, "wall", "viewer", 11.0, None)  # the first one has expired
    assert [entry.state(12.0) for entry in read_tokens(path)] == ["expired", "valid"]


@pytest.mark.parametrize("name", ["main", "", " x", "a\nb", "x" * 65, "ü", "a/b"])
def test_names_that_would_confuse_are_refused(name: str) -> None:
    with pytest.raises(InvalidToken):
        make_token(name, "viewer", 0.0, None)


def test_what_ended_long_ago_is_forgotten(path: Path) -> None:
    add_token(path, "old", "viewer", 0.0, 10.0)
    add_token(path, "new", "viewer", 20.0 + FORGET_SECONDS, None)
    assert [entry.name for entry in read_tokens(path)] == ["new"]


def test_commands_at_the_same_time_lose_nothing(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: add_token(path, f"t{n}", "viewer", 1.0, None), range(24)))
    assert {id_of(token) for token in made} == {entry.id for entry in read_tokens(path)}


BROKEN = {
    "no JSON": "{",
    "another file": "[]",
    "a misspelt field": {"expire": 1.0},
    "no end at all": {"expires": ...},
    "an unknown role": {"role": "admin"},
    "a token instead of its hash": {"sha256": "ff_00000000_secret"},
    "a time that is none": {"expires": "tomorrow"},
}


def write(path: Path, change: Any) -> None:
    """The file with one entry that differs; `...`: the field is left out."""
    if isinstance(change, str):
        path.write_text(change)
        return
    entry = {
        "id": "00000000",
        "name": "x",
        "role": "viewer",
        "sha256": "0" * 64,
        "created": 1.0,
        "expires": None,
        "revoked": None,
    } | change
    path.write_text(json.dumps({"tokens": [{k: v for k, v in entry.items() if v is not ...}]}))


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "tokens.json"
    write(path, {})
    assert len(read_tokens(path)) == 1
    write(path, change)
    with pytest.raises(BrokenTokens, match=str(path)):
        read_tokens(path)
    with pytest.raises(BrokenTokens):
        Keyring.load(path)


def test_the_keyring_follows_the_file(path: Path) -> None:
    keyring = Keyring.load(path)  # there is no file yet
    wall = id_of(add_token(path, "wall", "viewer", 1.0, None))
    assert wall is not None
    assert keyring.find(wall) is not None  # at once
    assert keyring.refresh() == frozenset()
    revoke_token(path, "wall", 2.0)
    assert keyring.refresh() == {wall}
    found = keyring.find(wall)
    assert found is not None
    assert found.state(3.0) == "revoked"
    path.unlink()
    assert keyring.refresh() == {wall}
    assert keyring.find(wall) is None


def test_while_the_file_is_broken_what_was_read_before_holds(path: Path) -> None:
    gone = id_of(add_token(path, "gone", "viewer", 1.0, None))
    kept = id_of(add_token(path, "kept", "viewer", 1.0, None))
    assert gone is not None
    assert kept is not None
    revoke_token(path, "gone", 2.0)
    good = path.read_text()
    keyring = Keyring.load(path)
    with structlog.testing.capture_logs() as logs:
        for text in ("{", "{", '{"tokens": "all"}'):
            path.write_text(text)
            assert keyring.refresh() == frozenset()
            assert keyring.refresh() == frozenset()
    states = [entry.state(3.0) for entry in (keyring.find(gone), keyring.find(kept)) if entry is not None]
    assert states == ["revoked", "valid"]
    assert [line["log_level"] for line in logs] == ["error", "error"]  # once for each way of being broken
    path.write_text(good)
    with structlog.testing.capture_logs() as logs:
        keyring.refresh()
    assert [line["event"] for line in logs] == ["tokens read again"]


def command(path: Path, *words: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words), path)


def test_the_command_shows_a_token_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(path, "list") == 0
    assert "no further tokens" in capsys.readouterr().err
    assert command(path, "add", "wall", "--role", "operator", "--days", "30") == 0
    said = capsys.readouterr()
    token = said.out.strip()
    assert id_of(token) is not None
    assert "operator until 20" in said.err
    assert command(path, "list") == 0
    listed = capsys.readouterr().out
    assert "wall" in listed
    assert "valid" in listed
    assert token.split("_", 2)[2] not in listed
    assert command(path, "revoke", "wall") == 0
    assert command(path, "revoke", "wall") == 1
    assert "`list`" in capsys.readouterr().err


def test_the_command_says_what_is_wrong_with_the_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir()
    path.write_text("{")
    assert command(path, "add", "wall") == 1
    assert "is not a file of tokens" in capsys.readouterr().err
    assert path.read_text() == "{"
    with pytest.raises(SystemExit):
        command(path, "add", "wall", "--days", "-1")
