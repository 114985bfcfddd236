"""The ready link in a browser, with and without scripts, and what the strict policy leaves alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.ports import free_port
from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.gateway import NO_BROKER, TOKEN
from tests.helpers.processes import ROOT

pytestmark = pytest.mark.e2e


@pytest.fixture
def gateway(start: StartService, tmp_path: Path) -> str:
    """Its address; it has no broker, which signing in does not need."""
    port = free_port()
    service = start(
        "gateway",
        AMQP_URL=NO_BROKER,
        GATEWAY_PORT=str(port),
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path),
        GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
    )
    eventually("it listens", lambda: "gateway listens" in service.log.read_text())
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def without_scripts(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def signed_in(page: Page) -> bool:
    return any(cookie["name"] == "framefleet_session" for cookie in page.context.cookies())


def test_a_link_signs_one_browser_in_and_leaves_no_code_behind(browser: Browser, gateway: str) -> None:
    link = ask_link(gateway, TOKEN)
    first, second = browser.new_context(), browser.new_context()
    page, late = first.new_page(), second.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(link)
    expect(page).to_have_url(f"{gateway}/")
    expect(page.locator("[data-health]")).to_be_visible(timeout=30_000)
    assert signed_in(page)
    assert page.evaluate("document.cookie") == ""
    assert [text for text in said if "Content Security Policy" in text] == []
    late.goto(link)
    expect(late).to_have_url(f"{gateway}/login?link=used&next=/")
    assert not signed_in(late)
    first.close()
    second.close()


def test_without_scripts_there_is_a_button(without_scripts: Page, gateway: str) -> None:
    without_scripts.goto(ask_link(gateway, TOKEN))
    assert not signed_in(without_scripts)
    without_scripts.get_by_role("button", name="Sign in").click()
    expect(without_scripts).to_have_url(f"{gateway}/")
    assert signed_in(without_scripts)


def test_the_page_may_talk_to_its_own_gateway_only(browser: Browser, gateway: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(ask_link(gateway, TOKEN))
    expect(page.locator("[data-health]")).to_be_visible(timeout=30_000)
    connect = """url => new Promise(done => {
        const socket = new WebSocket(url);
        socket.onopen = () => done('open');
        socket.onerror = () => done('error');
    })"""
    refused = """() => new Promise(done => {
        document.addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
    })"""
    assert page.evaluate(connect, gateway.replace("http", "ws") + "/ws/results") == "open"
    violation = page.evaluate(
        f"() => {{ const seen = ({refused})(); new WebSocket('ws://127.0.0.2:9/'); return seen; }}"
    )
    assert violation == "connect-src"
    written = page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return 'written' } catch (e) { return e.name } }"
    )
    assert written == "TypeError"  # trusted types
    context.close()


def test_who_guesses_is_told_to_wait(browser: Browser, gateway: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(gateway)
    words = page.get_by_role("alert")
    for guess in range(12):
        page.get_by_label("Token or link").fill(f"a-guess-with-the-number-{guess}")
        page.get_by_role("button", name="Sign in").click()
        expect(words).to_contain_text(re.compile("does not accept this token|Too many"))
        page.get_by_label("Token or link").fill("")
    expect(words).to_contain_text("Too many wrong tokens. Wait 1 minute, then try again.")
    context.close()
