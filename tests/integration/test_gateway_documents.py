"""The documentation as pages below /docs/: served like other files of the dashboard, to whoever is signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.helpers.gateway import TOKEN, running_gateway

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    (tmp_path / "dist" / "docs").mkdir(parents=True)
    (tmp_path / "dist" / "assets").mkdir()
    (tmp_path / "dist" / "index.html").write_text("<title>dashboard</title>")
    (tmp_path / "dist" / "docs" / "index.html").write_text("<h1>Documentation</h1>")
    async with running_gateway(tmp_path) as gateway, aiohttp.ClientSession(gateway.address) as session:
        yield session


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/index.html"])
async def test_the_first_page_is_found_by_its_folder_too(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path, headers=BROWSER) as answer:
        assert (answer.status, answer.url.path) == (200, "/docs/index.html")
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert await answer.text() == "<h1>Documentation</h1>"


async def test_a_page_that_is_no_more_is_told_to_people_in_words(http: aiohttp.ClientSession) -> None:
    async with http.get("/docs/gone.html", headers=BROWSER) as answer:
        assert (answer.status, await answer.text()) == (404, "<title>dashboard</title>")
    async with http.get("/docs/gone.png", headers=BROWSER) as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "there is no /docs/gone.png")
    async with http.get("/docs/gone.html", headers=BROWSER | {"Accept": "*/*"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "there is no /docs/gone.html")


async def test_who_is_not_signed_in_is_asked_to_and_comes_back(http: aiohttp.ClientSession) -> None:
    async with http.get("/docs/index.html", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/login?next=/docs/index.html"
