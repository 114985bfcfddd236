"""Whether the wall stays smooth with a thousand cameras, against a blank page and against MJPEG.

    MODEL_DIR=… python -m bench.wall [--footage FOLDER] [--minutes 2] [--rounds 3] [--quick] [--check]

A gateway's socket is recorded with the footage's pictures, then replayed with the cluster off: 1,000 cameras, three
of them offline, at least 30 in sight at 5 fps each. Headless Chromium shows `/wall` of the production build
(dashboard/dist), a blank page, and 40 `<img>`s of MJPEG at 5 fps; the three take turns. Counted are animation frames
and long tasks while the page scrolls, and the CPU time of all of the browser's processes. Then the wall is watched
for --minutes, half of the time scrolling, and its heap compared after a collection of garbage; then the tab is hidden.

--check ends with exit code 1 if an aim is missed: 90 % of the blank page's animation frames while scrolling, no task
over 100 ms, the heap less than 10 MB larger at the end, 90 % of the pictures painted, and nothing sent to a hidden
tab. The aim of the heap is one of ten minutes, on a machine with nothing else to do: `--minutes 10 --check`.
"""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.command import command
from bench.machine import cpu_seconds, facts, family
from bench.pictures import pictures
from bench.tables import percent, table
from bench.wall_recording import record
from bench.wall_server import FPS, MJPEG_TILES, Served, serving

CAMERAS = 1_000
OFFLINE = 3
IN_SIGHT = 30
VIEWPORT = {"width": 1600, "height": 1250}
"""Five rows of six tiles."""
CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--enable-precise-memory-info",
]
SETTLE_SECONDS = 8.0
MOST_PICTURES = 120
FRAME_SHARE, LONGEST_TASK, HEAP_MB, PAINTED_SHARE = 0.90, 100.0, 10.0, 0.90

MEASURE = """async ([seconds, speed]) => {
  const scroller = document.querySelector('[data-scroller]') ?? document.scrollingElement;
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  let painted = 0;
  const paints = new MutationObserver((changes) => (painted += changes.length));
  paints.observe(document.body, { subtree: true, attributeFilter: ['data-frame'] });
  const began = performance.now();
  let [frames, last, direction, longest] = [0, began, 1, 0];
  await new Promise((done) => {
    const step = (now) => {
      frames += 1;
      longest = Math.max(longest, now - last);
      const before = scroller.scrollTop;
      if (speed > 0) scroller.scrollTop += (direction * speed * Math.min(100, now - last)) / 1000;
      if (speed > 0 && scroller.scrollTop === before) direction = -direction;
      last = now;
      if (now < began + seconds * 1000) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
  const took = (performance.now() - began) / 1000;
  await new Promise((done) => setTimeout(done, 200));
  observer.disconnect();
  paints.disconnect();
  return { frames: frames / took, tasks, painted: painted / took, longest };
}"""
"""Scrolls at `speed` pixels a second, there and back, and counts."""
SPEED = 500

SIGHT = """() => [...document.querySelectorAll('[data-picture]')].filter((picture) => {
  const box = picture.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}).length"""

HIDE = """() => {
  Object.defineProperty(document, 'hidden', { get: () => true });
  Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
"""Headless browsers hide nothing: the page is told so."""


@dataclass
class Turns:
    """One page in all rounds: animation frames and paints a second, long tasks in ms, cores that the browser used."""

    frames: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def add(self, measured: dict[str, Any], cores: float, memory: float) -> None:
        """Take one turn's figures."""
        self.frames.append(measured["frames"])
        self.painted.append(measured["painted"])
        self.tasks += measured["tasks"]
        self.cores.append(cores)
        self.memory.append(memory)


def browser_processes() -> list[int]:
    """Those of the browser that this process started."""
    return [
        pid
        for pid in family(os.getpid())
        if b"chrom" in (Path(f"/proc/{pid}/cmdline").read_bytes() if Path(f"/proc/{pid}").exists() else b"")
    ]


def browser_cpu() -> dict[int, float]:
    """CPU seconds of each of them so far."""
    found = {}
    for pid in browser_processes():
        try:
            found[pid] = cpu_seconds(pid)
        except OSError:
            continue
    return found


def used(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds in between, of those that are still there."""
    return sum(now - before.get(pid, 0.0) for pid, now in after.items())


def proportional_megabytes() -> float:
    """Memory of all of the browser's processes; what they share counts once."""
    total = 0
    for pid in browser_processes():
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def measured(page: Page, seconds: float, speed: float) -> tuple[dict[str, Any], float]:
    """Scroll for so long; the figures, and the cores that the browser used meanwhile."""
    before, began = browser_cpu(), time.monotonic()
    figures: dict[str, Any] = page.evaluate(MEASURE, [seconds, speed])
    return figures, used(before, browser_cpu()) / (time.monotonic() - began)


def opened(browser: Browser, address: str) -> Page:
    """A page in a window of its own, settled."""
    page = browser.new_context(viewport=VIEWPORT).new_page()  # type: ignore[arg-type]
    # A stream of MJPEG never ends loading.
    page.goto(address, wait_until="commit")
    time.sleep(SETTLE_SECONDS)
    return page


def heap(session: CDPSession) -> float:
    """Megabytes of JavaScript objects that are in use, garbage collected."""
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    found: float = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    return found


@dataclass(frozen=True)
class Watched:
    """A wall that was watched for minutes: heap in MB before and after, nodes of the document, memory, tasks."""

    minutes: float
    before: float
    after: float
    memory: tuple[float, float]
    figures: list[dict[str, Any]]


def watched(page: Page, minutes: float) -> Watched:
    """Watch it: still and scrolling, half a minute each."""
    session = page.context.new_cdp_session(page)
    measured(page, 10, SPEED)  # caches fill, code is compiled
    before, memory = heap(session), proportional_megabytes()
    end, figures, scrolling = time.monotonic() + 60 * minutes, [], False
    while (left := end - time.monotonic()) > 1:
        figures.append(page.evaluate(MEASURE, [min(30.0, left), SPEED if scrolling else 0]))
        scrolling = not scrolling
        print(f"{left:.0f} s left", file=sys.stderr)
    return Watched(minutes, before, heap(session), (memory, proportional_megabytes()), figures)


def hidden(page: Page, served: Served) -> tuple[dict[str, int], float]:
    """What a hidden tab is sent in ten seconds, and the cores that it uses."""
    page.evaluate(HIDE)
    time.sleep(3)

    def sent() -> dict[str, int]:
        found: dict[str, int] = page.request.get(served.address("/bench/sent")).json()
        return found

    counted, before, began = sent(), browser_cpu(), time.monotonic()
    time.sleep(10)
    cores = used(before, browser_cpu()) / (time.monotonic() - began)
    return {name: count - counted.get(name, 0) for name, count in sent().items()}, cores


def rounds(browser: Browser, served: Served, number: int, seconds: float) -> tuple[dict[str, Turns], int]:
    """All pages in turn, that many times; and how many cameras the wall had in sight."""
    addresses = {"blank page": "/bench/blank", "wall": "/wall", f"{MJPEG_TILES} MJPEG": "/bench/mjpeg"}
    turns = {name: Turns() for name in addresses}
    least = CAMERAS
    for each in range(number):
        for name, path in addresses.items():
            print(f"round {each + 1}: {name}", file=sys.stderr)
            page = opened(browser, served.address(path))
            if name == "wall":
                least = min(least, page.evaluate(SIGHT))
            figures, cores = measured(page, seconds, SPEED)
            turns[name].add(figures, cores, proportional_megabytes())
            page.context.close()
    return turns, least


def row(name: str, turns: Turns, blank: Turns) -> Sequence[str]:
    """A line of the table."""
    return (
        name,
        f"{statistics.median(turns.frames):.1f}",
        percent(share(turns, blank)),
        f"{max(turns.tasks, default=0):.0f}",
        f"{sum(task > LONGEST_TASK for task in turns.tasks)}",
        f"{statistics.median(turns.cores):.2f}",
        f"{statistics.median(turns.memory):.0f}",
    )


def share(turns: Turns, blank: Turns) -> float:
    """The median of the rounds' shares of the blank page's animation frames."""
    return statistics.median(own / other for own, other in zip(turns.frames, blank.frames, strict=True))


def judged(turns: dict[str, Turns], sight: int, seen: Watched, sent: dict[str, int]) -> list[str]:
    """Which aims were missed, as sentences."""
    missed = []
    wall, blank = turns["wall"], turns["blank page"]
    if sight < IN_SIGHT:
        missed.append(f"only {sight} cameras were in sight: the wall was not what is to be measured")
    if (reached := share(wall, blank)) < FRAME_SHARE:
        missed.append(
            f"{percent(reached)} of the blank page's animation frames instead of {percent(FRAME_SHARE)}"
        )
    tasks = [*wall.tasks, *(task for figures in seen.figures for task in figures["tasks"])]
    if (longest := max(tasks, default=0)) > LONGEST_TASK:
        over = sum(task > LONGEST_TASK for task in tasks)
        missed.append(f"{over} tasks took over {LONGEST_TASK:.0f} ms, the longest {longest:.0f} ms")
    if (grown := seen.after - seen.before) >= HEAP_MB:
        missed.append(f"the heap grew by {grown:.1f} MB in {seen.minutes:g} minutes")
    still = statistics.median(figures["painted"] for figures in seen.figures[::2])
    if still < PAINTED_SHARE * sight * FPS:
        missed.append(f"{still:.0f} pictures a second were painted of {sight * FPS:.0f} that were due")
    if sent.get("pictures", 0) or sent.get("results", 0):
        missed.append(f"a hidden tab was sent {sent}")
    return missed


def main() -> int:
    parser = command(__doc__)
    parser.add_argument("--detector", default="yunet", help="for the boxes")
    parser.add_argument("--minutes", type=float, default=2.0, help="for which the heap is watched")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn")
    parser.add_argument("--check", action="store_true", help="exit 1 if an aim is missed")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.minutes = 1, 5.0, 0.5
    print(facts())
    print("recording", file=sys.stderr)
    images = pictures(arguments.footage)
    images = images[:: max(1, len(images) // MOST_PICTURES)]
    recording = record(images, cameras=CAMERAS, offline=OFFLINE, detector=arguments.detector)
    with serving(recording) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        turns, sight = rounds(browser, served, arguments.rounds, arguments.seconds)
        page = opened(browser, served.address("/wall"))
        seen = watched(page, arguments.minutes)
        sent, cores = hidden(page, served)
        version = browser.version
        browser.close()
    size = statistics.mean(len(image) for _, image in recording.pictures) / 1000
    print(f"Chromium {version}; {sight} cameras in sight at {FPS:g} fps, pictures of {size:.0f} KB\n")
    heads = (
        "page",
        "animation frames/s",
        "of the blank page's",
        "longest task ms",
        "over 100 ms",
        "cores",
        "MB",
    )
    print(table(heads, (row(name, each, turns["blank page"]) for name, each in turns.items())))
    still = statistics.median(figures["painted"] for figures in seen.figures[::2])
    print(
        f"\nWatched for {seen.minutes:g} minutes: heap {seen.before:.1f} MB, then {seen.after:.1f} MB; all of "
        f"the browser {seen.memory[0]:.0f} MB, then {seen.memory[1]:.0f} MB; {still:.0f} pictures a second "
        "painted while still."
    )
    print(f"Hidden for 10 s: sent {sent}; {cores:.2f} cores.")
    missed = judged(turns, sight, seen, sent)
    for sentence in missed:
        print(f"\nmissed: {sentence}")
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
