"""What is asked of every page alike: no errors, axe in both schemes, a phone in one hand, a viewer's role.

Each of the three visits all pages in one browser, which loads what they share once.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response, expect

from gateway.ready_link import ask_link
from tests.e2e.pages import PATIENCE, SHOWN, choose_scheme, small_targets, violations, visit, wide_parts
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

DESKTOP: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
NOT_FOUND = "the server responded with a status of 404"
CHANGING = r"^(Switch|Drain|Undrain|Replay|Purge|Save|Mark|Wrong|Missed|Silence|Invite)"
"""What the controls are called that change something for all."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def pages(native: Native, browser: Browser) -> Iterator[dict[str, Page]]:
    """Three in which somebody is signed in: the operator's, the operator's on a phone, a viewer's.

    All tests share them: to go elsewhere costs half of what a new page does.
    """
    contexts = []
    opened = {}
    for name, options in (("operator", DESKTOP), ("phone", PHONE), ("viewer", DESKTOP)):
        role = "viewer" if name == "viewer" else "operator"
        contexts.append(browser.new_context(**options))
        page = opened[name] = contexts[-1].new_page()
        page.goto(ask_link(native.endpoints["gateway"], native.endpoints["token"], role))
        expect(page.locator("[data-role]")).to_have_text(role, timeout=PATIENCE)
    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def opened(pages: dict[str, Page]) -> Iterator[Open]:
    """The page of one of them; it may not log an error, except that an address is none."""
    heard: list[Page] = []
    errors: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def raised(error: Error) -> None:
        errors.append(str(error))

    def open_page(name: str = "operator") -> Page:
        page = pages[name]
        page.on("console", said)
        page.on("pageerror", raised)
        heard.append(page)
        return page

    yield open_page
    for page in heard:
        page.evaluate("localStorage.clear()")
        page.remove_listener("console", said)
        page.remove_listener("pageerror", raised)
    assert [error for error in errors if NOT_FOUND not in error] == []


@pytest.mark.parametrize("path", SHOWN)
def test_axe_finds_nothing_in_either_scheme(native: Native, opened: Open, path: str) -> None:
    page = opened()
    visit(page, native.endpoints["gateway"], path)
    found = {"dark": violations(page)}
    choose_scheme(page, "light")
    found["light"] = violations(page, colours=True)
    assert found == {"dark": [], "light": []}


@pytest.mark.parametrize("path", SHOWN)
def test_a_phone_scrolls_downwards_alone_and_a_finger_hits(native: Native, opened: Open, path: str) -> None:
    page = opened("phone")
    visit(page, native.endpoints["gateway"], path)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert wide_parts(page) == []
    assert small_targets(page) == []


def test_a_finger_hits_before_it_is_known_who_is_signed_in(native: Native, opened: Open) -> None:
    page = opened("phone")
    page.route("**/api/session", lambda _: None)
    try:
        page.goto(f"{native.endpoints['gateway']}/settings")
        expect(page.get_by_role("button", name="…")).to_be_visible(timeout=PATIENCE)
        assert small_targets(page) == []
    finally:
        page.unroute("**/api/session")


@pytest.mark.parametrize("path", SHOWN)
def test_a_viewer_is_shown_nothing_that_would_be_refused(native: Native, opened: Open, path: str) -> None:
    page = opened("viewer")
    refused: list[str] = []

    def answered(answer: Response) -> None:
        if answer.status in (401, 403, 500):
            refused.append(answer.url)

    page.on("response", answered)
    visit(page, native.endpoints["gateway"], path)
    page.wait_for_timeout(1500)  # what the page asks for besides: it never ends asking
    page.remove_listener("response", answered)
    assert refused == []
    names = page.get_by_role("button").all_inner_texts()
    assert [name for name in names if re.match(CHANGING, name.strip())] == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_login(native: Native, browser: Browser, scheme: str, size: str) -> None:
    context = browser.new_context(**(PHONE if size == "phone" else {}))
    context.add_init_script(f"localStorage.setItem('framefleet.scheme', '{scheme}')")
    page = context.new_page()
    page.goto(f"{native.endpoints['gateway']}/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("html")).to_have_attribute("data-scheme", scheme)
    assert violations(page) == []
    assert wide_parts(page) == []
    if size == "phone":
        assert small_targets(page) == []
    context.close()
