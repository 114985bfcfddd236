"""`python -m batch.uploads.child`: computes one job of a gateway, which starts it and orders about
(`messages`).

It ends with its gateway: at the end of its standard input it drops what it does, and the broker keeps what is
under way.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batch.arrivals import Arrivals
from batch.cache.settings import kept_results
from batch.courtesy import kept_share
from batch.engine import Engine, Options
from batch.errors import BatchError
from batch.inputs.found import Found
from batch.job import Job
from batch.kept_frames import FrameKeeper
from batch.objects.places import object_store
from batch.objects.store import ObjectsUnavailable
from batch.progress import Progress
from batch.uploads.figures import FigureTeller
from batch.uploads.folder import FRAMES, INPUTS, put_away, uploaded_job
from batch.uploads.messages import (
    Arrived,
    Complete,
    Finished,
    JobOrder,
    JobWord,
    Over,
    Stop,
    Told,
    Withdrawn,
    line,
    parse_order,
)
from broker import BrokerError, split_urls
from runtime.logs import configure_logs, get_logger
from runtime.pipes import write_whole
from runtime.priority import give_way

log = get_logger("job")

LONGEST_LINE = 1 << 20
TELL_SECONDS = 1.0
AWAY_TRIES, AWAY_SECONDS = 5, 5.0
"""So often, and so long apart, what is kept is offered to a store of objects that does not take it."""


@dataclass(slots=True)
class _Run:
    """One run of the job, as orders change it."""

    job: Job
    arrivals: Arrivals
    engine: Engine
    figures: FigureTeller
    told: float = field(default=float("-inf"))
    for_good: bool = False

    def obey(self, text: bytes) -> None:
        """Do what a line says."""
        match parse_order(text):
            case Arrived(path, size, stamp, kind, finished):
                self.arrivals.arrive(Found(path.encode(), size, stamp, kind=kind), finished=finished)
            case Finished(path):
                self.arrivals.finish(path.encode())
            case Withdrawn(path, why):
                self.arrivals.withdraw(path.encode(), why)
            case Complete():
                self.arrivals.complete()
            case Stop(for_good):
                self.for_good = for_good
                self.engine.stop(for_good=for_good)

    def progress(self, progress: Progress) -> None:
        """Hear how far it is, five times a second."""
        now = time.monotonic()
        if now - self.told >= TELL_SECONDS:
            self.told = now
            say(Told(self.figures.figures(progress, self.engine.frames_under_way)))


def say(word: JobWord) -> None:
    """Say a word to the gateway."""
    with suppress(BrokenPipeError):  # it is gone, and so is whoever would want to know
        write_whole(sys.stdout.fileno(), line(word))


async def main() -> int:
    """Work until all is settled, or somebody says that it is enough."""
    orders = await _standard_input()
    order = msgspec.json.decode(await orders.readline(), type=JobOrder)
    try:
        urls = split_urls(os.environ.pop("AMQP_URL", ""))
        with uploaded_job(Path(order.folder), order.job_id, order.settings) as job:
            return await _work(order, job, urls, orders)
    except (BatchError, BrokerError) as error:
        say(Over(FigureTeller(None, order.retried).last, error=str(error)))
        return 1


async def _work(order: JobOrder, job: Job, urls: list[str], orders: asyncio.StreamReader) -> int:
    arrivals = Arrivals(job.folder / INPUTS)
    figures = FigureTeller(job.store, order.retried)
    share = kept_share()
    give_way(share)
    frames = FrameKeeper(job.folder / FRAMES)
    options = Options(
        kept=kept_results(), arrivals=arrivals, frames=frames, share=share, gateway=order.gateway
    )
    run = _Run(job, arrivals, Engine(job, urls, options, lambda progress: run.progress(progress)), figures)
    working = asyncio.create_task(run.engine.run())
    listening = asyncio.create_task(_listen(orders, run, working))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    try:
        report = await working
    except asyncio.CancelledError:
        say(Over(figures.last))
        return 3
    finally:
        listening.cancel()
    if report.finished or run.for_good:
        await _put_away(order, job)
    say(Over(figures.figures(None, run.engine.frames_under_way), done=report.finished))
    return 0 if report.finished else 3


async def _listen(orders: asyncio.StreamReader, run: _Run, working: "asyncio.Task[object]") -> None:
    while text := await orders.readline():
        run.obey(text)
    working.cancel()  # the gateway is gone


async def _put_away(order: JobOrder, job: Job) -> None:
    """Give what is kept to the store of objects. Raises BatchError."""
    for attempt in range(1, AWAY_TRIES + 1):
        try:
            objects = object_store(order.objects, Path(order.key_file) if order.key_file else None)
            await asyncio.to_thread(put_away, job, objects, keep_videos=order.keep_videos)
        except (ObjectsUnavailable, OSError) as error:
            if attempt == AWAY_TRIES:
                raise BatchError(f"its originals and results cannot be kept: {error}") from error
            log.warning("a job's files could not be put away", error=str(error))
            await asyncio.sleep(AWAY_SECONDS)
        else:
            return


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    return reader


if __name__ == "__main__":
    configure_logs("job")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the gateway, which ends this one
    sys.exit(asyncio.run(main()))
