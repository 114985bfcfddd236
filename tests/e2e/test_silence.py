"""The gateway stands still: it listens, and says nothing. The page says that, and goes on by itself."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from cli.ports import free_port
from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.helpers.freezing import frozen
from tests.helpers.gateway import TOKEN
from tests.helpers.processes import ROOT

pytestmark = pytest.mark.e2e


def test_a_frozen_gateway(
    context: BrowserContext, start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    port = free_port()
    gateway = start(
        "gateway",
        AMQP_URL=rabbitmq,
        GATEWAY_PORT=str(port),
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path / "data"),
        GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
    ).ready()
    page = context.new_page()  # whose console may complain
    page.goto(ask_link(f"http://127.0.0.1:{port}", TOKEN))
    health = page.locator("[data-health]")
    expect(health).to_be_visible(timeout=30_000)
    expect(health).not_to_contain_text("Disconnected")
    with frozen(gateway.process.pid) as begun:
        expect(health).to_contain_text("Disconnected", timeout=25_000)
        said = time.monotonic() - begun
    thawed = time.monotonic()
    expect(health).not_to_contain_text("Disconnected", timeout=30_000)
    print(
        f"\ngateway frozen: the page says so after {said:.1f} s, is back {time.monotonic() - thawed:.1f} s after"
    )
