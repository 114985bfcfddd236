"""The objectives on the page: what is left, what is not known, and that Prometheus is away."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gateway.prometheus.objectives import AWAY, GOOD
from tests.e2e.pages import enter
from tests.e2e.test_overview import PATIENCE, get
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


def test_the_page_understands_what_the_gateway_says(native: Native) -> None:
    status, answer = get(native, "/api/objectives", native.endpoints["token"])
    assert (status, answer["source"], answer["error"]) == (200, "prometheus", None)


def test_the_objectives_and_what_is_not_known(native: Native, page: Page) -> None:
    told: dict[str, Any] = GOOD
    page.route("**/api/objectives", lambda route: route.fulfill(json=told))
    enter(page, native)
    panel = page.get_by_role("region", name="Objectives")
    expect(panel).to_contain_text("67 % left", timeout=PATIENCE)
    row = panel.locator("[data-objective=freshness]")
    expect(row).to_contain_text(re.compile(r"Freshness\s*67 %\s*0\.2×"))
    expect(panel).to_contain_text("target 99 %, result 99.67 %, 14 d of 30 days")
    expect(panel.locator("[data-objective=paint]")).to_contain_text("–")
    expect(panel).to_contain_text("one day of figures is needed, and 2 h exist.")
    line = panel.locator(".line > span").first
    share = line.evaluate("each => each.clientWidth / each.parentElement.clientWidth")
    assert share == pytest.approx(0.67, abs=0.01)

    told = AWAY
    expect(panel).to_contain_text(
        "The objectives are unknown: Prometheus cannot be reached: Connection refused", timeout=PATIENCE
    )
    expect(panel.locator("tr")).to_have_count(0)
