"""What the demo's cameras see: it appears among the events, with its picture and its boxes."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import enter
from tests.e2e.test_overview import PATIENCE
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


def test_what_the_demo_sees_appears_with_its_picture(native: Native, page: Page) -> None:
    enter(page, native)
    expect(page.locator("[data-health]")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/events$"))
    expect(page).to_have_title(re.compile("Events"))
    for camera in ("demo-1", "demo-2", "demo-3", "demo-4"):
        card = page.locator(f'[data-of="{camera}"]').first
        expect(card).to_contain_text(re.compile(r"\d+ faces?"), timeout=PATIENCE)
        picture = card.locator("img")
        expect(picture).to_be_visible(timeout=PATIENCE)
        expect(picture).to_have_js_property("complete", True, timeout=PATIENCE)
        assert picture.evaluate("each => each.naturalWidth") in range(100, 321)
    strip = page.get_by_role("slider")
    expect(strip).to_have_attribute("data-activity", re.compile(r"[1-9]"), timeout=PATIENCE)
    expect(strip).to_have_attribute("aria-valuetext", re.compile("frames? with detections, at most"))
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.locator("[data-camera]")).to_have_count(4, timeout=PATIENCE)


def test_an_event_shows_its_boxes_where_they_were_found_and_is_reviewed(native: Native, page: Page) -> None:
    enter(page, native)
    expect(page.locator("[data-health]")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("e")
    card = page.locator('[data-of="demo-1"]').first
    expect(card.locator("img")).to_have_js_property("complete", True, timeout=PATIENCE)
    card.click()
    large = page.get_by_role("dialog")
    drawn = large.locator("[data-boxes]")
    expect(drawn).to_have_attribute("data-boxes", re.compile(r"\d"), timeout=PATIENCE)
    large.get_by_label("Scores").uncheck()
    expect(drawn).to_have_attribute("data-layers", "boxes")
    boxes = json.loads(drawn.get_attribute("data-boxes") or "[]")
    left, top, right, bottom, scale = drawn.evaluate(ACCENT)
    found = [min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes)]
    ends = [max(x + w for x, _, w, _ in boxes), max(y + h for _, y, _, h in boxes)]
    for edge, wanted in zip((left, top, right, bottom), (*found, *ends), strict=True):
        assert abs(edge - wanted * scale) <= 2
    page.keyboard.press("s")
    expect(large).to_contain_text("Seen by main")
    page.keyboard.press("w")
    expect(large).to_contain_text("A detection is not a face by main")
    page.keyboard.press("w")
    expect(large).to_contain_text("Is the detection right?")
    with page.expect_download() as file:
        large.get_by_role("button", name="as shown").click()
    assert re.fullmatch(r"demo-1-\d+-marked\.jpg", file.value.suggested_filename)


ACCENT = """canvas => {
    const { width, height } = canvas;
    const colours = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let at = 0; at < colours.length; at += 4)
        if (colours[at] === 76 && colours[at + 1] === 194 && colours[at + 2] === 255 && colours[at + 3] === 255) {
            const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
            [left, top] = [Math.min(left, x), Math.min(top, y)];
            [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
        }
    const image = canvas.parentElement.querySelector("img");
    return [left, top, right, bottom, width / image.naturalWidth];
}"""
"""Where the boxes' colour lies on the canvas, and how many of its pixels are one of the picture's."""
