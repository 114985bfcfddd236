"""Which paths are pages of the dashboard."""

import re
from pathlib import Path

import pytest

from gateway.pages import PAGES, is_page

TABLE = Path(__file__).parents[2] / "dashboard" / "src" / "shell" / "pages.ts"


def test_the_gateway_and_the_dashboard_have_the_same_pages() -> None:
    table = re.search(
        r"PAGES: readonly Page\[\] = \[\n(.*?)^\];", TABLE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert table is not None
    assert set(PAGES) == set(re.findall(r"\bpath: '([^']+)'", table[1]))


@pytest.mark.parametrize("path", ["/", "/events", "/events/", "/models"])
def test_pages(path: str) -> None:
    assert is_page(path)


@pytest.mark.parametrize(
    "path",
    ["/elsewhere", "/events/elsewhere", "/eventsx", "/EVENTS", "/cameras", "/cameras/a/b", "/a b", "/\0"],
)
def test_other_paths(path: str) -> None:
    assert not is_page(path)
