"""Queues and dead letters in the browser: a group is looked at and replayed."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from broker import Message, Outcome
from broker.session import session
from contract.task import Task, encode_task
from tests.helpers.bus import bus
from tests.helpers.gateway import TOKEN
from tests.helpers.images import astronaut, jpeg

pytestmark = pytest.mark.e2e

T = TypeVar("T")
PATIENCE = 20_000
DLQ, BATCH = "frame_queue.dlq", "frame_queue.batch"


def dead(number: int, reason: str, error: str, camera: str = "gate-3") -> Message:
    """A dead letter as a worker writes it."""
    died = time.time() - 60 * number
    image = jpeg(np.asarray(cv2.resize(astronaut(), (320, 240)), np.uint8))
    task = encode_task(Task(image=image, timestamp=died, camera_id=camera, frame_id=f"{camera}:1:{number}"))
    told = {"reason": reason, "error": error, "origin": "frame_queue", "node": "w-1", "time": str(died)}
    headers = task.headers | {f"x-framefleet-{name}": value for name, value in told.items()}
    return Message("", DLQ, task.body, task.content_type, headers | {"x-framefleet-attempts": 2})


def away(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, on another thread: Playwright has this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result(60)


def fill(url: str, *messages: Message) -> None:
    async def publish() -> None:
        async with bus(url) as b:
            for message in messages:
                assert await b.publish(message) is Outcome.CONFIRMED

    away(publish())


def counted(url: str, queue: str) -> int:
    async def count() -> int:
        async with session([url], "count") as connection:
            return (await connection.count(queue))[0]

    return away(count())


def link(address: str) -> str:
    asked = urllib.request.Request(  # noqa: S310
        f"{address}/api/links", method="POST", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
        found = re.search(r'"link":"[^"]*(\?code=[^"]*)"', answer.read().decode())
    assert found
    return f"{address}/{found[1]}"


def test_an_operator_looks_at_a_group_and_replays_it(rabbitmq: str, address: str, page: Page) -> None:
    script = "<script>document.title = 'taken over'</script>"
    fill(rabbitmq, *(dead(number, "crashed", f"{script} it ended its process") for number in range(12)))
    fill(rabbitmq, Message("", DLQ, script.encode(), "text/html"))
    page.goto(link(address))
    page.goto(f"{address}/queues")
    expect(page.locator("[data-queue='frame_queue']")).to_contain_text("0 of 5,000", timeout=PATIENCE)
    group = page.locator("[data-group]", has_text="crashed")
    expect(group).to_contain_text("12", timeout=PATIENCE)
    group.get_by_role("button", expanded=False).first.click()
    expect(group).to_contain_text("it ended every process that computed it")
    expect(group.locator("[data-letter]")).to_have_count(12, timeout=PATIENCE)
    group.locator("[data-letter] button").first.click()
    picture = group.get_by_role("img", name="The frame of gate-3")
    expect(picture).to_have_js_property("naturalWidth", 320, timeout=PATIENCE)
    expect(group.get_by_text(script).first).to_be_visible()  # as text
    assert "Queues" in page.title()

    group.get_by_role("button", name="Replay…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Replay 12 frames of gate-3 to frame_queue.batch", timeout=PATIENCE)
    expect(dialog).to_contain_text("No worker takes frames from frame_queue.batch now")
    dialog.get_by_role("combobox", name="To").select_option("live")
    expect(dialog).to_contain_text("will expire there without being computed", timeout=PATIENCE)
    page.keyboard.press("Escape")  # cancels
    expect(dialog).to_have_count(0)
    assert (counted(rabbitmq, BATCH), counted(rabbitmq, "frame_queue")) == (0, 0)

    group.get_by_role("button", name="Replay…").click()
    dialog.get_by_role("button", name="Replay 12 frames").click(timeout=PATIENCE)
    done = page.locator("[data-operation][data-state='done']")
    expect(done).to_contain_text("12 replayed", timeout=PATIENCE)
    expect(done).to_contain_text("main")
    expect(group).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-group]", has_text="unknown")).to_be_visible()
    assert (counted(rabbitmq, BATCH), counted(rabbitmq, DLQ)) == (12, 1)
