"""Jobs in the browser, with a real worker: files are dragged in, faces appear over time, cut uploads go on."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.ready_link import ask_link
from tests.conftest import StartService
from tests.e2e.pages import small_targets, violations, wide_parts
from tests.e2e.test_every_page import PHONE
from tests.helpers.gateway import TOKEN
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import Command, folder_of
from tests.integration.test_batch import WORKER
from tests.integration.test_batch_videos import film

pytestmark = pytest.mark.e2e

PATIENCE = 40_000
DROP = """async (files) => {
  const transfer = new DataTransfer();
  for (const [name, data] of Object.entries(files))
    transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { lastModified: 1 }));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    if (type === 'drop') await new Promise((then) => setTimeout(then, 100));
    document.querySelector('main').dispatchEvent(
      new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""

COLOURS = "(bar) => [bar, bar.firstElementChild].map((part) => getComputedStyle(part).backgroundColor)"


@pytest.fixture
def site(address: str, rabbitmq: str, start: StartService) -> str:
    """The gateway, and a worker of the batch lane."""
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    return address


def drop(page: Page, files: Mapping[str, bytes]) -> None:
    """As somebody does who drags files onto the page."""
    page.evaluate(DROP, {name: base64.b64encode(data).decode() for name, data in files.items()})


def enter(page: Page, site: str, role: str = "operator") -> None:
    page.goto(ask_link(site, TOKEN, role))
    page.goto(f"{site}/jobs")
    expect(page.locator("#jobs-title")).to_be_visible(timeout=PATIENCE)


def test_a_video_that_is_dragged_in_shows_its_faces_on_a_timeline(
    site: str, context: BrowserContext, browser: Browser, tmp_path: Path
) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.location["url"]) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    video = film(tmp_path / "film.avi").read_bytes()
    enter(page, site)
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    drop(page, {"film.avi": video, "face.jpg": jpeg(astronaut())})

    expect(page).to_have_url(re.compile(r"/jobs/[^/?]+$"), timeout=PATIENCE)
    address = page.url
    timeline = page.locator("[data-timeline]")
    expect(timeline).to_have_attribute("data-presences", "2", timeout=PATIENCE)
    expect(page.locator("[data-job]")).to_have_attribute("data-state", "done", timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"2 of 2 files sent"))).to_be_visible()

    # Nobody for two seconds, a face for two, nobody for two, the face again for one.
    bars = timeline.locator(".band [data-faces]")
    lefts = [bar.bounding_box() for bar in bars.all()]
    band = timeline.get_by_role("slider")
    whole = band.bounding_box()
    assert whole is not None
    starts = [(box["x"] - whole["x"]) / whole["width"] for box in lefts if box is not None]
    assert starts == [pytest.approx(2 / 7, abs=0.05), pytest.approx(6 / 7, abs=0.05)]
    band.focus()
    band.press("Home")
    expect(band).to_have_attribute("aria-valuetext", re.compile("no face|skipped"))
    band.press("PageDown")
    expect(band).to_have_attribute("aria-valuetext", re.compile(r"^0:0[23]\.\d: 1 face"))
    expect(page).to_have_url(re.compile(r"item=\d+&time=[23]"))
    page.mouse.move(whole["x"] + whole["width"] * 0.95, whole["y"] + 20)
    expect(band).to_have_attribute("aria-valuetext", re.compile(r"^0:06\.\d: 1 face"))
    picture = timeline.locator("img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("e => e.naturalWidth") > 100

    # A pointer that rests is named in the address, but whoever goes on before that stays where they went.
    page.mouse.move(whole["x"] + whole["width"] * 0.5, whole["y"] + 20)
    page.get_by_role("link", name="All jobs").click()
    page.wait_for_timeout(1_000)
    expect(page).to_have_url(re.compile("/jobs$"))
    page.go_back()

    # Its pictures, its results, and the list.
    page.locator("[data-item]", has_text="face.jpg").get_by_role("link", name="face.jpg").click()
    expect(page.get_by_role("dialog").locator("img")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_label("Kind").select_option("video")
    expect(page).to_have_url(re.compile("kind=video"))
    expect(page.locator("[data-item]")).to_have_count(1)
    expect(page.locator("[data-item]")).to_contain_text("film.avi")
    page.get_by_label("Kind").select_option("")
    expect(page.locator("[data-item]")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="NDJSON").click()
    told = Path(str(download.value.path())).read_text()
    assert '"film.avi"' in told
    assert '"face.jpg"' in told
    assert violations(page) == []
    page.get_by_role("link", name="All jobs").click()
    expect(page.locator("tr[data-state='done']")).to_contain_text("2 files")
    assert violations(page) == []

    kept = page.context.storage_state()
    phone = browser.new_context(storage_state=kept, **PHONE)
    hand = phone.new_page()
    for path, shown in ((f"{site}/jobs", "tr[data-job]"), (address, "[data-timeline] img")):
        hand.goto(path)
        expect(hand.locator(shown)).to_be_visible(timeout=PATIENCE)
        assert wide_parts(hand) == []
        assert small_targets(hand) == []
    phone.close()

    viewer = browser.new_context()
    other = viewer.new_page()
    enter(other, site, "viewer")
    expect(other.get_by_text("only operators can upload files")).to_be_visible()
    expect(other.get_by_role("button", name="Choose files…")).to_be_disabled()
    drop(other, {"mine.jpg": b"x"})
    other.get_by_role("link", name="2 files").click()
    expect(other.locator("[data-timeline]")).to_have_attribute("data-presences", "2", timeout=PATIENCE)
    expect(other.get_by_role("button", name="Delete…")).to_be_disabled()
    expect(other.get_by_text("only operators can change jobs")).to_be_visible()
    viewer.close()

    page.goto(address)
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"\d+ results are deleted"))
    expect(dialog).to_contain_text("2 uploaded files")
    assert violations(page) == []
    assert errors == []
    dialog.get_by_role("button", name="Delete the job").click()  # what is asked meanwhile is not found
    expect(page.get_by_text("No jobs yet")).to_be_visible(timeout=PATIENCE)


def test_an_upload_that_was_cut_off_goes_on_after_a_reload(
    site: str, context: BrowserContext, tmp_path: Path
) -> None:
    page = context.new_page()  # it may log errors: requests are cut off here
    page.on("dialog", lambda dialog: dialog.accept())
    video = film(tmp_path / "film.avi")
    enter(page, site)
    cut: list[Any] = []

    def block(route: Any) -> None:
        if route.request.method == "PATCH":
            cut.append(route)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/jobs/*/uploads/*", block)
    page.set_input_files("input[type=file]", video)
    expect(page).to_have_url(re.compile(r"/jobs/[^/?]+$"), timeout=PATIENCE)
    address = page.url
    expect(page.get_by_text("0 of 1 file sent")).to_be_visible()
    page.wait_for_timeout(500)
    assert cut
    page.reload()
    expect(page.get_by_text("Uploads stopped half-way")).to_be_visible(timeout=PATIENCE)
    page.unroute("**/api/jobs/*/uploads/*")

    # On the page of all jobs, too, the same file finds its job again.
    page.goto(f"{site}/jobs")
    expect(page.locator("tr[data-state='uploading']")).to_be_visible(timeout=PATIENCE)
    page.set_input_files("input[type=file]", video)
    expect(page).to_have_url(address, timeout=PATIENCE)
    expect(page.get_by_text("1 file was known already and goes on where it was.")).to_be_visible()
    expect(page.locator("[data-job]")).to_have_attribute("data-state", "done", timeout=PATIENCE)
    expect(page.locator("[data-timeline]")).to_have_attribute("data-presences", "2", timeout=PATIENCE)


def test_a_file_that_is_neither_is_refused_in_words_and_the_rest_is_done(
    site: str, context: BrowserContext, tmp_path: Path
) -> None:
    page = context.new_page()  # it may log errors: a refusal is one, to a browser
    enter(page, site)
    face, video = jpeg(astronaut()), film(tmp_path / "film.mkv").read_bytes()[:400]
    drop(
        page,
        {
            "face.jpg": face,
            "torn.jpg": face[:5000],
            "torn.mkv": video,
            "notes.txt": b"no picture\n" * 30,
        },
    )
    expect(page.get_by_text(re.compile("the file is not taken"))).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-job]")).to_have_attribute("data-state", "done", timeout=PATIENCE)
    expect(page.locator("[data-item]")).to_have_count(3)
    expect(page.locator("[data-timeline]")).to_contain_text("No picture of it could be read")
    expect(page.locator("[data-timeline] .band")).to_have_count(0)
    page.get_by_role("button", name="Hide").click()
    expect(page.locator("[data-uploads]")).to_have_count(0)

    page.emulate_media(forced_colors="active")
    colours = page.locator("[aria-label='3 of 3 items']").evaluate(COLOURS)
    assert len(set(colours)) == 2, "what is done is seen where colours are forced"
    page.set_viewport_size(PHONE["viewport"])
    remedy = page.locator("[data-failure='not_an_image']").get_by_text("Look at the file").bounding_box()
    assert remedy is not None
    assert remedy["width"] > PHONE["viewport"]["width"] / 2


def test_a_job_of_the_command_line_is_listed_and_goes_on_where_it_runs(
    site: str, rabbitmq: str, page: Page, tmp_path: Path
) -> None:
    folder_of(tmp_path / "in", 40, broken_every=20)
    enter(page, site)
    command = Command(rabbitmq, tmp_path / "jobs", tmp_path / "in", "--job", "holidays")
    assert command.wait() == 1
    listed = page.locator("tr[data-job='holidays']")
    expect(listed).to_have_attribute("data-state", "done", timeout=PATIENCE)
    expect(listed).to_contain_text(re.compile("40 items|40 of 40"))
    expect(listed).to_contain_text("2 not an image")
    expect(listed.get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete…")).to_have_count(0)
    assert violations(page) == []


def test_the_keyboard_stays_where_it_was_when_its_deed_is_done(site: str, page: Page) -> None:
    enter(page, site)
    said = page.request.post(f"{site}/api/jobs", data={"name": "open"}, headers={"Origin": site})
    page.goto(f"{site}/jobs/{said.json()['job_id']}")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused(timeout=PATIENCE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused(timeout=PATIENCE)

    page.get_by_role("button", name="Cancel…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Cancel the job").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel…")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_role("button", name="Delete…")).to_be_focused()
