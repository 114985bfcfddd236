"""The page Nodes with real workers: what draining one means, doing it, and the way back."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import enter
from tests.e2e.test_overview import PATIENCE, get
from tests.helpers.eventually import eventually
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


@pytest.fixture
def restored(native: Native) -> Iterator[Native]:
    """The system of all tests, with both of its workers at work again afterwards."""
    yield native
    for each in workers(native):
        if each["drain"] is not None:
            request = urllib.request.Request(  # noqa: S310
                f"{native.endpoints['gateway']}/api/nodes/undrain?node={each['node_id']}",
                method="POST",
                headers={"Authorization": f"Bearer {native.endpoints['token']}"},
            )
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                json.load(answer)
    eventually("both at work", lambda: [each["state"] for each in workers(native)] == ["running"] * 2, 20)


def workers(native: Native) -> list[dict[str, Any]]:
    status, answer = get(native, "/api/nodes", native.endpoints["token"])
    assert status == 200
    found: list[dict[str, Any]] = answer["items"]
    return found


def test_an_operator_drains_a_worker_and_calls_it_back_by_keyboard(restored: Native, page: Page) -> None:
    enter(page, restored)
    expect(page.locator("[data-node]")).to_have_count(2, timeout=PATIENCE)
    page.get_by_role("link", name="All nodes").click()
    expect(page).to_have_title(re.compile("Nodes · Framefleet$"), timeout=PATIENCE)
    expect(page.locator("[data-producer], [data-gateway]")).to_have_count(2, timeout=PATIENCE)

    name = workers(restored)[0]["node_id"]
    row = page.locator(f"[data-worker='{name}']")
    row.get_by_role("button", name=f"Drain {name}").press("Enter")
    question = page.get_by_role("group", name=f"Drain {name}?")
    expect(question.get_by_text("Remaining in the lane live: 1 worker")).to_be_visible()
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name=f"Drain {name}")).to_be_focused()
    assert [each["drain"] for each in workers(restored)] == [None, None]

    page.keyboard.press("Enter")
    question.get_by_role("button", name=f"Drain {name}").press("Enter")
    expect(row.locator("[data-state]")).to_have_text("drained", timeout=PATIENCE)
    expect(page.get_by_text("1 of 2 working, 1 drained")).to_be_visible()
    expect(page.locator("[data-health]")).not_to_contain_text("lost")
    undrain = row.get_by_role("button", name=f"Undrain {name}")
    expect(undrain).to_be_focused()
    undrain.press("Enter")
    expect(row.locator("[data-state]")).to_have_text("running", timeout=PATIENCE)
    expect(page.get_by_text("2 of 2 working")).to_be_visible()


def test_a_heading_sorts_and_the_address_says_so(restored: Native, page: Page) -> None:
    enter(page, restored)
    expect(page.locator("[data-node]")).to_have_count(2, timeout=PATIENCE)
    page.keyboard.press("g")
    page.keyboard.press("n")
    head = page.get_by_role("columnheader", name="Worker")
    head.get_by_role("button").click(timeout=PATIENCE)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert page.url.endswith("/nodes?workers=-worker")
    names = sorted((each["node_id"] for each in workers(restored)), reverse=True)
    expect(page.locator("[data-worker] th")).to_have_text(names)
