"""What a person sees who opens a ready link."""

import json
import re
import urllib.error
import urllib.request
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from websockets.sync.client import connect

from gateway.ready_link import ask_link
from producer.sources.demo import face_boxes
from tests.e2e.conftest import BUILT_IN
from tests.e2e.pages import PIXELS, enter
from tests.helpers.eventually import eventually
from tests.helpers.images import iou
from tests.helpers.native import Native

pytestmark = pytest.mark.e2e

PATIENCE = 30_000  # ms: two cores, shared
CARDS = ("processingRate", "latency", "queueDepth", "notComputed", "errors")
DEMO = ("demo-1", "demo-2", "demo-3", "demo-4")


def link(native: Native) -> str:
    """Another one like that which was printed: each signs in once."""
    endpoints = native.endpoints
    return ask_link(endpoints["gateway"], endpoints["token"])


@pytest.fixture
def overview(native: Native, page: Page) -> Page:
    """The overview, entered by the operator."""
    enter(page, native)
    return page


def get(native: Native, path: str, token: str | None = None) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(native.endpoints["gateway"] + path, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def promql(native: Native, query: str) -> list[Any]:
    status, answer = get(
        native, f"/api/prometheus/api/v1/query?query={quote(query)}", native.endpoints["token"]
    )
    assert status == 200
    found: list[Any] = answer["data"]["result"]
    return found


def test_the_link_leaves_nothing_in_the_address(page: Page, native: Native) -> None:
    page.goto(link(native))
    expect(page).to_have_url(re.compile(r"^[^?]*/$"))
    cookies = page.context.cookies()
    assert [c["httpOnly"] for c in cookies] == [True]
    assert native.endpoints["token"] not in cookies[0]["value"]


def test_every_demo_camera_shows_a_picture_with_a_box_on_the_face(overview: Page) -> None:
    for camera in DEMO:
        picture = overview.locator(f'[data-camera="{camera}"] [data-picture]')
        overview.locator(f'[data-camera="{camera}"]').scroll_into_view_if_needed(timeout=PATIENCE)
        expect(picture).to_have_attribute("data-frame", re.compile(f"^{camera}:"), timeout=PATIENCE)

        def box_on_face(camera: str = camera, picture: Locator = picture) -> bool:
            frame, boxes = picture.evaluate("p => [p.dataset.frame, JSON.parse(p.dataset.boxes)]")
            number = int(frame.rsplit(":", 1)[1])
            faces = face_boxes(int(camera[-1]), number)
            return any(iou(tuple(box[:4]), (f.x, f.y, f.w, f.h)) >= 0.5 for box in boxes for f in faces)

        assert eventually(f"a box with IoU >= 0.5 on {camera}", box_on_face, 20)
        # Not only the attributes: what is painted has a picture, and the accent colour of a box.
        assert picture.evaluate(f"p => new Set(({PIXELS})(p).data).size") > 50


def test_every_card_has_a_number(overview: Page) -> None:
    for card in CARDS:
        value = overview.locator(f'[data-metric="{card}"] [data-value]')
        expect(value).to_have_attribute("data-value", re.compile(r"\d"), timeout=PATIENCE)
        expect(value).to_have_text(re.compile(r"\d"))


def test_the_health_word_and_the_nodes(overview: Page) -> None:
    expect(overview.locator("[data-health]")).to_have_text(
        re.compile("^(Healthy|Degraded|Starting up)"), timeout=PATIENCE
    )
    expect(overview.locator("[data-node]")).to_have_count(2, timeout=PATIENCE)


def test_the_canary_is_found_and_the_page_tells_when_it_is_not(overview: Page, native: Native) -> None:
    eventually("the canary is found", lambda: recalls(native) == {"1"})
    expect(overview.get_by_text("Canary failing")).to_have_count(0)
    trouble = "Workers answer, and find no face where there is one"

    def failing(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"canary": trouble})

    overview.route("**/api/metrics", failing)
    overview.reload()
    told = overview.get_by_role("alert").filter(has_text="Canary failing")
    expect(told).to_contain_text(trouble, timeout=PATIENCE)
    overview.unroute_all(behavior="ignoreErrors")


def recalls(native: Native) -> set[str]:
    return {series["value"][1] for series in promql(native, "framefleet_canary_recall")}


def test_every_known_face_of_the_demo_has_one_box_and_nothing_else_has_one(native: Native) -> None:
    address = native.endpoints["gateway"].replace("http://", f"ws://:{native.endpoints['token']}@")
    seen: Counter[str] = Counter()
    with connect(f"{address}/ws/results") as results:
        while len(seen) < len(DEMO) or min(seen.values()) < 20:
            result = json.loads(results.recv(timeout=20))
            boxes = [(each["x"], each["y"], each["w"], each["h"]) for each in result["detections"]]
            camera, number = result["camera_id"], int(result["frame_id"].rsplit(":", 1)[1])
            faces = [(face.x, face.y, face.w, face.h) for face in face_boxes(int(camera[-1]), number)]
            assert len(boxes) == len(faces), result
            assert all(max(iou(box, face) for box in boxes) >= 0.5 for face in faces), result
            assert result["model"].startswith(f"{BUILT_IN}@")
            seen[camera] += 1


def test_what_was_printed_says_which_detector_it_is_and_how_to_get_a_faster_one(native: Native) -> None:
    assert native.endpoints
    (line,) = (line for line in native.log.read_text().splitlines() if line.startswith("  Detector "))
    assert line.split(maxsplit=1)[1].startswith(f"{BUILT_IN} (YuNet, several times as fast, is ")


def test_without_the_token_there_is_only_the_login(native: Native, page: Page) -> None:
    page.goto(native.endpoints["gateway"])
    expect(page).to_have_url(re.compile("/login"))
    assert get(native, "/api/metrics")[0] == 401
    assert get(native, "/livez")[0] == 200
    assert get(native, "/readyz")[0] == 200


def test_logging_in_by_hand(native: Native, page: Page) -> None:
    page.goto(native.endpoints["gateway"])
    page.get_by_label("token").fill(native.endpoints["token"])
    page.keyboard.press("Enter")
    expect(page.locator("[data-health]")).to_be_visible(timeout=PATIENCE)


def test_a_camera_opens_and_the_address_says_which(overview: Page, context: BrowserContext) -> None:
    overview.locator('[data-camera="demo-2"]').click(timeout=PATIENCE)
    expect(overview).to_have_url(re.compile("camera=demo-2"))
    other = context.new_page()
    other.goto(overview.url)
    expect(other.locator('[data-large="demo-2"] [data-picture]')).to_have_attribute(
        "data-frame", re.compile("^demo-2:"), timeout=PATIENCE
    )
    overview.go_back()
    expect(overview.locator("[data-camera]")).to_have_count(4, timeout=PATIENCE)


def test_keyboard_help_and_search(overview: Page) -> None:
    expect(overview.locator("[data-camera]")).to_have_count(4, timeout=PATIENCE)
    overview.keyboard.press("/")
    overview.keyboard.type("demo-3")
    expect(overview.locator("[data-camera]")).to_have_count(1)
    expect(overview).to_have_url(re.compile("demo-3"))


def test_a_plain_websocket_client_reads_results(native: Native) -> None:
    address = native.endpoints["gateway"].replace("http://", f"ws://:{native.endpoints['token']}@")
    with connect(f"{address}/ws/results?cameras=demo-1") as results:
        result = json.loads(results.recv(timeout=20))
    assert result["camera_id"] == "demo-1"
    assert {"timestamp", "original_timestamp", "node_id", "detections"} <= set(result)
    assert "frame" not in result


def test_the_queries_of_the_contract_answer(native: Native) -> None:
    rate = eventually("a rate", lambda: promql(native, "sum(rate(cv_frames_processed_total[1m])) > 0"), 60)
    assert float(rate[0]["value"][1]) > 0
    p95 = promql(native, "histogram_quantile(0.95, sum(rate(cv_processing_seconds_bucket[5m])) by (le))")
    assert 0 < float(p95[0]["value"][1]) < 5

    def failing_nodes() -> set[str]:
        failed = promql(native, "sum(rate(cv_frames_failed_total[5m])) by (node_id, reason)")
        return {each["metric"]["node_id"] for each in failed}

    eventually("a failure rate of both workers, 0 as it may be", lambda: len(failing_nodes()) == 2)
    assert promql(native, "rabbitmq_queue_messages")
    jobs = {"cv-worker", "gateway", "producer", "rabbitmq", "rabbitmq-queues", "prometheus"}

    def answering() -> bool:
        return {each["metric"]["job"] for each in promql(native, "up == 1")} == jobs

    eventually("every job answers, Prometheus itself at last", answering)
    status, metrics = get(native, "/api/metrics", native.endpoints["token"])
    assert status == 200
    assert metrics["processingRate"] > 0
    assert metrics["source"]["processingRate"] == "prometheus"
