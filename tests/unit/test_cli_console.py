"""Tables and progress: drawn on a terminal, plain elsewhere, and nothing is cut off when it is piped."""

import asyncio
import io
import sys

import pytest

from cli import console
from cli.console import progress, table

LONG = "no such model: " + "x" * 200


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output and standard error of 60 columns; not as a fixture, since pytest replaces both after those."""
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return out


def test_what_is_piped_is_plain_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert table(("ID", "ERROR"), [("a1", LONG), ("b22", "[bold]as it is[/bold]")]).splitlines() == [
        "ID   ERROR",
        f"a1   {LONG}",
        "b22  [bold]as it is[/bold]",
    ]


def test_figures_stand_to_the_right_and_wide_letters_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    lines = table(("", "CPU"), [("門", "1.20"), ("gate", "10.00")], right=("CPU",)).splitlines()
    assert lines == ["        CPU", "門     1.20", "gate  10.00"]


def test_a_terminal_gets_a_heading_and_lines_of_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    heading, line = table(("ID", "ERROR"), [("a1", LONG)]).splitlines()
    assert "\x1b[1m" in heading
    assert line.startswith("a1  no such model: ")
    assert line.endswith("…")
    assert len(line) <= 60


def test_a_narrow_terminal_still_shows_which_row_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    monkeypatch.setenv("COLUMNS", "10")
    _, line = table(("ID", "REASON", "ERROR"), [("0123456789ab", "not_an_image", LONG)]).splitlines()
    assert line.startswith("0123456789ab  not_an_image  ")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colours_gets_plain_text(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal_of(monkeypatch)
    monkeypatch.setenv(name, value)
    assert table(("ID", "ERROR"), [("a1", LONG)]) == f"ID  ERROR\na1  {LONG}"


async def test_a_long_wait_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    monkeypatch.setattr(console, "QUIET_SECONDS", 0.0)
    async with progress("purging", 200) as shown:
        shown.done = 100
        await asyncio.sleep(0.05)
        shown.done = 200
    said = terminal.getvalue()
    assert "purging" in said
    assert "━" in said
    assert "200/200" in said  # the last state stays


async def test_elsewhere_it_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr(console, "QUIET_SECONDS", 0.0)
    async with progress("purging", 2_000) as shown:
        shown.done = 1_000
        await asyncio.sleep(0.05)
    assert file.getvalue() == "  purging: 1,000 of 2,000 … 0 s\n"


async def test_what_is_quick_needs_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    async with progress("purging"):
        pass
    assert terminal.getvalue() == ""
