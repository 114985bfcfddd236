"""The remote lane on the page Models: what it spends and what holds it, with a real worker and one that charges."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.e2e.pages import violations
from tests.e2e.test_queues import away
from tests.helpers.bus import bus
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.vision_server import vision_server
from tests.integration.test_worker_remote import fill, remote

pytestmark = pytest.mark.e2e

PATIENCE = 30_000


def test_money_is_shown_and_an_operator_pauses_resumes_and_raises(
    address: str,
    rabbitmq: str,
    start: StartService,
    context: BrowserContext,
    browser: Browser,
    tmp_path: Path,
) -> None:
    page = context.new_page()  # it may log errors: this gateway has no Prometheus

    async def send(count: int) -> None:
        async with bus(rabbitmq) as b:
            await fill(b, count)

    page.goto(ask_link(address, TOKEN))
    page.goto(f"{address}/models")
    expect(page.locator("#models-known")).to_be_visible(timeout=PATIENCE)
    panel = page.locator("[data-remote]")
    expect(panel).to_have_count(0)  # nobody has such a lane here

    with vision_server(price=(10.0, 50.0)) as server:
        start("worker", **remote(rabbitmq, server, tmp_path, WORKER_REMOTE_BUDGET_DAY="0.10")).ready()
        said = panel.locator("[data-standing]")
        expect(said).to_have_text("Calls go out", timeout=PATIENCE)
        today = panel.locator("[data-budget='Today'] [data-sum]")
        expect(today).to_contain_text("$0.00 of $0.10", timeout=PATIENCE)
        expect(panel.locator("[data-budget='This month'] [data-sum]")).to_contain_text("$0.00 of $100.00")

        panel.get_by_role("button", name="Pause").click()
        expect(said).to_have_text("Paused by an operator")

        def heard() -> bool:
            workers = page.request.get(f"{address}/api/remote").json()["workers"]
            return bool(workers and workers[0]["held_by"] == "operator")

        eventually("the worker has heard of it", heard, 20)
        away(send(20))
        expect(panel.get_by_text("20 frames wait")).to_be_visible(timeout=PATIENCE)
        assert not server.calls

        viewer = browser.new_context()
        other = viewer.new_page()
        other.goto(ask_link(address, TOKEN, "viewer"))
        other.goto(f"{address}/models")
        expect(other.get_by_role("button", name="Resume")).to_be_disabled(timeout=PATIENCE)
        expect(other.get_by_text("only operators can pause and resume the lane")).to_be_visible()
        viewer.close()

        panel.get_by_role("button", name="Resume").click()
        expect(said).to_have_text("Held by the budget", timeout=PATIENCE)
        expect(panel.get_by_text("has not enough left for another call")).to_be_visible()
        expect(today).to_contain_text(re.compile(r"\$0\.0\d+ of \$0\.10"), timeout=PATIENCE)
        assert violations(page) == []
        panel.get_by_label("Raise by $").fill("3")
        panel.get_by_role("button", name="Raise by $3.00").click()
        expect(said).to_have_text("Calls go out", timeout=PATIENCE)
        expect(panel.get_by_text("raised by $3.00")).to_be_visible(timeout=PATIENCE)
        expect(panel.locator("[data-budget='Today']")).to_contain_text("20 frames", timeout=PATIENCE)
