"""An alert on the page says what to do, where it is asked for."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from cli.ports import free_port
from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.helpers.gateway import TOKEN
from tests.helpers.processes import ROOT
from tests.helpers.prometheus import real_prometheus

pytestmark = pytest.mark.e2e

PATIENCE = 30_000


def test_an_alert_says_what_to_do_and_where_more_is_said(
    context: BrowserContext, start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    port = free_port()
    with real_prometheus(tmp_path, scraped=False) as prometheus:
        start(
            "gateway",
            AMQP_URL=rabbitmq,
            GATEWAY_PORT=str(port),
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(tmp_path / "gateway"),
            GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
            PROMETHEUS_URL=prometheus,
        ).ready()
        page = context.new_page()
        page.goto(ask_link(f"http://127.0.0.1:{port}", TOKEN))
        alert = page.locator('[data-alert="AlwaysFiring"]')
        expect(alert).to_contain_text("it burns", timeout=PATIENCE)
        said = alert.get_by_text("Bring water:")
        expect(said).to_be_hidden()
        alert.locator("summary").focus()
        page.keyboard.press("Enter")
        # No markup of its own.
        expect(said).to_have_text("Bring water: docker compose up -d water, <b>much</b>.")
        expect(alert.locator("code").first).to_have_text("docker compose up -d water")
        expect(alert).to_contain_text("The runbook did not load")  # the gateway has none for it
        # The panel gets new items with every answer; what is open stays open.
        with page.expect_response("**/api/alerts", timeout=PATIENCE):
            pass
        with page.expect_response("**/api/alerts", timeout=PATIENCE):
            pass
        expect(said).to_be_visible()
        # Its page: the rule with its expression, a search, and what nobody has silenced.
        page.get_by_role("link", name="All alerts and rules").click()
        expect(page).to_have_title(re.compile("Alerts"))
        page.get_by_role("link", name=re.compile("^Rules")).click()
        rule = page.locator('[data-rule="AlwaysFiring"]')
        rule.locator("summary").click()
        expect(rule).to_contain_text("vector(1)")
        page.get_by_role("searchbox").fill("nothing like it")
        expect(page.get_by_text("No rule matches")).to_be_visible()
        page.goto(f"http://127.0.0.1:{port}/alerts")
        expect(page.get_by_text("No Alertmanager is configured")).to_be_visible()
        # It evaluates rules, but not ours: what they would say is unknown.
        expect(page.get_by_text("Prometheus does not evaluate the rules")).to_be_visible(timeout=PATIENCE)
