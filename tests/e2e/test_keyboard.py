"""The main path without a pointer: from the overview to a camera, an event, an alert and its runbook, and back."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import enter
from tests.e2e.test_overview import DEMO, PATIENCE
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

FOCUS = """() => {
  const e = document.activeElement;
  if (e === null || e === document.body) return 'lost';
  const outlined = (of, pseudo) => getComputedStyle(of, pseudo).outlineStyle !== 'none';
  // A field may mark its frame instead.
  const frames = [e.parentElement, e.parentElement.parentElement];
  const marked = outlined(e) || outlined(e, '::after') || frames.some((f) => outlined(f))
    || e.matches('main, h2');  // where a page begins: there is nothing to press
  return marked ? 'seen' : 'unseen: ' + e.outerHTML.slice(0, 200);
}"""


def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    """Tab until `wanted` has the focus; on the way it is always somewhere, and seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus in ("seen", "lost"), focus  # after the last control comes the browser's own
        if wanted.evaluate("e => e === document.activeElement"):
            assert focus == "seen"
            return
    raise AssertionError(f"{most} times Tab do not lead to {wanted}")


def go(page: Page, key: str, title: str) -> None:
    page.keyboard.press("g")
    page.keyboard.press(key)
    expect(page).to_have_title(re.compile(f"{title} · Framefleet$"), timeout=PATIENCE)


def test_from_the_overview_to_a_camera_its_events_and_the_alerts(native: Native, page: Page) -> None:
    enter(page, native)
    expect(page.locator("[data-camera] [data-frame]")).to_have_count(len(DEMO), timeout=PATIENCE)

    # To the tiles by Tab, along them by arrows, into the large picture and on to the camera's page.
    tab_to(page, page.locator('[data-camera="demo-1"]'))
    page.keyboard.press("ArrowRight")
    expect(page.locator('[data-camera="demo-2"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[data-large="demo-2"]')).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator('[data-camera="demo-2"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-large] h2, h2:focus").first).to_be_visible(timeout=PATIENCE)
    tab_to(page, page.get_by_role("link", name="Camera page"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/cameras/demo-2"))
    expect(page.locator("[data-picture]")).to_have_attribute(
        "data-frame", re.compile("^demo-2:"), timeout=PATIENCE
    )
    assert page.evaluate(FOCUS) == "seen"
    tab_to(page, page.get_by_label("Boxes"))
    page.keyboard.press("Space")
    expect(page.get_by_label("Boxes")).not_to_be_checked()

    # Events: one is opened, marked and closed, and has the focus again.
    go(page, "e", "Events")
    expect(page.locator("main")).to_be_focused()
    first = page.locator("[data-event]").first
    expect(first).to_be_visible(timeout=PATIENCE)
    card = first.get_by_role("link").first.or_(first.and_(page.locator("a"))).first
    tab_to(page, card)
    name = first.get_attribute("data-event")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    assert dialog.evaluate("e => e.contains(document.activeElement)")
    for _ in range(30):  # it keeps the focus
        page.keyboard.press("Tab")
        assert dialog.evaluate("e => e.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('[data-event]')?.dataset.event") == name

    # Alerts: a rule opens with its runbook, and closes.
    go(page, "a", "Alerts")
    tab_to(page, page.get_by_role("link", name=re.compile("^Rules")))
    page.keyboard.press("Enter")
    summary = page.locator("[data-rule] summary").first
    expect(summary).to_be_visible(timeout=PATIENCE)
    tab_to(page, summary)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Runbook").first).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Runbook")).to_have_count(0)
    go(page, "o", "Overview")
    expect(page.locator("[data-camera] [data-frame]")).to_have_count(len(DEMO), timeout=PATIENCE)


def test_the_account_the_help_and_the_health_by_keyboard(native: Native, page: Page) -> None:
    enter(page, native)
    expect(page.locator("[data-camera]")).to_have_count(len(DEMO), timeout=PATIENCE)
    page.keyboard.press("?")
    helped = page.get_by_role("dialog")
    expect(helped).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(helped).to_have_count(0)
    account = page.get_by_role("button", name="operator")
    tab_to(page, account)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(account).to_be_focused()
