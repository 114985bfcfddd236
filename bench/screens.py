"""Pictures of the dashboard's pages, as docs/dashboard.md and the README show them, of a system that runs.

    make up WORKERS=2 SOURCE=demo:8 MODEL_DIR=… PORT=8080      # in another terminal
    python -m bench.screens [--to docs] [--only wall-dark,camera-phone]

Signs in by `.run/endpoints.json`. What is shown is what is there: wait until events have ended and a job is done, and
send a few messages that are no frames, if the dead letters shall have some. The newest job and the largest group of
dead letters are opened.
"""

import json
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.ready_link import ask_link

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
SETTLED_MS = 3_000
"""From a page's first sight until its pictures and charts are there."""
PICTURE = "[data-frame]"


@dataclass(frozen=True)
class Shot:
    """A page at `path`, once `there` is shown; `opens` is clicked then. `kept` is what the browser has stored."""

    path: str
    there: str
    screen: dict[str, Any]
    opens: str = ""
    kept: tuple[tuple[str, str], ...] = ()


LIGHT = (("framefleet.scheme", "light"),)
SHOTS = {
    "overview-dark": Shot("/", PICTURE, DESKTOP),
    "overview-light": Shot("/", PICTURE, DESKTOP, kept=LIGHT),
    "overview-phone": Shot("/", PICTURE, PHONE),
    "wall-dark": Shot("/wall", PICTURE, DESKTOP),
    "camera-dark": Shot("/cameras/demo-1?show=boxes,scores,landmarks", PICTURE, DESKTOP),
    "camera-phone": Shot("/cameras/demo-1", PICTURE, PHONE),
    "events-dark": Shot("/events", "[data-event]", DESKTOP),
    "events-light": Shot("/events", "[data-event]", DESKTOP, kept=LIGHT),
    "events-phone": Shot("/events", "[data-event]", PHONE),
    "event-dark": Shot("/events", "[data-event]", DESKTOP, opens="[data-event]"),
    "nodes-dark": Shot("/nodes?from=now-5m", "[data-worker]", DESKTOP),
    "alerts-dark": Shot("/alerts?alert=FramefleetDeadLetters&from=now-15m", "main", DESKTOP),
    "models-dark": Shot("/models", "tr[data-model]", DESKTOP),
    "queues-dark": Shot("/queues", "[data-group]", DESKTOP, opens="[data-group] button"),
    "job-dark": Shot("/jobs", "tr[data-job]", DESKTOP, opens="tr[data-job] a"),
    "explore-dark": Shot(
        "/explore?expr=sum by (node_id) (rate(cv_frames_processed_total[1m]))&from=now-5m",
        "[data-chart] canvas",
        DESKTOP,
    ),
    "settings-dark": Shot("/settings", "main h3", DESKTOP),
    "wall-vi": Shot("/wall", PICTURE, DESKTOP, kept=(("framefleet.language", "vi"),)),
}


def take(browser: Browser, gateway: str, session: Any, shot: Shot, file: Path) -> None:
    """Write the picture."""
    context = browser.new_context(storage_state=session, **shot.screen)
    for name, value in shot.kept:
        context.add_init_script(f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)})")
    page: Page = context.new_page()
    page.goto(gateway + shot.path)
    page.locator(shot.there).first.wait_for()
    if shot.opens:
        page.locator(shot.opens).first.click()
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=file)
    context.close()
    shrink(file)


def shrink(file: Path) -> None:
    """Leave 256 colours: a third of the bytes, and nobody sees it."""
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def main() -> None:
    """Take what was asked for."""
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", type=Path, default=Path("docs"), help="the folder")
    parser.add_argument("--only", default=",".join(SHOTS), help="names, with commas between them")
    given = parser.parse_args()
    running = json.loads(Path(".run/endpoints.json").read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        page.goto(ask_link(running["gateway"], running["token"], "operator"))
        page.locator("[data-role]").wait_for()
        session = context.storage_state()
        for name in given.only.split(","):
            take(browser, running["gateway"], session, SHOTS[name], given.to / f"{name}.png")
            print(given.to / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
