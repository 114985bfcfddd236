"""Charts of a real Prometheus in a browser: the explorer, and the cards of the overview that turn into theirs."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, expect

from tests.e2e.pages import sign_in, violations
from tests.e2e.test_overview import PATIENCE
from tests.helpers.eventually import eventually
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

AWAY = {
    "status": "error",
    "errorType": "unavailable",
    "error": "Prometheus cannot be reached: Connection refused",
}
RATE = "sum(rate(cv_frames_processed_total[1m])) by (node_id)"
BY_NODE = f"/explore?expr={quote(RATE)}&from=now-5m"
"""Two workers: two lines."""
TURNS = 40
"""So often a chart is opened and closed: what each leaves behind adds up."""


@pytest.fixture
def signed_in(native: Native, page: Page) -> Page:
    sign_in(page.context, native.endpoints["gateway"], native.endpoints["token"])
    return page


def to(native: Native, page: Page, path: str) -> None:
    page.goto(native.endpoints["gateway"] + path)


def colours(chart: Locator) -> int:
    """How many colours are on its canvas; 1: it is blank."""
    found: int = chart.locator("canvas").evaluate(
        """c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"""
    )
    return found


def test_an_expression_is_completed_run_drawn_and_shared(native: Native, signed_in: Page) -> None:
    page = signed_in
    chart = page.locator("[data-chart=Result]")
    to(native, page, BY_NODE)  # names are completed once Prometheus has heard the workers
    expect(chart.get_by_role("listitem")).to_have_count(2, timeout=PATIENCE)
    to(native, page, "/")
    expect(page.locator("[data-health]")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("x")
    expect(page).to_have_url(re.compile("/explore$"))
    editor = page.get_by_role("textbox", name="PromQL expression")
    editor.click()
    # `g`, `/` and `?` are letters here. Prometheus' own names are offered, and one of them is taken.
    page.keyboard.type("sum(rate(cv_frames_proc", delay=20)
    offered = page.get_by_role("option", name="cv_frames_processed_total")
    offered.click(timeout=PATIENCE)  # keys count only when the list has been there for a moment
    page.keyboard.type("[1m])) by (node_id) # g e / ?")
    expect(editor).to_have_text("sum(rate(cv_frames_processed_total[1m])) by (node_id) # g e / ?")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/explore\?expr=sum"))
    expect(chart.get_by_role("listitem")).to_have_count(2, timeout=PATIENCE)
    eventually("the chart is drawn", lambda: colours(chart) > 5)
    assert violations(page) == []

    # A colleague with the link sees the same; so does who comes back by the history.
    page.reload()
    expect(editor).to_have_text(re.compile("node_id"), timeout=PATIENCE)
    expect(chart.get_by_role("listitem")).to_have_count(2, timeout=PATIENCE)
    expect(page.get_by_text("Recent in this browser")).to_be_visible()
    page.get_by_role("button", name="Values").click()
    values = page.get_by_role("region", name="Table of values")
    expect(values.get_by_role("row")).to_have_count(3, timeout=PATIENCE)
    assert violations(page) == []


def test_what_goes_wrong_is_told_where_it_is(native: Native, context: BrowserContext) -> None:
    page = context.new_page()  # the browser logs refused requests as errors
    sign_in(context, native.endpoints["gateway"], native.endpoints["token"])
    to(native, page, f"/explore?expr={quote('sum(rate(x[1m])) by')}")
    chart = page.locator("[data-chart=Result]")
    expect(chart).to_contain_text("The query was refused. 1:20: parse error", timeout=PATIENCE)
    fault = page.locator(".cm-lintRange-error")
    expect(fault).to_have_count(1, timeout=PATIENCE)
    assert violations(page) == []

    to(native, page, "/explore?expr=up&from=now-5w")
    expect(chart).to_contain_text("The range is longer than 31 days: ask for a part of it.", timeout=PATIENCE)

    page.route("**/query_range?*", lambda route: route.fulfill(status=502, json=AWAY))
    to(native, page, "/explore?expr=up&from=now-5m")
    expect(chart).to_contain_text(
        "No answer from Prometheus. Prometheus cannot be reached: Connection refused.", timeout=PATIENCE
    )
    page.unroute_all(behavior="ignoreErrors")
    expect(chart.get_by_role("listitem").first).to_be_visible(timeout=PATIENCE)  # by itself
    to(native, page, "/explore?expr=no_such_metric&from=now-5m")
    expect(chart).to_contain_text("– No data in this range", timeout=PATIENCE)


def test_dragging_zooms_and_the_table_has_the_numbers(native: Native, signed_in: Page) -> None:
    page = signed_in
    to(native, page, BY_NODE)
    chart = page.locator("[data-chart=Result]")
    expect(chart.get_by_role("listitem")).to_have_count(2, timeout=PATIENCE)
    over = chart.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=\d{4}-.*&to=\d{4}-"))
    over.dblclick()
    expect(page).to_have_url(re.compile(r"from=now-5m&to=now$"))

    # By keyboard: a step back, told in words.
    page.mouse.move(1, 1)
    slider = chart.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: .* \d"))
    chart.get_by_role("button", name="Table Result").click()
    table = chart.get_by_role("table")
    expect(table.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    assert violations(page) == []


def test_a_card_turns_into_its_chart_and_leaves_nothing_behind(native: Native, signed_in: Page) -> None:
    page = signed_in
    to(native, page, "/")
    card = page.get_by_role("button", name="Latency p50 · p95")
    card.click()
    expect(page).to_have_url(re.compile(r"\?figure=latency"))
    chart = page.locator("[data-chart='Latency p50 and p95']")
    expect(chart.get_by_role("listitem")).to_have_count(2, timeout=PATIENCE)
    expect(chart).to_contain_text("Objective: 500 ms")
    eventually("the chart is drawn", lambda: colours(chart) > 5)
    page.keyboard.press("Escape")
    expect(chart).to_have_count(0)
    expect(card).to_be_focused()

    browser = page.context.new_cdp_session(page)
    opened_and_closed(page, 5)
    before = counted(browser)
    opened_and_closed(page, TURNS)
    after = counted(browser)
    assert after["jsEventListeners"] - before["jsEventListeners"] < TURNS, (before, after)
    assert after["nodes"] - before["nodes"] < 10 * TURNS, (before, after)


def opened_and_closed(page: Page, times: int) -> None:
    """Mounts and destroys a card's chart, with what it draws if it gets that far."""
    page.evaluate(
        """async times => {
            const button = document.querySelector('[data-metric=processingRate] button');
            const chart = () => document.querySelector('[data-chart] canvas');
            const until = async (done) => { while (!done()) await new Promise(r => setTimeout(r, 5)); };
            for (let turn = 0; turn < times; turn += 1) {
                button.click();
                await until(() => chart() !== null);
                button.click();
                await until(() => chart() === null);
            }
        }""",
        times,
    )


def counted(browser: CDPSession) -> dict[str, int]:
    browser.send("HeapProfiler.collectGarbage")
    found: dict[str, int] = browser.send("Memory.getDOMCounters")
    return found
