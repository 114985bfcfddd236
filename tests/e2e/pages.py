"""What is asked of every page: where each is, when it is shown, and what axe and a finger find on it."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from tests.helpers.native import Native
from tests.helpers.processes import ROOT

PATIENCE = 30_000  # ms: two cores, shared
AXE = (ROOT / "dashboard/node_modules/axe-core/axe.min.js").read_text
PICTURE = "[data-frame^='demo-']"

PIXELS = """(picture) => {
  const place = picture.getBoundingClientRect();
  const behind = (canvas) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
    return box.left < x && x < box.right && box.top < y && y < box.bottom;
  };
  const canvas = picture.querySelector('canvas') ?? [...document.querySelectorAll('canvas')].find(behind);
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const part = [place.x - box.x, place.y - box.y, place.width, place.height].map((n) => Math.round(n * scale));
  return canvas.getContext('2d').getImageData(...part);
}"""
"""What is painted of a picture: on its own canvas, or on the one behind its row of tiles."""

SHOWN = {
    "/": f"[data-camera] {PICTURE}",
    "/?camera=demo-1": f"[data-large] {PICTURE}",
    "/wall": f"[data-camera] {PICTURE}",
    "/wall?wall": f"[data-camera] {PICTURE}",
    "/cameras/demo-1": f"[data-picture]{PICTURE}",
    "/events": "[data-event]",
    "/nodes": "[data-worker]",
    "/alerts": "nav[aria-label='Alerts by state']",
    "/alerts?show=rules&alert=FramefleetDeadLetters": "[data-rule='FramefleetDeadLetters'] canvas",
    "/models": "tr[data-model]",
    "/queues": "[data-queue]",
    "/jobs": "[aria-labelledby='jobs-title'] p",
    "/explore?expr=up": "[data-chart] canvas",
    "/settings": "main h3",
    "/no-such-page": "main a",
}
"""Each page's address, and what is there once it is shown."""

CHOOSE = """(scheme) => {
  const key = 'framefleet.scheme';
  localStorage.setItem(key, scheme);
  dispatchEvent(new StorageEvent('storage', { key, newValue: scheme }));
}"""
SETTLED = "() => Promise.allSettled(document.getAnimations().map((each) => each.finished)).then(() => null)"
"""Colours have come to where they go: in between, axe would find too little contrast."""

VIOLATIONS = """async (chosen) => {
  const { violations } = await axe.run({ resultTypes: ['violations'], selectors: false, ...chosen });
  return violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' | '));
}"""

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that a scheme can break by itself."""

# Controls of less than 44 px each way, as CSS pixels. A control's target is its label as well. Links in sentences are
# exempt (WCAG 2.5.8, inline), and so is what only a keyboard reaches or is switched off.
SMALL = """() => {
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest('[inert]');
  const inline = (e) => getComputedStyle(e).display === 'inline' && [...e.parentElement.childNodes]
    .some((n) => n !== e && n.nodeType === Node.TEXT_NODE && n.data.trim() !== '');
  const controls = 'a[href], button, input, select, textarea, summary, [role=button], [role=menuitem], [role=option],'
    + '[role=checkbox], [role=radio], [role=switch], [role=tab]';
  const found = [];
  for (const e of document.querySelectorAll(controls)) {
    if (!shown(e) || e.disabled || e.closest('[aria-hidden=true]') || inline(e)) continue;
    // Some stretch over all of their card.
    const [own, after] = [getComputedStyle(e), getComputedStyle(e, '::after')];
    const stretched = own.position === 'static' && after.position === 'absolute' && after.content !== 'none';
    let box = (stretched ? e.offsetParent : e).getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;  // for screen readers alone
    let [width, height] = [box.width, box.height];
    for (const label of e.labels ?? []) {
      box = label.getBoundingClientRect();
      [width, height] = [Math.max(width, box.width), Math.max(height, box.height)];
    }
    if (width < 43.5 || height < 43.5)
      found.push([Math.round(width), Math.round(height), e.cloneNode(false).outerHTML, e.innerText].join(' '));
  }
  return found;
}"""

# What is wider than the screen, unless it scrolls in a frame of its own.
WIDE = """() => {
  const wide = (e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  const scrollers = [document.scrollingElement, ...document.querySelectorAll('main, header, [data-scroller]')];
  return scrollers.filter((e) => e === document.scrollingElement ? e.scrollWidth > e.clientWidth : wide(e))
    .map((e) => `${e.tagName}: ${e.scrollWidth} of ${e.clientWidth}`);
}"""


def sign_in(context: BrowserContext, gateway: str, token: str) -> None:
    """A browser in which the operator is signed in, before its first page."""
    answer = context.request.post(f"{gateway}/api/login", data={"token": token})
    assert answer.ok, answer.text()


def enter(page: Page, native: Native, path: str = "/") -> None:
    """Go to a page of the system of all tests, as the operator. What a link does on its way: test_link.py."""
    sign_in(page.context, native.endpoints["gateway"], native.endpoints["token"])
    page.goto(native.endpoints["gateway"] + path)


def forget(context: BrowserContext) -> None:
    """Close the pages of a browser, and take away what they have left in it. What was loaded stays."""
    pages = context.pages
    for page in pages[1:]:
        page.close()
    for page in pages[:1]:
        protocol = context.new_cdp_session(page)
        for origin in {"{0.scheme}://{0.netloc}".format(urlsplit(each.url)) for each in pages}:
            protocol.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
        page.close()
    context.clear_cookies()


def visit(page: Page, gateway: str, path: str) -> None:
    """Go there and wait until the page is shown."""
    page.goto(gateway + path)
    expect(page.locator(SHOWN[path]).first).to_be_visible(timeout=PATIENCE)


def choose_scheme(page: Page, scheme: str) -> None:
    """As if it were chosen in another tab: this one follows at once."""
    page.evaluate(CHOOSE, scheme)
    expect(page.locator("html")).to_have_attribute("data-scheme", scheme)


def violations(page: Page, *, colours: bool = False) -> list[str]:
    """What axe finds; of its rules only those about colours, where all others were asked of the same page already.

    Evaluated by the browser's own protocol: the page's policy lets in no script of ours.
    """
    page.evaluate(SETTLED)
    page.evaluate(AXE())
    found: list[str] = page.evaluate(VIOLATIONS, {"runOnly": COLOURS} if colours else {})
    return found


def small_targets(page: Page) -> list[str]:
    """Controls that a finger misses, each with its size."""
    found: list[str] = page.evaluate(SMALL)
    return found


def wide_parts(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(WIDE)
    return found
