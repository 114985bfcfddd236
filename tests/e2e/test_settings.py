"""The page Settings and what every page owes its visitor: the way to it, the focus, an answer to a wrong address."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.pages import enter, forget, sign_in, violations
from tests.e2e.test_overview import PATIENCE
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def tokyo(browser: Browser) -> Iterator[BrowserContext]:
    """A browser in Tokyo, whatever the machine's zone is."""
    opened = browser.new_context(viewport={"width": 1400, "height": 900}, timezone_id="Asia/Tokyo")
    yield opened
    opened.close()


@pytest.fixture
def here(tokyo: BrowserContext) -> Iterator[BrowserContext]:
    """It, without anything of another test."""
    yield tokyo
    forget(tokyo)


@pytest.fixture
def settings(native: Native, here: BrowserContext) -> Page:
    page = here.new_page()
    enter(page, native, "/settings")
    expect(page.get_by_role("heading", name="Appearance")).to_be_visible(timeout=PATIENCE)
    return page


def root(page: Page, name: str) -> str | None:
    found: str | None = page.evaluate(f"document.documentElement.dataset.{name} ?? null")
    return found


def test_a_choice_holds_at_once_in_all_tabs_and_after_a_reload(settings: Page, here: BrowserContext) -> None:
    other = here.new_page()
    other.goto(settings.url)
    expect(other.get_by_role("heading", name="Appearance")).to_be_visible(timeout=PATIENCE)
    settings.get_by_role("radio", name="Light").check()
    settings.get_by_role("radio", name="Compact").check()
    settings.get_by_label("Time zone").select_option("America/New_York")
    assert (root(settings, "scheme"), root(settings, "density")) == ("light", "compact")
    expect(other.get_by_role("radio", name="Light")).to_be_checked()
    expect(other.get_by_text("in America/New_York")).to_be_visible()
    assert (root(other, "scheme"), root(other, "density")) == ("light", "compact")
    clocks = [each.locator("header time").inner_text()[:2] for each in (settings, other)]
    assert clocks[0] == clocks[1]
    tokyo = settings.evaluate("new Date().getHours()")
    assert int(clocks[0]) != tokyo
    settings.reload()
    expect(settings.get_by_role("radio", name="Compact")).to_be_checked(timeout=PATIENCE)
    assert (root(settings, "scheme"), root(settings, "density")) == ("light", "compact")

    settings.get_by_role("button", name="Reset all settings").click()
    expect(settings.get_by_role("radio", name="Dark")).to_be_checked()
    expect(other.get_by_text("in Asia/Tokyo")).to_be_visible()
    kept = settings.evaluate("Object.keys(localStorage)")
    assert not {"framefleet.scheme", "framefleet.density", "framefleet.zone", "framefleet.sounds"} & set(kept)


def test_sounds_are_off_and_the_page_tells_when_the_browser_blocks_them(settings: Page) -> None:
    box = settings.get_by_role("checkbox", name="New critical alert")
    expect(box).not_to_be_checked()
    expect(settings.get_by_role("button", name="Allow sounds")).to_have_count(0)
    box.check()
    expect(settings.get_by_text("A short tone, once for each new critical alert")).to_be_visible()
    settings.reload()
    expect(box).to_be_checked(timeout=PATIENCE)
    blocked = settings.get_by_text("The browser blocks sounds until")
    expect(blocked).to_be_visible()
    settings.get_by_role("button", name="Allow sounds").click()
    expect(blocked).to_have_count(0)


def test_broken_and_forbidden_storage_is_survived(native: Native, here: BrowserContext) -> None:
    page = here.new_page()
    page.add_init_script(
        "for (const [key, value] of [['zone', 'Mars/Olympus'], ['density', '9'], ['scheme', '<b>'], ['sounds', '1']])"
        " localStorage.setItem('framefleet.' + key, value)"
    )
    enter(page, native, "/settings")
    expect(page.get_by_text("in Asia/Tokyo")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page.reload()
    expect(page.get_by_text("This browser keeps nothing")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name="Light").check()
    assert root(page, "scheme") == "light"


@pytest.mark.parametrize("scheme", ["Dark", "Light"])
def test_axe_finds_nothing(settings: Page, scheme: str) -> None:
    settings.get_by_role("radio", name=scheme).check()
    assert violations(settings) == []


def test_an_address_that_is_none_says_so_and_leads_on(native: Native, here: BrowserContext) -> None:
    page = here.new_page()
    sign_in(here, native.endpoints["gateway"], native.endpoints["token"])
    answer = page.goto(f"{native.endpoints['gateway']}/wal")
    assert answer is not None
    assert answer.status == 404
    expect(page).to_have_title(re.compile("Page not found"), timeout=PATIENCE)
    expect(page.get_by_text("/wal")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Events").click()
    expect(page).to_have_url(re.compile("/events$"))


def test_the_menu_of_further_pages_by_keyboard(settings: Page) -> None:
    menu = settings.get_by_role("button", name="Settings", exact=True)
    expect(menu).to_be_visible()
    menu.focus()
    settings.keyboard.press("Enter")
    items = settings.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    settings.keyboard.press("Escape")
    expect(menu).to_be_focused()
    settings.keyboard.press("Enter")
    settings.get_by_role("menuitem", name="Queues").press("Enter")
    expect(settings).to_have_url(re.compile("/queues$"))
    expect(settings.get_by_role("button", name="Queues")).to_be_focused()


def test_the_focus_is_never_lost_at_a_change_of_the_page(settings: Page) -> None:
    settings.get_by_role("radio", name="Dark").focus()
    for key, title in (("n", "Nodes"), ("a", "Alerts"), ("e", "Events"), ("q", "Queues"), ("o", "Overview")):
        settings.keyboard.press("g")
        settings.keyboard.press(key)
        expect(settings).to_have_title(re.compile(title), timeout=PATIENCE)
        expect(settings.locator("main")).to_be_focused(timeout=PATIENCE)
    settings.go_back()
    expect(settings).to_have_title(re.compile("Queues"), timeout=PATIENCE)
    expect(settings.locator("main")).to_be_focused(timeout=PATIENCE)


def test_workers_over_time_with_one_range(settings: Page, native: Native) -> None:
    settings.goto(f"{native.endpoints['gateway']}/nodes?from=now-15m&to=now")
    charts = settings.locator("[data-chart]")
    expect(charts).to_have_count(3, timeout=PATIENCE)
    for chart in charts.all():
        expect(chart.locator("canvas")).to_be_visible(timeout=PATIENCE)
    plot = charts.first.get_by_role("slider")
    box = plot.bounding_box()
    assert box is not None
    settings.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    settings.mouse.down()
    settings.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=5)
    settings.mouse.up()
    expect(settings).to_have_url(re.compile(r"from=\d{4}-"))
    charts.first.get_by_role("button", name=re.compile("^Table")).click()
    expect(charts.first.get_by_role("table")).to_be_visible()


def test_a_rule_opens_with_its_values_and_threshold(settings: Page, native: Native) -> None:
    settings.goto(f"{native.endpoints['gateway']}/alerts?show=rules&alert=FramefleetDeadLetters")
    rule = settings.locator("[data-rule='FramefleetDeadLetters']")
    expect(rule.get_by_text("Threshold: 0")).to_be_visible(timeout=PATIENCE)
    expect(rule.locator("canvas")).to_be_visible(timeout=PATIENCE)
    expect(settings.get_by_role("combobox", name="Time range", exact=True)).to_be_visible()
    rule.get_by_role("button", name=re.compile("^Explore")).click()
    expect(settings).to_have_url(re.compile("/explore\\?expr="))


def test_the_explorer_blames_who_is_away(native: Native, settings: Page) -> None:
    settings.goto(f"{native.endpoints['gateway']}/explore?expr=up")
    expect(settings.locator("[data-chart] canvas")).to_be_visible(timeout=PATIENCE)
    away = re.compile("/api/(prometheus|session)")
    settings.route(away, lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    settings.get_by_role("button", name="Run").click()
    told = settings.locator("[data-chart]").get_by_role("status")
    expect(told).to_contain_text("The gateway does not answer", timeout=PATIENCE)
    expect(told).not_to_contain_text("Prometheus")
    settings.unroute_all(behavior="ignoreErrors")
