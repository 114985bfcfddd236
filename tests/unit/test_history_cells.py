"""One rule for the cells of all CSV files: nothing that somebody else wrote is computed, and every reader finds it."""

import csv
import io
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.history.export import as_csv
from runtime.cells import begins_like_formula, cell

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contract", "broker", "runtime", "producer", "worker", "gateway", "cli")

ANYTHING = st.text(st.characters())  # lone surrogates and control characters too
STARTERS = st.sampled_from("=+-@|%\u2212\uff1d\uff0b\uff0d\uff20\ufe66\u207c\ufe63")
UNSEEN = st.text(st.sampled_from(" \t\r\n\0\u00a0\u200b\ufeff\u3000\u2028\"'\u201c"))


def written(*values: object) -> bytes:
    columns = [f"c{n}" for n in range(len(values))]
    return as_csv(columns, [dict(zip(columns, values, strict=True))])


def read(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


@given(st.lists(ANYTHING, min_size=1, max_size=4))
def test_whatever_is_written_is_one_line_of_as_many_cells(texts: list[str]) -> None:
    line = written("first", *texts, "last")
    assert len(line.decode().splitlines()) == 1
    (row,) = read(line)
    assert (row[0], len(row), row[-1]) == ("first", len(texts) + 2, "last")


@given(ANYTHING)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    ((cell_read,),) = read(written(text))
    plain = cell_read.strip().strip('"`\u201c\u201d\u2018\u2019').strip()
    assert not plain.startswith(("=", "+", "-", "@")) or cell_read.startswith("'")
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in cell_read)


@given(UNSEEN, STARTERS, ANYTHING)
def test_a_formula_is_one_after_what_cannot_be_seen_and_in_other_widths(
    before: str, starter: str, rest: str
) -> None:
    assert begins_like_formula(before + starter + rest)
    assert str(cell(before + starter + rest)).startswith("'")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters=" ")))
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == (f"'{text}" if begins_like_formula(text) else text)


@pytest.mark.parametrize(
    "text", ["Gate 3", "Straße", "Übergang, west", 'the "old" gate', "'s-Gravenhage", "出口", ""]
)
def test_names_of_cameras_are_no_formulas(text: str) -> None:
    assert cell(text) == text


@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.none()))
def test_numbers_stay_numbers(number: float | None) -> None:
    ((read_back, _),) = read(written(number, "x"))
    assert read_back == ("" if number is None else str(number))


def test_truth_is_written_as_json_has_it() -> None:
    assert written(True, False) == b"true,false\r\n"


def test_nobody_else_writes_csv() -> None:
    """A further writer of CSV goes by the same rule."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    writers = [
        file.name
        for file in files
        if re.search(r"^ .*\b(csv\.writer|DictWriter)\(", file.read_text(), re.MULTILINE)
    ]
    assert writers == ["export.py"]
