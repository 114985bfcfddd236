"""The history in the browser: a real gateway and its database, and staged events to search."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from cli.ports import free_port
from cli.rabbitmq import RabbitMQNode
from tests.e2e.pages import sign_in
from tests.e2e.test_overview import PATIENCE
from tests.helpers.archive import CAMERAS, EVENTS, Archive
from tests.helpers.gateway import TOKEN
from tests.helpers.processes import ROOT, Service

pytestmark = pytest.mark.e2e
FIRST_PAGE = 50


@pytest.fixture(scope="module")
def archive(shared_rabbitmq: RabbitMQNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """One history for all tests here: none of them but the last adds to it."""
    folder, port = tmp_path_factory.mktemp("archive"), free_port()
    gateway = Service(
        "gateway",
        folder / "gateway.log",
        AMQP_URL=shared_rabbitmq.amqp_url,
        GATEWAY_PORT=str(port),
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(folder / "data"),
        GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
    )
    try:
        gateway.ready()
        recorded = Archive(f"http://127.0.0.1:{port}", shared_rabbitmq.amqp_url)
        yield recorded
        recorded.staged.close()
    finally:
        gateway.kill()


@pytest.fixture
def events(archive: Archive, page: Page) -> Page:
    """The page of events, entered as the operator."""
    sign_in(page.context, archive.address, TOKEN)
    page.goto(f"{archive.address}/events")
    expect(cards(page)).to_have_count(FIRST_PAGE, timeout=PATIENCE)
    return page


def cards(page: Page) -> Locator:
    return page.locator("[data-event]")


def ids(page: Page) -> list[int]:
    found: list[int] = cards(page).evaluate_all("all => all.map(each => Number(each.dataset.event))")
    return found


def chosen(archive: Archive, page: Page) -> list[int]:
    """What the gateway has of the time in the page's address, which is put to it as it is."""
    times = dict(parse_qsl(urlsplit(page.url).query))
    return [each["event_id"] for each in archive.events(limit=500, **times)]


def scroll(page: Page, to: str) -> None:
    page.locator("[data-scroller]").evaluate(f"each => each.scrollTop = {to}")


def test_older_events_come_as_one_scrolls(archive: Archive, events: Page) -> None:
    while cards(events).count() < EVENTS:
        before = cards(events).count()
        scroll(events, "each.scrollHeight")
        expect(cards(events).nth(before)).to_be_attached(timeout=PATIENCE)
    expect(events.get_by_text("No older events.")).to_be_visible()
    assert ids(events) == [each["event_id"] for each in archive.events(limit=500)]
    days = events.get_by_role("heading", level=3)
    assert days.count() in (3, 4)  # sixty hours
    expect(days.first).to_have_text(re.compile("Today|Yesterday"))


def test_filters_are_in_the_address(archive: Archive, events: Page, context: BrowserContext) -> None:
    events.keyboard.press("/")
    events.keyboard.type("left")  # what people call it
    events.keyboard.press("Enter")
    expect(events).to_have_url(re.compile(r"/events\?camera=gate-3$"))
    expect(cards(events)).to_have_count(EVENTS // len(CAMERAS))
    expect(cards(events).first).to_contain_text("Gate 3, left")
    events.get_by_label("Faces at once").select_option("3")
    wanted = archive.events(camera="gate-3", min_faces=3, limit=500)
    expect(cards(events)).to_have_count(len(wanted))
    assert ids(events) == [each["event_id"] for each in wanted]
    events.get_by_label("Best confidence").select_option("0.8")
    fewer = archive.events(camera="gate-3", min_faces=3, min_confidence=0.8, limit=500)
    assert 0 < len(fewer) < len(wanted)
    expect(cards(events)).to_have_count(len(fewer))

    other = context.new_page()
    other.goto(events.url)  # the copied link
    expect(cards(other)).to_have_count(len(fewer), timeout=PATIENCE)
    events.go_back()
    expect(cards(events)).to_have_count(len(wanted))
    events.get_by_label("Group").select_option("harbour")
    expect(events).to_have_url(re.compile("group=harbour"))
    events.get_by_role("button", name="Clear").click()
    expect(events).to_have_url(re.compile("/events$"))
    expect(cards(events)).to_have_count(FIRST_PAGE)


def test_a_time_is_chosen_by_range_and_on_the_strip(archive: Archive, events: Page) -> None:
    times = events.get_by_role("navigation", name="Time")
    times.get_by_role("link", name="24 hours").click()
    expect(events).to_have_url(re.compile(r"range=24h$"))
    within = cards(events)
    # From one hour ago to 24, half an hour apart; the one at 24 hours is just older.
    expect(within).to_have_count(46)
    strip = events.get_by_role("slider")
    expect(strip).to_have_attribute("data-activity", re.compile(r"\d{2}"))
    strip.focus()
    events.keyboard.press("Home")
    for _ in range(17):  # of ten minutes each
        events.keyboard.press("Shift+ArrowRight")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("frames with detections"))
    events.keyboard.press("Enter")
    expect(events).to_have_url(re.compile(r"from=[^&]+Z&to=[^&]+Z$"))
    expect(within).to_have_count(6)  # three hours
    assert ids(events) == chosen(archive, events)
    times.get_by_title("All times again").click()
    expect(within).to_have_count(FIRST_PAGE)
    box = strip.bounding_box()
    assert box is not None
    events.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    events.mouse.down()
    events.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20)
    events.mouse.up()
    expect(events).to_have_url(re.compile("from="))
    wanted = chosen(archive, events)
    assert len(wanted) in (12, 13)  # a quarter of a day, in whole bars
    expect(within).to_have_count(len(wanted))
    assert ids(events) == wanted


def test_an_event_opens_large_and_keys_lead_on(events: Page, context: BrowserContext) -> None:
    listed = ids(events)
    events.keyboard.press("ArrowDown")
    expect(cards(events).first).to_be_focused()
    events.keyboard.press("ArrowRight")
    events.keyboard.press("Enter")
    large = events.get_by_role("dialog")
    expect(events).to_have_url(re.compile(f"event={listed[1]}$"))
    expect(large).to_contain_text("2 faces")
    expect(large).to_contain_text("no picture")  # only results were staged
    events.keyboard.press("ArrowRight")
    events.keyboard.press("ArrowRight")
    events.keyboard.press("ArrowLeft")
    expect(events).to_have_url(re.compile(f"event={listed[2]}$"))
    expect(large.get_by_role("heading")).to_have_text("roof")

    other = context.new_page()
    other.goto(events.url)
    expect(other.get_by_role("dialog")).to_contain_text("3 faces", timeout=PATIENCE)
    other.get_by_role("link", name="Camera page").click()
    expect(other.locator('[data-large="roof"]')).to_be_visible(timeout=PATIENCE)
    other.get_by_role("link", name="Events of this camera", exact=True).click()
    expect(other).to_have_url(re.compile(r"/events\?camera=roof$"))
    other.goto(re.sub(r"event=\d+", "event=999999999", events.url))
    expect(other.get_by_role("dialog")).to_contain_text("This event cannot be shown")
    other.keyboard.press("Escape")
    expect(cards(other)).to_have_count(FIRST_PAGE, timeout=PATIENCE)

    events.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(events).to_have_url(re.compile("/events$"))
    expect(cards(events).nth(2)).to_be_focused()


def test_the_same_events_as_files(archive: Archive, events: Page, tmp_path: Path) -> None:
    events.goto(f"{archive.address}/events?camera=yard&min_faces=2")
    wanted = [each["event_id"] for each in archive.events(camera="yard", min_faces=2, limit=500)]
    expect(cards(events)).to_have_count(len(wanted), timeout=PATIENCE)
    with events.expect_download() as table:
        events.get_by_role("link", name="CSV", exact=True).click()
    table.value.save_as(tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="") as file:
        assert sorted(int(row["event_id"]) for row in csv.DictReader(file)) == sorted(wanted)
    with events.expect_download() as lines:
        events.get_by_role("link", name="NDJSON").click()
    lines.value.save_as(tmp_path / "events.ndjson")
    objects = [json.loads(line) for line in (tmp_path / "events.ndjson").read_text().splitlines()]
    assert sorted(each["event_id"] for each in objects) == sorted(wanted)
    assert {each["camera_id"] for each in objects} == {"yard"}


def test_what_became_of_a_frame(archive: Archive, events: Page) -> None:
    event = archive.events(camera="yard")[0]
    frame_id = f"yard:{event['start']}"
    events.get_by_role("button", name="frame …").click()
    events.get_by_label("Frame id").fill(f"  {frame_id} ")
    events.keyboard.press("Enter")
    dialog = events.get_by_role("dialog")
    expect(dialog.locator("[data-verdict=computed]")).to_contain_text("Worker staged-1 computed it")
    expect(dialog.get_by_role("listitem")).to_have_text(
        [
            re.compile("Captured"),
            re.compile("Taken by a worker"),
            re.compile("Computed"),
            re.compile("Recorded"),
        ]
    )
    expect(events).to_have_url(re.compile(r"frame=yard:\d"))
    events.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(events).to_have_url(re.compile(r"/events$"))
    events.goto(f"{archive.address}/events?frame={quote('never <b>sent</b>&x=1')}")
    expect(dialog.locator("[data-verdict=unknown]")).to_contain_text("Nobody has seen it", timeout=PATIENCE)
    expect(dialog).to_contain_text("never <b>sent</b>&x=1")
    expect(dialog.get_by_text("Dead letters", exact=True)).to_be_visible()
    events.get_by_role("button", name="Close").click()
    expect(cards(events)).to_have_count(FIRST_PAGE, timeout=PATIENCE)


def test_nothing_matches(archive: Archive, events: Page) -> None:
    events.goto(f"{archive.address}/events?camera=nowhere&min_faces=4")
    expect(events.get_by_text("No event matches")).to_be_visible(timeout=PATIENCE)
    expect(events.get_by_text("Filter: camera nowhere, at least 4 faces")).to_be_visible()
    events.get_by_role("button", name="Clear the filter").click()
    expect(cards(events)).to_have_count(FIRST_PAGE)


def test_the_help_lists_the_keys(events: Page) -> None:
    events.keyboard.press("?")
    expect(events.get_by_role("dialog")).to_contain_text("Events")
    events.keyboard.press("Escape")
    expect(events.get_by_role("dialog")).to_have_count(0)


def test_new_events_do_not_move_what_one_reads(archive: Archive, events: Page) -> None:
    scroll(events, "900")
    place = events.locator("[data-scroller]")
    before = place.evaluate("each => each.scrollTop")
    first = ids(events)[0]
    latest = archive.events()[0]["start"]
    archive.staged.seen("gate-3", latest + 600, 7)
    new = events.get_by_role("button", name="1 new event")
    expect(new).to_be_visible(timeout=PATIENCE)
    assert place.evaluate("each => each.scrollTop") == before
    assert ids(events)[0] == first
    new.click()
    expect(cards(events).first).to_contain_text("7 faces")
    assert place.evaluate("each => each.scrollTop") == 0
    # At the top, what is new just appears.
    archive.staged.seen("gate-3", latest + 1_200, 8)
    expect(cards(events).first).to_contain_text("8 faces", timeout=PATIENCE)
