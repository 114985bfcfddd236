"""The gateway goes while pages are open and comes back: they say so, keep what they had, and go on by themselves."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.ports import free_port
from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.e2e.test_cameras import painted, tile
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.images import astronaut, jpeg
from tests.helpers.processes import ROOT, Service
from tests.helpers.staged import Staged

pytestmark = pytest.mark.e2e
PATIENCE = 30_000  # ms: two cores, shared
BACK = 45_000
"""Milliseconds from the gateway's start to the page's pictures: the longest pause between two tries is part of it."""


Begin = Callable[[], Service]


@pytest.fixture
def address() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def begin(rabbitmq: str, start: StartService, tmp_path: Path, address: str) -> Begin:
    """Starts the gateway, each time with the same address and data."""

    def begun() -> Service:
        gateway = start(
            "gateway",
            AMQP_URL=rabbitmq,
            GATEWAY_PORT=address.rpartition(":")[2],
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(tmp_path / "data"),
            GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
        )
        return gateway.ready(60)

    return begun


def frame(page: Page) -> str:
    return tile(page, "gate-3").locator("[data-picture]").get_attribute("data-frame") or ""


def test_pages_outlive_a_restart_of_the_gateway(
    begin: Begin, address: str, browser: Browser, staged: Staged
) -> None:
    running = begin()
    staged.serving["p"] = [staged.camera("gate-3")]
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, events = context.new_page(), context.new_page()
    broken: list[str] = []
    for each in (page, events):  # requests that fail are logged, and are no fault of the page
        each.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(ask_link(address, TOKEN))
    painted(page, staged, "gate-3")
    page.evaluate("window.sameDocument = true")
    events.goto(f"{address}/events?range=24h")
    expect(events.locator("[data-event]")).to_have_count(1, timeout=PATIENCE)
    before = frame(page)

    running.kill()
    for each in (page, events):
        health = each.locator("[data-health]")
        expect(health).to_have_text(re.compile(r"Disconnected.* s"), timeout=PATIENCE)
        expect(each.get_by_role("alert").first).to_contain_text("gateway", timeout=PATIENCE)
    # What was there is kept, and not shown as live.
    assert frame(page) == before
    expect(page.locator('[data-camera="gate-3"] .chip')).to_have_text(
        re.compile(r"stale \d+ s"), timeout=PATIENCE
    )
    expect(events.locator("[data-event]")).to_have_count(1)
    expect(events.locator("[data-event]").get_by_text("now")).not_to_be_visible()

    begin()
    for each in (page, events):
        expect(each.locator("[data-health]")).not_to_have_text(re.compile("Disconnected"), timeout=BACK)
    image = astronaut()
    picture = jpeg(image)

    def goes_on() -> bool:
        staged.picture("gate-3", picture, image.shape[1], image.shape[0])
        return frame(page) != before

    eventually("a picture after the restart", goes_on, BACK / 1000)
    assert page.evaluate("window.sameDocument") is True, "the page was loaded again"
    expect(events).to_have_url(f"{address}/events?range=24h")
    expect(events.locator("[data-event]").first).to_be_visible()
    assert broken == []
    context.close()


def test_a_page_that_was_not_loaded_yet_is_fetched_after_the_restart(
    begin: Begin, address: str, browser: Browser
) -> None:
    running = begin()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(ask_link(address, TOKEN))
    expect(page.locator("[data-health]")).to_be_visible(timeout=PATIENCE)
    running.kill()
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.get_by_text("This page did not load")).to_be_visible(timeout=PATIENCE)
    begin()
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page).to_have_title(re.compile("Overview"), timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Nodes", exact=True)).to_be_attached(timeout=PATIENCE)
    context.close()
