"""The soak: random faults under load for a bounded time, then the books. `make soak SECONDS=1800 SEED=1`.

The sequence of faults, their victims and lengths depend on the seed alone; what they hit depends on the machine.
Broker and workers are the soak's own. Exit status 0: nothing confirmed was lost and nothing was shown twice.
"""

import argparse
import asyncio
import itertools
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from broker import Connection, Message, aio
from contract.models import DesiredModels
from contract.status import encode_status
from contract.topology import CONTROL_EXCHANGE, DEAD_LETTER_QUEUE
from runtime.logs import configure_logs
from tests.faults.books import PICTURE, Books, Clerk, clerk
from tests.faults.patched import patch, unhurried
from tests.faults.screen import Screen
from tests.helpers.broker import Broker
from tests.helpers.eventually import aeventually
from tests.helpers.models import write_models
from tests.helpers.odd_messages import Odd, odd_messages
from tests.helpers.processes import Service
from tests.helpers.raw_amqp import RawSender

RATE = 40.0  # frames a second
COMPUTING = 0.02  # seconds for a frame: what happens to a worker usually happens in the middle of one
POISON = b"\xff\xd8\xff not a JPEG"
CALM = (0.5, 4.0)  # seconds of load between two faults
PATIENCE = 60.0  # seconds until results must flow again after a fault
WEIGHTS = {
    "kill_worker": 4,
    "restart_worker": 4,
    "pause_worker": 3,
    "poison": 3,
    "odd_messages": 3,
    "close_connections": 2,
    "memory_alarm": 2,
    "delete_dead_letters": 2,
    "switch_model": 2,
    "kill_broker": 1,
}
MODELS = ("haar", "tiny", "tiny,haar:all", "broken")

Say = Callable[[str], None]


class Soak:
    """Two workers and a broker, a clerk that sends and reads, and everything that may befall them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        self.node = Broker(folder / "broker", name="soak")
        self.faults: Counter[str] = Counter()
        self.forced = 0  # SIGTERMs after which the grace period was not enough
        self.slowest = 0.0  # seconds from the end of a fault to results
        self._folder = folder
        self._random = random.Random(seed)
        self._say = say
        self._workers: list[Service] = []
        self._numbers = itertools.count()
        self._revisions = itertools.count(1)
        self._models = write_models(folder / "models")
        self._poisoned: set[str] = set()
        self._clerk: Clerk

    async def run(self, seconds: float) -> tuple[Books, str]:
        """Run for so long and return the settled books, with what was shown. Raises AssertionError for a loss."""
        await asyncio.to_thread(self.node.start)
        screen = Screen()
        try:
            self._workers = [self._worker(), self._worker()]
            async with clerk(self.node.amqp_url) as self._clerk:
                watching = Connection(self._clerk.sending.loop, [self.node.amqp_url], "screen", [screen])
                watching.start()
                async with self._clerk.load(RATE):
                    await self._flows("the start")
                    await self._befall(time.monotonic() + seconds)
                books = await self._clerk.settled(PATIENCE)
                await aio.stop(watching)
            return books, screen.check(self._folder / "history.sqlite3")
        finally:
            for worker in self._workers:
                worker.kill()
            await asyncio.to_thread(self.node.end)

    async def _befall(self, end: float) -> None:
        begun = time.monotonic()
        while True:
            calm = self._random.uniform(*CALM)
            if time.monotonic() + calm >= end:
                return
            await asyncio.sleep(calm)  # load as usual is a part of the sequence
            (name,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            fault: Callable[[], Awaitable[str]] = getattr(self, f"_{name}")
            at, what = time.monotonic() - begun, await fault()
            self.faults[name] += 1
            seconds = await self._flows(name)
            self.slowest = max(self.slowest, seconds)
            self._say(f"{at:7.1f} s  {name}: {what}; results {seconds:.2f} s later; {self._clerk.books}")

    async def _flows(self, fault: str) -> float:
        begun, before = time.monotonic(), len(self._clerk.books.results)
        await aeventually(
            f"results after {fault}", lambda: len(self._clerk.books.results) > before + 5, PATIENCE
        )
        return time.monotonic() - begun

    # --- faults: each ends with everybody in place again, and says what it did ---------------------------

    async def _kill_worker(self) -> str:
        return await self._replace(signal.SIGKILL)

    async def _restart_worker(self) -> str:
        return await self._replace(signal.SIGTERM)

    async def _replace(self, number: signal.Signals) -> str:
        place = self._random.randrange(len(self._workers))
        victim = self._workers[place]
        victim.process.send_signal(number)
        status = await asyncio.to_thread(victim.process.wait, PATIENCE)
        self.forced += number is signal.SIGTERM and status != 0
        self._workers[place] = self._worker()
        return f"{victim.log.stem} ended with {status}"

    async def _pause_worker(self) -> str:
        victim, seconds = self._random.choice(self._workers), self._random.uniform(1, 6)
        victim.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        victim.process.send_signal(signal.SIGCONT)
        return f"{victim.log.stem} stood still for {seconds:.1f} s"

    async def _poison(self) -> str:
        count = self._random.randint(1, 20)
        await self._send_poison(count)
        return f"{count} frames"

    async def _odd_messages(self) -> str:
        """Any that a client may send: each becomes a result or a dead letter that the books do not expect."""
        chosen = self._random.sample(odd_messages(PICTURE), self._random.randint(1, 20))
        await asyncio.to_thread(self._send_odd, chosen)
        return f"{len(chosen)} messages"

    def _send_odd(self, messages: list[Odd]) -> None:
        with RawSender(self.node.amqp_url) as sender:
            for odd in messages:
                sender.publish(odd.properties, odd.body)

    async def _close_connections(self) -> str:
        await self._ctl("close_all_connections", "the soak")
        return "all"

    async def _memory_alarm(self) -> str:
        seconds = self._random.uniform(0.5, 4)
        await self._ctl("set_vm_memory_high_watermark", "0.0000001")
        await asyncio.sleep(seconds)
        await self._ctl("set_vm_memory_high_watermark", "0.4")
        return f"for {seconds:.1f} s"

    async def _delete_dead_letters(self) -> str:
        """What is in a queue goes with it: it is deleted when all dead letters are read, and missed by the next."""
        books = self._clerk.books
        await aeventually("dead letters read", lambda: not books.open & self._poisoned, PATIENCE)
        await self._ctl("delete_queue", DEAD_LETTER_QUEUE)
        await self._send_poison(5)
        return "read, deleted and missed"

    async def _switch_model(self) -> str:
        """No gateway repeats it: a worker that starts later computes as it is set. `broken` does not load."""
        desired = DesiredModels(revision=next(self._revisions), cluster=self._random.choice(MODELS))
        message = Message(CONTROL_EXCHANGE, "", encode_status(desired), persistent=False, mandatory=False)
        await aio.publish(self._clerk.publisher, message)
        return f"to {desired.cluster}"

    async def _kill_broker(self) -> str:
        seconds = self._random.uniform(0, 3)
        await asyncio.to_thread(self.node.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.node.start)
        return f"down for {seconds:.1f} s and its start"

    async def _send_poison(self, count: int) -> None:
        for _ in range(count):
            frame_id = f"poison-{len(self._poisoned)}"
            self._poisoned.add(frame_id)
            await self._clerk.send(POISON, frame_id=frame_id)

    async def _ctl(self, *arguments: str) -> None:
        await asyncio.to_thread(self.node.ctl, *arguments)

    def _worker(self) -> Service:
        name = f"w-{next(self._numbers)}"
        return Service(
            "worker",
            self._folder / f"{name}.log",
            AMQP_URL=self.node.amqp_url,
            NODE_ID=name,
            WORKER_DETECTOR="haar",
            MODEL_DIR=str(self._models),
            WORKER_STALENESS_SECONDS="600",
            **patch(self._folder / "unhurried", unhurried(COMPUTING)),
        )


async def soak(folder: Path, seconds: float, seed: int, say: Say) -> tuple[Soak, Books]:
    """Run it and say the figures. Raises AssertionError if a confirmed frame is lost or a result shown twice."""
    say(f"soak: {seconds:.0f} s, seed {seed}, {RATE:.0f} frames/s; logs in {folder}")
    run = Soak(folder, seed, say)
    books, shown = await run.run(seconds)
    say(
        f"soak: seed {seed}, lost 0, {run.faults.total()} faults {dict(run.faults)}, slowest recovery "
        f"{run.slowest:.1f} s, SIGTERMs forced {run.forced}; {books}; shown: {shown}"
    )
    return run, books


def main() -> int:
    """The command: exit status 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    configure_logs("soak", "error", "auto")
    # As Ctrl-C: broker and workers end with the soak.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="framefleet-soak-"))
    try:
        asyncio.run(soak(folder, options.seconds, options.seed, lambda line: print(line, flush=True)))
    except AssertionError as error:
        print(f"soak: FAILED with seed {options.seed}: {error}; logs in {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"soak: interrupted; logs in {folder}", file=sys.stderr)
        return 130
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
