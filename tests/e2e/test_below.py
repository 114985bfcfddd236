"""The dashboard below a path of a host, in a browser behind a real nginx."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cli.ports import free_port
from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.e2e.test_cameras import PATIENCE, painted
from tests.helpers.gateway import TOKEN
from tests.helpers.nginx import nginx
from tests.helpers.processes import ROOT
from tests.helpers.staged import Staged

pytestmark = pytest.mark.e2e


@pytest.fixture
def below(rabbitmq: str, start: StartService, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Where browsers see it, and where it listens."""
    own, seen = free_port(), free_port()
    url = f"http://127.0.0.1:{seen}/fleet"
    start(
        "gateway",
        AMQP_URL=rabbitmq,
        GATEWAY_PORT=str(own),
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path / "data"),
        GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
        GATEWAY_PUBLIC_URL=url,
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
    ).ready()
    with nginx(tmp_path / "nginx", own, ("location / {", "location /fleet/ {"), port=seen):
        yield url, f"http://127.0.0.1:{own}"


def test_a_link_the_wall_the_pages_and_signing_out(
    below: tuple[str, str], page: Page, staged: Staged
) -> None:
    url, listens = below
    link = ask_link(listens, TOKEN)
    assert link.startswith(f"{url}/?code=")
    staged.serving["p"] = [staged.camera("gate-3")]
    page.goto(link)
    expect(page).to_have_url(f"{url}/")
    painted(page, staged, "gate-3")  # over the WebSocket

    page.get_by_role("link", name="Events").first.click()
    expect(page).to_have_url(f"{url}/events")
    page.reload()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect(page).to_have_url(f"{url}/")
    expect(page.locator('[data-camera="gate-3"]')).to_be_visible(timeout=PATIENCE)

    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["path"]) == ("framefleet_session", "/fleet")
    page.goto(f"{url}/login")
    expect(page).to_have_url(f"{url}/")
    page.context.clear_cookies()
    page.goto(f"{url}/events")
    expect(page).to_have_url(f"{url}/login?next=/events")
    page.get_by_label("Token or link").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{url}/events")
