"""Cameras on the page, in every state: a real broker, gateway and browser; the test says what producers say."""

import json
import re
import time
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from contract.status import CameraLabels
from tests.e2e.pages import sign_in
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.images import astronaut, jpeg
from tests.helpers.staged import Staged

pytestmark = pytest.mark.e2e
PATIENCE = 30_000  # ms: two cores, shared
GATE = CameraLabels(name="Gate 3, left", group="harbour", location="South fence", district="Harbour")
TROUBLED = {
    "connecting": "opening it",
    "degraded": "frozen: the same picture for 73 s",
    "stalled": "no frame for 5 s",
    "offline": "401 Unauthorized: is the password right?",
    "disabled": "switched off in cameras.yaml",
}


def cameras(address: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310
        f"{address}/api/cameras?limit=1000", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return {each["camera_id"]: each for each in json.loads(answer.read())["items"]}


def tile(page: Page, camera_id: str) -> Locator:
    return page.locator(f'[data-camera="{camera_id}"]')


def enter(page: Page, address: str) -> None:
    sign_in(page.context, address, TOKEN)
    page.goto(address)


def painted(page: Page, staged: Staged, *camera_ids: str) -> None:
    """Frames come until each of the cameras shows one."""
    image = astronaut()
    height, width = image.shape[:2]
    picture = jpeg(image)
    for camera_id in camera_ids:

        def shown(camera_id: str = camera_id) -> bool:
            staged.picture(camera_id, picture, width, height)
            return bool(tile(page, camera_id).locator("[data-picture]").get_attribute("data-frame"))

        expect(tile(page, camera_id)).to_be_visible(timeout=PATIENCE)
        eventually(f"a picture of {camera_id}", shown, 30)


def test_each_state_is_shown_with_its_reason(page: Page, address: str, staged: Staged) -> None:
    staged.serving["p"] = [
        staged.camera("gate-3", labels=GATE),
        *(staged.camera(state, state, reason=reason) for state, reason in TROUBLED.items()),
    ]
    enter(page, address)
    painted(page, staged, "gate-3")
    for state, reason in TROUBLED.items():
        shown = tile(page, state)
        expect(shown).to_have_attribute("data-state", state, timeout=PATIENCE)
        expect(shown).to_contain_text(reason)
        expect(shown).to_contain_text(re.compile(state, re.IGNORECASE))
        expect(page.get_by_role("navigation", name="Cameras by state")).to_contain_text(f"{state} 1")
    gate = tile(page, "gate-3")
    expect(gate).to_contain_text("Gate 3, left")
    expect(gate).not_to_contain_text("gate-3")
    expect(gate).to_have_attribute("title", "gate-3 · South fence, Harbour")
    gate.click()
    large = page.locator('[data-large="gate-3"]')
    expect(large.get_by_role("heading")).to_have_text("Gate 3, left")
    for words in ("gate-3", "South fence, Harbour", "harbour"):
        expect(large).to_contain_text(words)
    found = cameras(address)["gate-3"]
    assert {found[key] for key in ("name", "group", "location", "district")} == {
        "Gate 3, left",
        "harbour",
        "South fence",
        "Harbour",
    }


def test_a_client_that_sends_once_is_quiet_and_no_trouble_of_the_cluster_s(
    page: Page, address: str, staged: Staged
) -> None:
    staged.serving["p"] = [staged.camera("gate-3", "degraded", reason=TROUBLED["degraded"])]
    enter(page, address)
    staged.seen("guest", time.time(), faces=1)
    guest = tile(page, "guest")
    expect(guest).to_have_attribute("data-state", "quiet", timeout=PATIENCE)
    expect(guest).to_contain_text("no results since")
    health = page.locator(".health")
    health.get_by_role("button").click()
    expect(health.get_by_role("link")).to_have_text(["1 camera degraded"])


def test_the_visible_name_is_found_by_the_search(page: Page, address: str, staged: Staged) -> None:
    staged.serving["p"] = [staged.camera("gate-3", labels=GATE), staged.camera("other")]
    enter(page, address)
    expect(tile(page, "other")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("/")
    page.keyboard.type("LEFT")
    expect(tile(page, "other")).to_have_count(0)
    expect(tile(page, "gate-3")).to_be_visible()


def test_a_picture_is_stale_unless_its_producer_saw_nothing_new_since(
    page: Page, address: str, staged: Staged
) -> None:
    staged.skipping = {"corridor", "frozen"}
    corridor, silent = staged.camera("corridor"), staged.camera("silent")
    staged.serving["p"] = [corridor, silent, staged.camera("frozen")]
    enter(page, address)
    painted(page, staged, "corridor", "silent", "frozen")
    chips = {name: tile(page, name).locator(".chip") for name in ("corridor", "silent", "frozen")}
    expect(chips["silent"]).to_have_text(re.compile(r"stale \d+ s"), timeout=PATIENCE)
    expect(chips["corridor"]).to_have_text(re.compile(r"unchanged \d+ s"), timeout=PATIENCE)
    # The same bytes for too long are told as a defect: then nothing new is no good news.
    reason = "frozen: the same picture for 73 s"
    staged.serving["p"] = [corridor, silent, staged.camera("frozen", "degraded", reason=reason)]
    expect(chips["frozen"]).to_have_text(re.compile(r"stale \d+ s"), timeout=PATIENCE)
    expect(tile(page, "frozen")).to_contain_text(reason)
    # Nobody vouches for it any more.
    staged.serving = {}
    expect(tile(page, "corridor")).to_have_attribute("data-state", "offline", timeout=PATIENCE)
    expect(tile(page, "corridor")).to_contain_text("producer not heard since")


def test_the_way_of_the_newest_frame_and_of_an_event_s_picture(
    page: Page, address: str, staged: Staged
) -> None:
    staged.serving["p"] = [staged.camera("gate-3")]
    enter(page, address)
    painted(page, staged, "gate-3")
    verdict = page.locator("[data-verdict]")
    page.goto(f"{address}/?camera=gate-3")
    painted(page, staged, "gate-3")
    page.get_by_text("The path of the newest frame").click()
    expect(verdict).to_contain_text("Worker staged-1 computed it", timeout=PATIENCE)
    expect(verdict).to_be_in_viewport()
    of = verdict.locator(".verdict .identifier").text_content()
    staged.picture("gate-3", jpeg(astronaut()), 512, 512)
    eventually(
        "it is shown",
        lambda: tile(page, "gate-3").locator("[data-picture]").get_attribute("data-frame") != of,
    )
    expect(verdict).to_contain_text(str(of))  # what was asked about stays
    page.goto(f"{address}/events?event=1")
    page.get_by_text("The path of this picture").click(timeout=PATIENCE)
    expect(verdict).to_contain_text("Worker staged-1 computed it", timeout=PATIENCE)
    expect(verdict.get_by_role("listitem")).to_have_count(4)


def test_handed_over_between_producers_and_then_served_by_nobody(
    page: Page, address: str, staged: Staged
) -> None:
    one, other = staged.camera("a"), staged.camera("b")
    staged.serving = {"p": [one], "q": [other]}
    enter(page, address)
    expect(tile(page, "a")).to_have_attribute("data-state", "live", timeout=PATIENCE)
    staged.serving = {"p": [], "q": [other]}
    expect(tile(page, "a")).to_contain_text("handed over by p", timeout=PATIENCE)
    staged.serving = {"p": [], "q": [one, other]}
    expect(tile(page, "a")).to_have_attribute("data-state", "live", timeout=PATIENCE)
    staged.serving = {"p": [], "q": [other]}
    expect(tile(page, "a")).to_contain_text("no producer serves it (last: q)", timeout=PATIENCE)
    expect(tile(page, "a")).to_have_attribute("data-state", "offline")
    assert cameras(address)["a"]["state"] == "offline"


def test_a_thousand_cameras_say_nothing_while_nothing_changes(
    page: Page, address: str, staged: Staged
) -> None:
    told: list[int] = []

    def received(data: str | bytes) -> None:
        if isinstance(data, str) and (message := json.loads(data))["type"] == "cameras":
            told.append(len(message["items"]))

    page.on("websocket", lambda socket: socket.on("framereceived", received))
    labels = [CameraLabels(name=f"Street {number}", district="Centre") for number in range(1_000)]
    staged.serving["p"] = [staged.camera(f"cam-{number}", labels=each) for number, each in enumerate(labels)]
    enter(page, address)
    bar = page.get_by_role("navigation", name="Cameras by state")
    expect(bar).to_contain_text("live 1,000", timeout=PATIENCE)
    before = sum(told)
    assert before == 1_000
    changed = staged.camera("cam-7", "offline", reason="no route to host")
    staged.serving["p"] = [changed if each.camera_id == "cam-7" else each for each in staged.serving["p"]]
    expect(bar).to_contain_text("offline 1", timeout=PATIENCE)
    assert sum(told) == before + 1
    assert page.locator("[data-camera]").count() < 60  # only what is in sight exists
