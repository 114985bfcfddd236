"""The wall: cameras alone, a layout in the address, a screen without a bar, pages in turn."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import choose_scheme, enter, violations
from tests.e2e.test_overview import DEMO, PATIENCE
from tests.helpers.eventually import eventually
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


@pytest.fixture
def wall(native: Native, page: Page) -> Page:
    """The wall."""
    enter(page, native, "/wall")
    expect(page.locator("[data-camera]")).to_have_count(len(DEMO), timeout=PATIENCE)
    return page


def test_a_key_leads_there_and_every_camera_has_its_picture(native: Native, page: Page) -> None:
    enter(page, native)
    expect(page.locator("[data-camera]")).to_have_count(len(DEMO), timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("/wall$"))
    for camera in DEMO:
        picture = page.locator(f'[data-camera="{camera}"] [data-picture]')
        expect(picture).to_have_attribute("data-frame", re.compile(f"^{camera}:"), timeout=PATIENCE)
    expect(page).to_have_title(re.compile("Wall · Framefleet$"))


def test_a_layout_is_its_address(wall: Page) -> None:
    wall.get_by_role("button", name="Layout").click()
    wall.get_by_label("Tile size").select_option("large")
    wall.get_by_label("Sections").select_option("prefix")
    expect(wall).to_have_url(re.compile(r"/wall\?size=large&by=prefix$"))
    expect(wall.get_by_role("heading", name=re.compile("demo 4"))).to_be_visible(timeout=PATIENCE)
    wall.reload()
    expect(wall.get_by_role("heading", name=re.compile("demo 4"))).to_be_visible(timeout=PATIENCE)
    wall.keyboard.press("/")
    wall.keyboard.type("demo-3")
    expect(wall.locator("[data-camera]")).to_have_count(1)


def test_a_wall_screen_has_no_bar_hides_the_pointer_and_is_left_by_a_key(wall: Page) -> None:
    wall.goto(wall.url + "?wall")
    expect(wall.locator("[data-camera]")).to_have_count(len(DEMO), timeout=PATIENCE)
    expect(wall.locator("header")).to_have_count(0)
    expect(wall.get_by_role("heading", level=1)).to_have_text(
        re.compile("^(Healthy|Degraded|Starting up)"), timeout=PATIENCE
    )
    wall.mouse.move(200, 300)
    main = wall.locator("main")
    expect(main).to_have_css("cursor", "auto")
    expect(main).to_have_css("cursor", "none", timeout=PATIENCE)
    wall.keyboard.press("Escape")
    expect(wall).to_have_url(re.compile("/wall$"))
    expect(wall.locator("header")).to_have_count(1)


def test_pages_turn_by_themselves_and_by_keys(native: Native, wall: Page) -> None:
    wall.set_viewport_size({"width": 700, "height": 620})
    wall.goto(native.endpoints["gateway"] + "/wall?wall&size=huge&rotate=5&order=name")
    shown = wall.locator("[data-camera]")
    expect(shown).to_have_count(1, timeout=PATIENCE)

    def camera() -> str:
        return str(shown.first.get_attribute("data-camera"))

    seen = set()

    def all_seen() -> bool:
        seen.add(camera())
        return seen == set(DEMO)

    assert eventually("every camera had its turn", all_seen, 60)
    wall.keyboard.press(" ")
    expect(wall.get_by_text("paused")).to_be_visible()
    before = camera()
    time.sleep(6)
    assert camera() == before
    wall.keyboard.press("PageDown")
    expect(wall.locator(f'[data-camera="{before}"]')).to_have_count(0)


def test_what_an_address_says_in_vain_is_told(native: Native, wall: Page) -> None:
    wall.goto(native.endpoints["gateway"] + "/wall?rotate=3")
    expect(wall.get_by_text("Part of this address has no effect")).to_be_visible(timeout=PATIENCE)


def test_axe_finds_nothing_on_a_wall_in_sections(native: Native, page: Page) -> None:
    """On the others: test_every_page.py."""
    enter(page, native, "/wall?by=prefix")
    expect(page.locator("[data-camera]")).to_have_count(len(DEMO), timeout=PATIENCE)
    for scheme in ("dark", "light"):
        choose_scheme(page, scheme)
        assert violations(page) == []
