"""The dashboard in each of its languages: chosen by the browser, then by the user, whose choice stays."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.pages import enter
from tests.e2e.test_overview import PATIENCE
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

LANGUAGES = {
    "en-US": ("en", "Sign in", "Cameras", "Events", "Nothing recorded yet|Older events|No older events"),
    "vi-VN": (
        "vi",
        "Đăng nhập",
        "Camera",
        "Sự kiện",
        "Chưa ghi nhận gì|Sự kiện cũ hơn|Không còn sự kiện cũ hơn",
    ),
    "zh-CN": ("zh-Hans", "登录", "摄像机", "事件", "尚无记录|较旧的事件|没有更旧的事件"),
}


@pytest.mark.parametrize("wanted", LANGUAGES)
def test_the_browsers_language_is_spoken(native: Native, browser: Browser, wanted: str) -> None:
    tag, sign_in, cameras, events, end = LANGUAGES[wanted]
    context = browser.new_context(locale=wanted)
    page = context.new_page()
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))

    page.goto(native.endpoints["gateway"] + "/login")
    expect(page.locator("html")).to_have_attribute("lang", tag)
    expect(page.get_by_role("button", name=sign_in)).to_be_visible(timeout=PATIENCE)

    enter(page, native)
    expect(page.get_by_role("heading", name=cameras, exact=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name=events, exact=True).click()
    expect(page).to_have_title(re.compile(f"{events} · Framefleet$"))
    expect(page.get_by_text(re.compile(end)).first).to_be_visible(timeout=PATIENCE)

    others = {other for other, *_ in LANGUAGES.values()} - {tag}
    assert [url for url in scripts if re.search(rf"\.({'|'.join(others)})\.compiled", url)] == []
    context.close()


def test_the_choice_stays_and_an_unknown_one_is_ignored(native: Native, browser: Browser) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    enter(page, native)
    page.locator(".role").click(timeout=PATIENCE)
    page.locator("[data-language=vi]").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi", timeout=PATIENCE)
    expect(page.get_by_role("link", name="Tổng quan")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_role("link", name="Tổng quan")).to_be_visible(timeout=PATIENCE)

    page.evaluate("localStorage.setItem('framefleet.language', 'tlh')")
    page.reload()
    expect(page.get_by_role("link", name="Overview")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()
