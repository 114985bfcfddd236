"""A camera's page: a real broker, gateway and browser; the test says what producers and workers say."""

import re
import time
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from contract.result import DetectedObject
from contract.status import CameraLabels
from tests.e2e.pages import PIXELS, sign_in, violations, wide_parts
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.images import jpeg
from tests.helpers.staged import Staged

pytestmark = pytest.mark.e2e
PATIENCE = 30_000  # ms: two cores, shared
WIDTH, HEIGHT = 640, 480
LONG = "a-very-long-camera-name-of-sixty-four-characters-as-allowed-here"
OFFLINE_SECONDS = 5.0
"""From the producer's word to the page: the gateway looks every second, and two cores are shared."""

# Where the picture shows red, and what it says of the frame that it shows, read at the same moment.
LOOK = (
    """
(picture) => {
  const { width, height, data } = (PIXELS)(picture);
  const seen = { left: width, top: height, right: -1, bottom: -1 };
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      if (data[at] < 180 || data[at + 1] > 70 || data[at + 2] > 70) continue;
      seen.left = Math.min(seen.left, x); seen.right = Math.max(seen.right, x + 1);
      seen.top = Math.min(seen.top, y); seen.bottom = Math.max(seen.bottom, y + 1);
    }
  return { seen, width, height, boxes: JSON.parse(picture.dataset.boxes), frame: picture.dataset.frame };
}
"""
).replace("PIXELS", PIXELS)

COLOURFUL = """
(picture) => {
  const { data } = (PIXELS)(picture);
  let most = 0;
  for (let at = 0; at < data.length; at += 4)
    most = Math.max(most, Math.abs(data[at] - data[at + 1]), Math.abs(data[at + 1] - data[at + 2]));
  return most;
}
""".replace("PIXELS", PIXELS)
"""How far apart the colours of the most colourful pixel are, 0 to 255."""


def red_square(x: int, y: int, size: int) -> bytes:
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    cv2.rectangle(image, (x, y), (x + size - 1, y + size - 1), (0, 0, 255), -1)
    return jpeg(image)


def face(x: int, y: int, size: int) -> DetectedObject:
    marks = [(x + size // 2, y + size // 2)]
    return DetectedObject(x=x, y=y, w=size, h=size, confidence=0.87, label="face", landmarks=marks)


def enter(page: Page, address: str, path: str) -> None:
    sign_in(page.context, address, TOKEN)
    page.goto(address + path)


def on_screen(page: Page) -> Locator:
    """The picture of the only camera."""
    return page.locator("[data-picture]")


def send(staged: Staged, camera_id: str = "gate-3", x: int = 100, y: int = 80, size: int = 120) -> str:
    return staged.picture(camera_id, red_square(x, y, size), WIDTH, HEIGHT, [face(x, y, size)])


def painted(page: Page, staged: Staged, **square: Any) -> None:
    """Frames come until one of those sent is shown."""
    sent: set[str] = set()

    def shown() -> bool:
        sent.add(send(staged, **square))
        return on_screen(page).get_attribute("data-frame") in sent

    expect(on_screen(page)).to_be_attached(timeout=PATIENCE)
    eventually("a picture", shown, 30)


@pytest.mark.parametrize("path", ["/cameras/gate-3?show=boxes", "/wall"])
def test_boxes_lie_on_the_frame_that_they_belong_to(
    page: Page, address: str, staged: Staged, path: str
) -> None:
    """A red square wanders: box and square are read from the same paint, and lie within 2 px of each other."""
    staged.serving["p"] = [staged.camera("gate-3")]
    enter(page, address, path)
    painted(page, staged)
    looked = set()
    for n in range(24):
        x, y, size = 20 + 23 * n, 30 + 13 * (n % 9), 60 + 4 * (n % 5)
        send(staged, x=min(x, WIDTH - size), y=y, size=size)
        found = on_screen(page).evaluate(LOOK)
        scale = min(found["width"] / WIDTH, found["height"] / HEIGHT)
        left, top = (found["width"] - WIDTH * scale) // 2, (found["height"] - HEIGHT * scale) // 2
        (box,) = found["boxes"]
        placed = [left + box[0] * scale, top + box[1] * scale]
        placed += [placed[0] + box[2] * scale, placed[1] + box[3] * scale]
        # The stroke of 2 px and its hem cover the square's edge: what is left of it begins inside them.
        seen = [found["seen"][side] for side in ("left", "top", "right", "bottom")]
        inset = [seen[0] - placed[0], seen[1] - placed[1], placed[2] - seen[2], placed[3] - seen[3]]
        assert all(1 <= each <= 5 for each in inset), (found, inset)
        # Without them, the box's outer edge is within 2 px of the square's.
        assert max(inset) - min(inset) <= 2, inset
        looked.add(found["frame"])
    assert len(looked) > 5


@pytest.mark.parametrize("path", ["/cameras/gate-3", "/wall"])
def test_a_picture_that_grows_stale_loses_its_colours(
    page: Page, address: str, staged: Staged, path: str
) -> None:
    staged.serving["p"] = [staged.camera("gate-3")]
    enter(page, address, path)

    def most_colourful() -> int:
        found: int = on_screen(page).evaluate(COLOURFUL)
        return found

    painted(page, staged)
    assert most_colourful() > 100
    expect(page.locator("[data-picture].stale .chip")).to_be_visible(timeout=PATIENCE)
    assert most_colourful() <= 10
    painted(page, staged)
    assert most_colourful() > 100


def test_a_slow_camera_has_its_picture_at_once_with_its_age(page: Page, address: str, staged: Staged) -> None:
    """The only frame came before anybody watched, and no other comes."""
    staged.serving["p"] = [staged.camera("gate-3", fps=0.1)]
    enter(page, address, "/wall")
    frame_id = staged.picture("gate-3", red_square(100, 100, 80), WIDTH, HEIGHT, [face(100, 100, 80)])
    expect(page.locator("[data-camera='gate-3']")).to_be_visible(timeout=PATIENCE)
    page.goto(address + "/settings")
    page.wait_for_timeout(3_000)  # older than the staleness budget
    page.goto(address + "/cameras/gate-3")
    expect(page.locator("[data-picture]")).to_have_attribute("data-frame", frame_id, timeout=PATIENCE)
    expect(page.locator("[data-age]")).to_contain_text(re.compile(r"\d+ s old"), timeout=PATIENCE)
    page.goto(address + "/wall")
    tile = page.locator("[data-camera='gate-3'] [data-picture]")
    expect(tile).to_have_attribute("data-frame", frame_id, timeout=PATIENCE)


def test_what_is_drawn_can_be_chosen_and_saved(page: Page, address: str, staged: Staged) -> None:
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.25), (0.0, 0.25))
    staged.serving["p"] = [staged.camera("gate-3", masks=[mask])]
    enter(page, address, "/cameras/gate-3")
    painted(page, staged)
    shown = on_screen(page)
    expect(shown).to_have_attribute("data-layers", "boxes scores")
    page.get_by_label("Landmarks").check()
    expect(shown).to_have_attribute("data-layers", "boxes scores landmarks")
    page.get_by_label("Boxes").uncheck()
    expect(shown).to_have_attribute("data-layers", "scores landmarks")
    page.get_by_label("Masks").check(timeout=PATIENCE)
    expect(page.locator("[data-masks='1'] polygon")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"show=scores%2Clandmarks%2Cmasks"))
    page.reload()
    painted(page, staged)
    expect(on_screen(page)).to_have_attribute("data-layers", "scores landmarks")
    expect(page.get_by_label("Masks")).to_be_checked(timeout=PATIENCE)
    width, height = page.locator("[data-masks] polygon").evaluate(
        "p => [p.getBBox().width * p.getScreenCTM().a, p.getBBox().height * p.getScreenCTM().d]"
    )
    picture = page.locator("[data-picture]").bounding_box()
    assert picture is not None
    assert abs(width - picture["width"] / 2) <= 2
    assert abs(height - picture["height"] / 4) <= 2
    with page.expect_download() as plain:
        page.get_by_role("button", name="picture", exact=True).click()
    assert plain.value.path().read_bytes() == red_square(100, 80, 120)  # byte for byte as it came
    assert re.fullmatch(r"gate-3-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.jpg", plain.value.suggested_filename)
    with page.expect_download() as drawn:
        page.get_by_role("button", name="as shown").click()
    marked = cv2.imread(str(drawn.value.path()))
    assert marked is not None
    assert marked.shape == (HEIGHT, WIDTH, 3)
    plainly = cv2.imread(str(plain.value.path()))
    assert plainly is not None
    assert (cv2.absdiff(marked, plainly) > 60).any()


def test_offline_within_its_budget_with_its_history(page: Page, address: str, staged: Staged) -> None:
    labels = CameraLabels(name="Gate 3, left", group="gates", location="South fence", district="Harbour")
    staged.serving["p"] = [staged.camera("gate-3", labels=labels, sent=70, dropped={"queue_full": 3})]
    enter(page, address, "/cameras/gate-3")
    painted(page, staged)
    facts = page.get_by_role("region", name="Facts")
    expect(page.get_by_role("heading", name="Gate 3, left")).to_be_visible()
    expect(page).to_have_title(re.compile("Gate 3, left · Camera"))
    for words in ("Harbour", "South fence", "gates", "none", "staged-1", "70 frames", "queue full 3"):
        expect(facts).to_contain_text(words, timeout=PATIENCE)
    expect(facts.locator("[data-age]")).to_have_attribute("data-age", "stale", timeout=PATIENCE)
    expect(page.locator("[data-picture].stale .chip")).to_have_text(re.compile(r"stale \d+ s"))
    reason = "401 Unauthorized: is the password right?"
    began = time.monotonic()
    staged.serving["p"] = [
        staged.camera("gate-3", "offline", reason=reason, since=time.time(), labels=labels)
    ]
    expect(facts.locator("[data-state-word=offline]")).to_be_visible(timeout=PATIENCE)
    assert time.monotonic() - began <= OFFLINE_SECONDS
    expect(facts).to_contain_text(reason)
    expect(page.locator("[data-picture]")).to_contain_text("Offline")
    expect(page.locator("[data-picture] canvas")).not_to_be_visible()
    history = page.locator("[data-state-history] li")
    expect(history).to_have_count(2, timeout=PATIENCE)
    expect(history.nth(0)).to_contain_text(re.compile(f"offline.*now.*{re.escape(reason)}", re.DOTALL))
    expect(history.nth(1)).to_contain_text("live")
    expect(page.locator("[data-events='1'] a")).to_have_count(1, timeout=PATIENCE)
    page.get_by_role("region", name="Latest events").get_by_role("link").nth(1).click()
    expect(page.get_by_role("dialog")).to_contain_text("1 face", timeout=PATIENCE)
    page.get_by_role("link", name="Camera page").click()
    expect(facts).to_be_visible()
    # Its producer is killed: nobody speaks for it any more.
    staged.serving = {}
    expect(facts).to_contain_text("producer not heard since", timeout=12_000)


def test_cameras_that_are_not_there(page: Page, address: str, staged: Staged) -> None:
    staged.serving["p"] = [staged.camera("other"), staged.camera("old")]
    enter(page, address, "/cameras/never")
    words = page.locator("[data-unknown]")
    expect(words).to_contain_text("No camera is called “never”", timeout=PATIENCE)
    expect(words).to_contain_text("the history has no event and no state of it", timeout=PATIENCE)
    page.goto(f"{address}/cameras/no.such!name")
    expect(words).to_contain_text("letters, digits, hyphens and underscores", timeout=PATIENCE)
    page.goto(f"{address}/cameras/old")
    expect(page.locator("[data-state-history] li")).to_have_count(1, timeout=PATIENCE)
    # Its last question may come just too late: an answer of 404 would be an error on the console.
    page.route("**/api/cameras/old", lambda _: None)
    staged.removed = ["old"]
    staged.serving["p"] = [staged.camera("other")]
    expect(words).to_contain_text("old was removed", timeout=PATIENCE)
    expect(words).to_contain_text("it was taken out of its producer's file")
    page.goto(f"{address}/cameras/other?show=nonsense")
    expect(page.get_by_text("Part of this address has no effect")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("ArrowRight")  # the only one: nothing happens
    expect(page).to_have_url(re.compile("/cameras/other"))


def test_the_way_there_and_a_long_name_on_a_phone(page: Page, address: str, staged: Staged) -> None:
    staged.serving["p"] = [staged.camera(LONG), staged.camera("zoo")]
    enter(page, address, "/")
    page.locator(f'[data-camera="{LONG}"]').click(timeout=PATIENCE)
    page.get_by_role("link", name="Camera page").click()
    expect(page).to_have_url(f"{address}/cameras/{LONG}")
    painted(page, staged, camera_id=LONG)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{address}/cameras/zoo")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=LONG)).to_be_focused()
    for scheme in ("dark", "light"):
        page.evaluate("(scheme) => localStorage.setItem('framefleet.scheme', scheme)", scheme)
        page.reload()
        painted(page, staged, camera_id=LONG)
        expect(page.locator("[data-state-history] li")).to_have_count(1, timeout=PATIENCE)
        assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("[data-event]").first).to_be_visible(timeout=PATIENCE)
    assert wide_parts(page) == []
    box = page.locator("[data-picture]").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844 - 56  # above the bar of links


def test_filters_on_a_phone_unfold(page: Page, address: str, staged: Staged) -> None:
    staged.serving["p"] = [staged.camera(LONG), staged.camera("zoo")]
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, address, "/events")
    unfold = page.get_by_role("button", name="Filters")
    field = page.get_by_role("combobox", name="Cameras")
    expect(unfold).to_be_visible(timeout=PATIENCE)
    expect(field).not_to_be_visible()
    unfold.click()
    field.click()
    field.fill("lon")
    page.get_by_role("option", name=LONG).click()
    expect(page).to_have_url(re.compile(f"camera={LONG}"))
    expect(field).to_have_value("")
    field.fill("zo")
    expect(page.locator(".camera-list [role=option]").first).to_have_attribute("data-highlighted", "")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("camera=zoo"))
    expect(page.get_by_role("button", name="Filters (1)")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(page).not_to_have_url(re.compile("camera=zoo"))
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
