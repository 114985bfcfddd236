"""Ten minutes among enemies: `make hostile SECONDS=600`. A demo runs beside all of them, and must not notice.

Two hostile clients with names of their own, hostile cameras, a greedy viewer, somebody who guesses tokens and a broker
whose batch lane is damaged, all at once, against a broker, workers, a producer and a gateway of the run's own. First
the demo runs alone, for a minute. Exit status 0: among enemies it kept 90 % of its rate and its p95, and every hostile
act is to be seen in a metric.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from broker import Consumer, Delivery, Message, aio
from cli.ports import free_port
from cli.rabbitmq import RabbitMQNode
from cli.senders.administration import SenderAccount, commands
from contract.result import parse_result
from contract.senders import Sender
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue, Lane
from gateway.senders.file import put_sender
from gateway.tokens.file import add_token
from runtime.logs import configure_logs
from tests.faults.test_broker_damage import damage
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN
from tests.helpers.hostile_acts import ACTS
from tests.helpers.processes import ROOT, Service

CAMERAS, FPS = 4, 5
ALONE_SECONDS = 60.0
KEPT = 0.9
P95_SHARE, P95_SECONDS = 1.5, 0.1
"""The p95 may be half as much again, or a tenth of a second more: the enemies compute on the same cores."""
BATCH = Lane.BATCH.queue
MALLORY, TRUDY = Sender(name="mallory"), Sender(name="trudy")
"""Her queue is always full, so another sends what is large: else nobody would come to refuse it."""
SAY_SECONDS = 30.0

SEEN = {
    "frames of a named sender, computed at its own cost": (
        "worker",
        "cv_sender_seconds_total",
        'sender="mallory"',
    ),
    "more cameras, other models than it may": ("worker", "cv_frames_failed_total", 'reason="not_allowed"'),
    "rubbish": ("worker", "cv_frames_failed_total", 'reason="not_an_image"'),
    "replies to somebody else": ("worker", "cv_sender_replies_refused_total", 'sender="mallory"'),
    "cameras that lead elsewhere": ("producer", "producer_camera_errors_total", ""),
    "pictures of invented cameras": (
        "gateway",
        "gateway_refused_total",
        'reason="(?:pictures|subscriptions|sockets)"',
    ),
    "dear questions": ("gateway", "gateway_refused_total", 'reason="(?:queries|busy|role)"'),
    "guessing": ("gateway", "gateway_refused_total", 'reason="(?:guessing|unauthorized)"'),
    "a damaged queue": ("gateway", "gateway_queue_down", f'queue="{re.escape(BATCH)}"'),
}
"""Every hostile act, and where it shows: service, metric and a pattern of its labels."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the demo did in a stretch of time: results a second, and the p95 from capture to result, in seconds."""

    rate: float
    p95: float

    def __str__(self) -> str:
        return f"{self.rate:.1f} results/s, p95 {self.p95 * 1000:.0f} ms"


class Demo:
    """The demo's results as they are published."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []  # monotonic, latency
        queue = EphemeralQueue(
            tuple((RESULTS_EXCHANGE, f"demo-{n}") for n in range(1, CAMERAS + 1)), max_length=10_000
        )
        self.consumer = Consumer(queue, self._received, no_ack=True)

    def _received(self, delivery: Delivery) -> None:
        result = parse_result(delivery.body)
        if result.status == "ok":
            self._seen.append((time.monotonic(), result.timestamp - result.original_timestamp))

    def since(self, begin: float) -> Figures:
        """Compute the figures from `begin` (monotonic) to now."""
        ages = sorted(age for at, age in self._seen if at >= begin)
        p95 = statistics.quantiles(ages, n=20)[-1] if len(ages) > 1 else float("inf")
        return Figures(len(ages) / (time.monotonic() - begin), p95)


class Hostile:
    """The run's own broker and services, and their enemies."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._node = RabbitMQNode(folder / "broker", name="hostile")
        self._camera_port = free_port()
        self._gateway_port = free_port()
        self._services: dict[str, Service] = {}

    async def run(self, seconds: float) -> tuple[Figures, Figures, dict[str, float]]:
        """Return the demo's figures alone and among enemies, and what was seen of each hostile act."""
        demo = Demo()
        try:
            await asyncio.to_thread(self._start)
            async with bus(self._node.amqp_url, demo.consumer):
                await aeventually("the demo", lambda: demo.since(0).p95 < 1, 60)
                begun = time.monotonic()
                await asyncio.sleep(ALONE_SECONDS)
                alone = demo.since(begun)
                self._say(f"alone: {alone}")
                begun = time.monotonic()
                with self._enemies():
                    await asyncio.sleep(min(30.0, seconds / 4))
                    await asyncio.to_thread(self._damage)
                    while (left := begun + seconds - time.monotonic()) > 0:
                        await asyncio.sleep(min(left, SAY_SECONDS))
                        self._say(f"{time.monotonic() - begun:4.0f} s among enemies: {demo.since(begun)}")
                    return alone, demo.since(begun), await asyncio.to_thread(self._seen)
        finally:
            for service in self._services.values():
                service.kill()
            await asyncio.to_thread(self._node.stop)

    # --- the system --------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._node.start()
        asyncio.run(self._fill_batch_lane())
        self._node.stop()  # the next start writes what is in the log into segments, of which one can be damaged
        self._node.start()
        self._passwords = {sender.name: self._make_sender(sender) for sender in (MALLORY, TRUDY)}
        data = self._folder / "gateway"
        self._viewer_token = add_token(data / "tokens.json", "greedy", "viewer", time.time(), None)
        cameras = self._folder / "cameras.yaml"
        cameras.write_text(self._cameras())
        common = {"AMQP_URL": self._node.amqp_url}
        for number in (1, 2):
            self._begin(f"worker-{number}", "worker", **common, NODE_ID=f"w-{number}")
        self._begin(
            "gateway", "gateway", **common, GATEWAY_PORT=str(self._gateway_port), GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(data),
        )  # fmt: skip
        self._begin("producer", "producer", **common, CAMERAS=str(cameras))
        for service in self._services.values():
            service.ready(60)

    def _begin(self, name: str, module: str, **environment: str) -> None:
        self._services[name] = Service(module, self._folder / f"{name}.log", **environment)

    async def _fill_batch_lane(self) -> None:
        async with bus(self._node.amqp_url) as sender:
            message = Message("", BATCH, os.urandom(4_000), content_type="image/jpeg")
            await asyncio.gather(*(aio.publish(sender.publisher, message) for _ in range(300)))

    def _make_sender(self, sender: Sender) -> str:
        """Return its password."""
        password = secrets.token_urlsafe(16)
        put_sender(self._folder / "gateway" / "senders.json", sender)
        for line in commands(SenderAccount(sender, "/"), password):
            self._node.ctl(*shlex.split(line)[1:])
        return password

    def _cameras(self) -> str:
        place = f"http://127.0.0.1:{self._camera_port}"
        good = "".join(f"- {{id: demo-{n}, source: 'demo:1', fps: {FPS}}}\n" for n in range(1, CAMERAS + 1))
        bad = "".join(
            f"- {{id: {name}, source: '{place}/{path}'}}\n"
            for name, path in (("hls", "live.m3u8"), ("away", "away.jpg"), ("endless", "endless.jpg"))
        )
        return f"cameras:\n{good}{bad}"

    # --- their enemies -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _enemies(self) -> Iterator[None]:
        place = f"127.0.0.1:{self._node.amqp_port}/%2F"
        everywhere = {
            "gateway": f"http://127.0.0.1:{self._gateway_port}",
            "token": self._viewer_token,
            "camera_port": str(self._camera_port),
        }

        def where(act: str) -> str:
            sender = TRUDY if act == "send_huge_rubbish" else MALLORY
            own = {
                "sender": f"amqp://{sender.name}:{self._passwords[sender.name]}@{place}",
                "exchange": sender.exchange,
                "key": sender.queue(Lane.LIVE),
            }
            return json.dumps(everywhere | own)

        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.helpers.hostile_acts", act, where(act)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(self._folder / f"{act}.log").open("wb"),
            )
            for act in ACTS
        ]
        try:
            yield
            ended = [act for act, process in zip(ACTS, processes, strict=True) if process.poll() is not None]
            assert not ended, f"{', '.join(ended)}: gave up; logs in {self._folder}"
        finally:
            for process in processes:
                process.kill()
                process.wait()

    def _damage(self) -> None:
        self._node.kill()
        damage(self._node, BATCH, cut=False)
        self._node.start()
        self._say("the batch lane is damaged, and the broker is back")

    def _seen(self) -> dict[str, float]:
        found = {}
        for act, (service, metric, labels) in SEEN.items():
            pattern = re.compile(rf"^{metric}(?:\{{[^}}]*{labels}[^}}]*\}})? (\S+)$", re.MULTILINE)
            texts = [
                each.get("/metrics")[1] for name, each in self._services.items() if name.startswith(service)
            ]
            found[act] = sum(float(match[1]) for text in texts for match in pattern.finditer(text))
        return found


def verdict(alone: Figures, among: Figures, seen: dict[str, float]) -> list[str]:
    """List what the demo did not keep, and what was not seen; empty when all is well."""
    faults = [f"not seen: {act}" for act, count in seen.items() if not count]
    if among.rate < KEPT * alone.rate:
        faults.append(f"the demo kept {among.rate / alone.rate:.0%} of its rate")
    if among.p95 > max(alone.p95 * P95_SHARE, alone.p95 + P95_SECONDS):
        faults.append(f"the demo's p95 went from {alone.p95 * 1000:.0f} to {among.p95 * 1000:.0f} ms")
    return faults


def main() -> int:
    """The command: exit status 1 if the demo suffered or something was not seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    configure_logs("hostile", "error", "auto")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="framefleet-hostile-"))

    def say(line: str) -> None:
        print(f"hostile: {line}", flush=True)

    say(f"{options.seconds:.0f} s after {ALONE_SECONDS:.0f} s alone; logs in {folder}")
    try:
        alone, among, seen = asyncio.run(Hostile(folder, say).run(options.seconds))
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    for act, count in seen.items():
        say(f"seen: {act}: {count:,.0f}")
    say(f"alone {alone}; among enemies {among}: {among.rate / alone.rate:.0%} of the rate")
    faults = verdict(alone, among, seen)
    for fault in faults:
        say(f"FAILED: {fault}")
    if not faults:
        shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
