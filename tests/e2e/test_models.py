"""Switching the model in the browser, with real workers that go on computing the demo's frames."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BUILT_IN
from tests.e2e.pages import enter
from tests.e2e.test_overview import PATIENCE, get
from tests.helpers.eventually import eventually
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e


@pytest.fixture
def restored(native: Native) -> Iterator[Native]:
    """The system of all tests, with the workers' own model again afterwards."""
    yield native
    switch(native, "default")
    eventually("their own again", lambda: models_in_use(native) == {BUILT_IN}, 20)


def switch(native: Native, model: str) -> Any:
    request = urllib.request.Request(  # noqa: S310
        f"{native.endpoints['gateway']}/api/models/switch?model={model}",
        method="POST",
        headers={"Authorization": f"Bearer {native.endpoints['token']}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return json.loads(answer.read())


def models_in_use(native: Native) -> set[str]:
    status, answer = get(native, "/api/nodes", native.endpoints["token"])
    assert status == 200
    return {node["model"].partition("@")[0] for node in answer["items"] if node["state"] == "running"}


def choose(page: Page, model: str) -> None:
    page.get_by_label("Model").select_option(model)
    page.get_by_role("button", name="Switch").click()


def test_an_operator_switches_the_model_and_sees_who_follows(restored: Native, page: Page) -> None:
    enter(page, restored)
    in_use = page.locator("[data-model-in-use]")
    expect(in_use).to_have_text(BUILT_IN, timeout=PATIENCE)
    choose(page, "tiny")
    expect(in_use).to_have_text("tiny", timeout=PATIENCE)
    expect(page.locator("[data-settled='2']")).to_have_count(1, timeout=PATIENCE)
    assert models_in_use(restored) == {"tiny"}
    frame = page.locator('[data-camera="demo-1"] [data-picture]').get_attribute("data-frame")
    # Frames go on.
    expect(page.locator('[data-camera="demo-1"] [data-picture]')).not_to_have_attribute(
        "data-frame", str(frame), timeout=PATIENCE
    )

    choose(page, "broken")
    expect(page.get_by_text("model broken: ")).to_be_visible(timeout=PATIENCE)
    expect(in_use).to_have_text("tiny")
    expect(page.locator("[data-health]")).to_contain_text("2 nodes on an old model", timeout=PATIENCE)

    choose(page, "default")
    expect(in_use).to_have_text(BUILT_IN, timeout=PATIENCE)
    expect(page.get_by_text("model broken: ")).to_have_count(0, timeout=PATIENCE)


def test_cancelling_switches_nothing(restored: Native, page: Page) -> None:
    enter(page, restored)
    expect(page.locator("[data-model-in-use]")).to_have_text(BUILT_IN, timeout=PATIENCE)
    page.get_by_label("Model").select_option("tiny")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Switch")).to_have_count(0)
    assert models_in_use(restored) == {BUILT_IN}


def test_the_models_page_tells_the_price_switches_and_leads_back(restored: Native, page: Page) -> None:
    enter(page, restored, "/models")
    tiny = page.locator("tr[data-model='tiny']")
    expect(tiny).to_contain_text("not in use", timeout=PATIENCE)
    page.get_by_role("checkbox", name="tiny").check()
    expect(page.locator("[data-price]")).to_contain_text(
        re.compile(r"About [\d.]+ ms per frame|The cost of tiny is not known")
    )
    page.get_by_role("button", name="Switch", exact=True).click()
    expect(tiny).not_to_contain_text("not in use", timeout=PATIENCE)
    expect(page.locator("main [data-settled='2'][data-running='2']")).to_be_visible(timeout=PATIENCE)
    assert models_in_use(restored) == {"tiny"}
    page.get_by_role("button", name="Return to Worker default").click()
    page.locator("[data-price]").get_by_role("button", name="Clear").click()
    expect(tiny).to_contain_text("not in use", timeout=PATIENCE)
    eventually("their own again", lambda: models_in_use(restored) == {BUILT_IN}, 20)
