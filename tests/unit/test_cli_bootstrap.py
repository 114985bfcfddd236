"""The preparation of a machine: what it decides, without installing anything."""

import errno
import io
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from cli.bootstrap import packages, run, venv
from cli.bootstrap.__main__ import lacking, newer_python, too_old
from cli.bootstrap.checkout import check_checkout
from cli.bootstrap.commands import Commands
from cli.bootstrap.node import new_enough
from cli.bootstrap.packages import Package
from cli.bootstrap.stamps import Stamp, digest
from cli.bootstrap.system import check_system, read_os_release
from cli.display import Display
from cli.errors import NotPrepared
from cli.layout import Layout


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
    with pytest.raises(NotPrepared, match="docker compose up"):
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
    with pytest.raises(NotPrepared) as error:
        commands.run("Counting", [sys.executable, "-c", script], advice="Count again.")
    text = str(error.value)
    assert "Counting failed (exit code 3)" in text
    assert "\n  19\nCount again." in text
    assert "\n  5\n" not in text
    assert str(commands.log) in text


def test_reasons_come_before_the_advice_that_follows_them(commands: Commands) -> None:
    script = "print('npm error code EUSAGE'); [print('usage', n) for n in range(20)]; raise SystemExit(1)"
    with pytest.raises(NotPrepared, match="EUSAGE"):
        commands.run("Installing", [sys.executable, "-c", script], advice="")


def test_a_command_that_is_not_there_is_named(commands: Commands) -> None:
    with pytest.raises(NotPrepared, match="/no/such/program"):
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
    with pytest.raises(NotPrepared) as error:
        packages.install(missing, commands)
    assert len(str(error.value).splitlines()) == 1
    assert "sudo apt-get install rabbitmq-server prometheus" in str(error.value)


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_shim_of_a_version_that_is_not_active_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pyenv has them: a python3.13 that only says where there is one."""
    shims, real = tmp_path / "shims", tmp_path / "bin"
    program(shims / "python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    program(shims / "python3.12", "exit 1")  # says that it is older
    monkeypatch.setenv("PATH", f"{shims}:{real}")
    assert newer_python() == (None, [f"{shims}/python3.13", f"{shims}/python3.12"])
    program(real / "python3.12", f'exec {sys.executable} "$@"')
    assert newer_python() == (f"{real}/python3.12", [f"{shims}/python3.13", f"{shims}/python3.12"])


def test_what_does_not_start_is_named() -> None:
    said = too_old(["/root/shims/python3.13"])
    assert "/root/shims/python3.13 do not start: a version that pyenv or asdf has not made active" in said
    assert "docker compose up" in too_old([])
    assert lacking() == []


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "my checkout")
    made.dashboard.mkdir(parents=True)
    return made


def test_a_checkout_of_this_user_is_fine(layout: Layout) -> None:
    check_checkout(layout)
    layout.create()
    (layout.venv / "bin").mkdir(parents=True)
    check_checkout(layout)


def test_what_another_user_made_is_said_with_the_owner(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.create()
    (layout.venv / "bin").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    monkeypatch.setattr(os, "access", lambda path, mode: ".venv" not in str(path))
    owner = layout.root.owner()
    with pytest.raises(NotPrepared) as raised:
        check_checkout(layout)
    first, second = str(raised.value).splitlines()
    assert first.startswith(
        f"{layout.venv} belongs to {owner}, and this user (user 54321) may not write it: "
    )
    root = str(layout.root)
    assert second == f"To hand it over: sudo chown -R 54321 '{root}/.venv' '{root}/.run' '{root}/dashboard'"


def test_a_read_only_file_system_is_no_matter_of_owners(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "statvfs", lambda path: types.SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(NotPrepared, match=f"{layout.root} is on a file system that is read-only"):
        check_checkout(layout)


def test_what_is_in_the_way_is_named(layout: Layout, tmp_path: Path) -> None:
    layout.venv.symlink_to("nowhere")
    with pytest.raises(
        NotPrepared, match=r"\.venv is a link to nothing: remove it \(rm '.*my checkout/\.venv'\)"
    ):
        check_checkout(layout)
    layout.venv.unlink()
    layout.venv.touch()
    with pytest.raises(NotPrepared, match=r"\.venv is not a folder: move it away"):
        check_checkout(layout)
    with pytest.raises(NotPrepared, match="has a colon"):
        check_checkout(Layout(tmp_path / "2026:11"))


def test_a_half_made_environment_is_made_again(layout: Layout) -> None:
    python = layout.venv / "bin" / "python"
    assert not venv.usable(layout)
    python.parent.mkdir(parents=True)
    python.symlink_to("/nowhere/python3")
    assert not venv.usable(layout)
    python.unlink()
    python.symlink_to(os.path.realpath(sys.executable))  # without pyvenv.cfg it is the machine's own
    assert not venv.usable(layout)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: Could not find a version that satisfies", "check the network, the proxy"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("OSError: [Errno 13] Permission denied: 'x'", "may not be written by this user"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "gave other files than those that were pinned"),
        ("uninstall-no-record-file: no RECORD file was found", "The virtual environment is broken: remove "),
    ],
)
def test_pip_is_not_always_short_of_a_network(layout: Layout, said: str, advice: str) -> None:
    assert advice in venv._advice_on_installing(said, layout)


def test_a_python_of_ones_own_without_ensurepip_is_sent_to_another(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "VENV", Package("python3.99-venv", lambda: False))
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    with pytest.raises(NotPrepared, match=r"has no ensurepip.* make up PYTHON=/usr/bin/python3"):
        run._for_venv(layout)
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert [package.name for package in run._for_venv(layout)] == ["python3.99-venv"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EACCES, "belongs to"),
        (errno.EIO, "The preparation failed"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    error = OSError(number, os.strerror(number), str(layout.run / "logs"))
    assert words in run._sentence(error, layout)


def test_a_machine_without_any_package_can_be_prepared() -> None:
    """-S: without site-packages, as on a new machine."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import cli.bootstrap.run"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
