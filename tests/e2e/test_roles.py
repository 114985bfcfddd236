"""Who may in, and who may do what, in a real browser: tokens, one-time links, viewers and operators."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.ready_link import ask_link
from gateway.tokens.file import FILE, add_token, revoke_token
from tests.e2e.conftest import BUILT_IN
from tests.e2e.test_overview import PATIENCE, link
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

Visit = Callable[[], Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a page in a browser of its own. It may log errors: being refused is one, to a browser."""
    opened = []

    def visitor() -> Page:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        opened.append(context)
        return context.new_page()

    yield visitor
    for context in opened:
        context.close()


@pytest.fixture
def tokens(native: Native) -> Path:
    """The file of further tokens of the system of all tests."""
    return native.root / ".run" / "gateway" / FILE


def sign_in(page: Page, native: Native, pasted: str, path: str = "/") -> None:
    """By hand, on the login page."""
    page.goto(native.endpoints["gateway"] + path)
    paste(page, pasted)


def paste(page: Page, text: str) -> None:
    page.get_by_label("Token or link").fill(text)
    page.get_by_role("button", name="Sign in").click()


def shows_role(page: Page, role: str) -> None:
    expect(page.locator("[data-role]")).to_have_text(role, timeout=PATIENCE)


def status(page: Page, path: str) -> int:
    """What the gateway answers to a POST of the page's own script."""
    answered: int = page.evaluate(
        "async (path) => (await fetch(path, { method: 'POST' })).status",
        path,
    )
    return answered


def test_a_wrong_token_is_told_and_the_right_one_leads_on(native: Native, visit: Visit) -> None:
    page = visit()
    sign_in(page, native, "this-is-no-token-of-the-gateway", "/events?range=24h")
    expect(page.get_by_role("alert")).to_contain_text("does not accept this token")
    assert page.context.cookies() == []
    paste(page, native.endpoints["token"])
    expect(page).to_have_url(re.compile(r"/events\?range=24h$"))
    shows_role(page, "operator")


def test_a_link_works_once(native: Native, visit: Visit) -> None:
    once = link(native)
    first, second = visit(), visit()
    first.goto(once)
    shows_role(first, "operator")
    expect(first).to_have_url(re.compile(r"^[^?]*/$"))

    second.goto(once)
    words = second.get_by_role("alert")
    expect(words).to_contain_text("This link was already used, or is older than a day")
    expect(words).to_contain_text("framefleet link")
    paste(second, once)
    expect(words).to_contain_text("This link was already used, or is older than a day")
    paste(second, link(native))  # a link may be pasted as well
    shows_role(second, "operator")
    shows_role(first, "operator")


def test_a_viewer_sees_everything_and_changes_nothing(native: Native, tokens: Path, visit: Visit) -> None:
    page = visit()
    sign_in(page, native, add_token(tokens, "lobby screen", "viewer", time.time(), None))
    shows_role(page, "viewer")
    expect(page.get_by_role("button", name="viewer")).to_have_attribute("title", re.compile("lobby screen"))
    expect(page.locator('[data-camera="demo-1"] [data-picture]')).to_have_attribute(
        "data-frame", re.compile("^demo-1:"), timeout=PATIENCE
    )
    expect(page.locator("[data-model-in-use]")).to_have_text(BUILT_IN, timeout=PATIENCE)
    expect(page.get_by_text("Signed in as viewer: only operators can switch models.")).to_be_visible()
    expect(page.get_by_label("Model")).to_have_count(0)
    assert status(page, "/api/models/switch?model=tiny") == 403
    assert status(page, "/api/links") == 403
    page.get_by_role("button", name="viewer").click()
    expect(page.get_by_text("A viewer sees everything and changes nothing.")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Invite a viewer…")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Events").click()
    expect(page.locator("[data-event]").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-model-in-use]")).to_have_count(0)


def test_an_operator_may_switch_and_invites_a_viewer(native: Native, page: Page, visit: Visit) -> None:
    page.goto(link(native))
    shows_role(page, "operator")
    expect(page.get_by_label("Model")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="operator").click()
    page.get_by_role("menuitem", name="Invite a viewer…").click()
    field = page.get_by_label("Link for a viewer")
    expect(field).to_have_value(re.compile(r"^http://.*/\?code=.+"))
    expect(page.get_by_role("dialog")).to_contain_text("The link works once")
    invited = visit()
    invited.goto(field.input_value())
    shows_role(invited, "viewer")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Asked for again, it is another one.
    page.get_by_role("button", name="operator").click()
    page.get_by_role("menuitem", name="Invite a viewer…").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_signing_out_ends_the_session(native: Native, page: Page) -> None:
    page.goto(link(native))
    shows_role(page, "operator")
    page.get_by_role("button", name="operator").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto(native.endpoints["gateway"])
    expect(page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_session_that_ends_leads_to_the_login_and_back(
    end: str, native: Native, tokens: Path, visit: Visit
) -> None:
    page, now = visit(), time.time()
    token = add_token(tokens, f"{end} guest", "viewer", now, now + 6 if end == "expired" else None)
    sign_in(page, native, token, "/events?range=24h")
    shows_role(page, "viewer")
    if end == "revoked":
        revoke_token(tokens, "revoked guest", now)
    expect(page).to_have_url(re.compile(r"/login\?reason=ended&next="), timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended.")
    paste(page, token)
    expect(page.get_by_role("alert")).to_contain_text("it is wrong, revoked or expired")
    paste(page, native.endpoints["token"])
    expect(page).to_have_url(re.compile(r"/events\?range=24h$"))
    shows_role(page, "operator")


def test_an_invited_viewer_cannot_become_operator(native: Native, visit: Visit) -> None:
    page = visit()
    page.goto(ask_link(native.endpoints["gateway"], native.endpoints["token"], "viewer"))
    shows_role(page, "viewer")
    assert status(page, "/api/links?role=operator") == 403
    assert status(page, "/api/models/switch?model=tiny") == 403
