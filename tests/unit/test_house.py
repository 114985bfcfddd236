"""The repository's own tools: licences that may come along, subjects of commits, comments."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house import comments, coverage, licences, policy, subject

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ("rich", "MIT"),
        ("numpy", "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0"),
        ("structlog", "MIT OR GPL-3.0-only"),
        ("psycopg", "LGPL-3.0-only"),
        ("greenlet", "(MIT AND PSF-2.0)"),
    ],
)
def test_what_may_come_along(package: str, licence: str) -> None:
    assert policy.complaint(package, licence) is None


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ("ultralytics", "AGPL-3.0-only"),
        ("other", "LGPL-3.0-only"),
        ("psycopg", "GPL-3.0-only"),
        ("mixed", "MIT AND GPL-2.0-only"),
        ("silent", ""),
        ("unknown", "UNKNOWN"),
    ],
)
def test_what_may_not(package: str, licence: str) -> None:
    fault = policy.complaint(package, licence)
    assert fault
    assert package in fault


def test_every_locked_package_has_a_row_with_its_version() -> None:
    page = licences.PAGE.read_text()
    for name, version in licences.locked().items():
        assert f"| {name} | {version} | " in page, f"{name}: `make licences` writes the page"


@pytest.mark.parametrize("service", ["gateway", "producer", "worker", "worker-gpu"])
def test_the_images_have_the_versions_that_are_tested(service: str) -> None:
    """The images' Python is newer than the oldest one that is supported; a package of its own version is untested."""
    assert pins(service, "3.13.5") == {
        name: pins(service, "3.11.9").get(name) for name in pins(service, "3.13.5")
    }


def pins(service: str, python: str) -> dict[str, str]:
    """Versions by package that this Python gets of a service's requirements."""
    lines = (ROOT / "requirements" / f"{service}.txt").read_text().splitlines()
    wanted = (Requirement(line.rstrip(" \\")) for line in lines if line and line[0].isalnum())
    of = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    return {
        each.name: str(each.specifier) for each in wanted if each.marker is None or each.marker.evaluate(of)
    }


@pytest.mark.parametrize(
    "message",
    [
        "Cameras take turns\n\nBecause …\n",
        "x" * 71,
        "Merge branch 'house'",
        "# a comment of git\nSubject\n# another\n",
    ],
)
def test_a_good_message(message: str) -> None:
    assert subject.complaint(message) is None


@pytest.mark.parametrize(
    ("message", "words"), [("x" * 72, "72 characters"), ("", "empty"), ("One\nTwo", "a blank line")]
)
def test_a_bad_message(message: str, words: str) -> None:
    assert words in (subject.complaint(message) or "")


def test_coverage_is_summed_by_package() -> None:
    def file(statements: int, run: int) -> dict[str, dict[str, int]]:
        return {"summary": {"num_statements": statements, "covered_lines": run}}

    report = {"broker/link.py": file(100, 50), "broker/loops.py": file(300, 300), "cli/up.py": file(10, 1)}
    assert coverage.percents(report) == {"broker": 87.5, "cli": 10.0}


def test_every_package_has_a_floor() -> None:
    floors = tomllib.loads(coverage.FLOORS.read_text())
    assert set(floors) == {"broker", "cli", "contract", "gateway", "producer", "runtime", "worker"}
    assert all(0 < floor <= 100 for floor in floors.values())


def test_a_comment_that_breaks_a_statement_is_found() -> None:
    assert list(comments.breaking("kept = min(\n    stored\n)  # the oldest\n")) == [3]
    assert list(comments.breaking("if (\n    late\n):  # by a second\n    pass\n")) == [3]
    assert list(comments.breaking('kept = min("""\n    stored\n""")  # the oldest\n')) == [3]
    whole = "# the oldest\nkept = min(stored)  # one\nkept = {\n    1,  # one\n}  # fmt: skip\n"
    assert list(comments.breaking(whole)) == []


def test_no_comment_breaks_a_statement() -> None:
    folders = [
        each for each in ROOT.iterdir() if each.is_dir() and each.name[0] != "." and each.name != "dashboard"
    ]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 500
    broken = [
        f"{file.relative_to(ROOT)}:{line}" for file in files for line in comments.breaking(file.read_text())
    ]
    assert broken == []
