"""The preparation of a machine: what it decides, without installing anything."""

import io
import os
import sys
from pathlib import Path

import pytest

from cli.bootstrap import packages
from cli.bootstrap.commands import Commands
from cli.bootstrap.node import new_enough
from cli.bootstrap.packages import Package
from cli.bootstrap.problem import Problem
from cli.bootstrap.stamps import Stamp, digest
from cli.bootstrap.system import check_system, read_os_release
from cli.display import Display


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(Display(io.StringIO()), tmp_path / "logs" / "bootstrap.log")


@pytest.mark.parametrize(
    ("name", "version"),
    [("debian", "12"), ("debian", "13"), ("debian", ""), ("ubuntu", "24.04"), ("ubuntu", "26.10")],
)
def test_supported_systems(name: str, version: str) -> None:
    check_system({"ID": name, "VERSION_ID": version})


@pytest.mark.parametrize(
    ("name", "version"), [("debian", "11"), ("ubuntu", "22.04"), ("fedora", "41"), ("", "")]
)
def test_other_systems_are_pointed_at_compose(name: str, version: str) -> None:
    with pytest.raises(Problem, match="docker compose up"):
        check_system({"ID": name, "VERSION_ID": version})


def test_os_release_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n\n')
    assert read_os_release(file) == {"PRETTY_NAME": "Debian GNU/Linux 12", "ID": "debian", "VERSION_ID": "12"}
    assert read_os_release(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("v20.19.0\n", True),
        ("v22.12.1\n", True),
        ("v24.0.0\n", True),
        ("v18.20.4\n", False),
        ("v20.18.9\n", False),
        ("v21.7.0\n", False),
        ("v22.11.0\n", False),
        ("", False),
    ],
)
def test_which_node_can_build_the_dashboard(version: str, answer: bool) -> None:
    assert new_enough(version) is answer


def test_a_digest_depends_on_names_contents_and_words(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("one")
    second.write_text("two")
    whole = digest([first, second], "word")
    assert digest([second, first], "word") == whole
    assert len({whole, digest([first], "word"), digest([first, second])}) == 3
    second.write_text("three")
    assert digest([first, second], "word") != whole


def test_a_stamp_matches_what_it_was_written_with(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamp")
    assert not stamp.matches("abc")
    stamp.write("abc")
    assert stamp.matches("abc")
    assert not stamp.matches("abd")


def test_a_failing_command_says_its_last_lines_and_what_to_do(commands: Commands) -> None:
    script = "import sys; [print(n) for n in range(20)]; sys.exit(3)"
    with pytest.raises(Problem) as error:
        commands.run("Counting", [sys.executable, "-c", script], advice="Count again.")
    text = str(error.value)
    assert "Counting failed (exit code 3)" in text
    assert "\n  19\nCount again." in text
    assert "\n  5\n" not in text
    assert str(commands.log) in text


def test_reasons_come_before_the_advice_that_follows_them(commands: Commands) -> None:
    script = "print('npm error code EUSAGE'); [print('usage', n) for n in range(20)]; raise SystemExit(1)"
    with pytest.raises(Problem, match="EUSAGE"):
        commands.run("Installing", [sys.executable, "-c", script], advice="")


def test_a_command_that_is_not_there_is_named(commands: Commands) -> None:
    with pytest.raises(Problem, match="/no/such/program"):
        commands.run("Trying", ["/no/such/program"], advice="Install it.")


def test_nothing_is_run_when_nothing_is_missing(commands: Commands) -> None:
    packages.install([Package("there", lambda: True)], commands)
    assert commands.log.read_bytes() == b""


def test_without_root_and_sudo_there_is_one_line_to_type(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = [Package(name, lambda: False) for name in ("rabbitmq-server", "prometheus")]
    with pytest.raises(Problem) as error:
        packages.install(missing, commands)
    assert len(str(error.value).splitlines()) == 1
    assert "sudo apt-get install rabbitmq-server prometheus" in str(error.value)
