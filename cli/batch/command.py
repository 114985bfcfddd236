"""Runs a job from the command line: options, signals, outputs, the summary, the exit status."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from batch.cache.settings import kept_results
from batch.courtesy import kept_share
from batch.engine import PATIENCE_SECONDS, REMOTE_PATIENCE_SECONDS, Engine, Options
from batch.errors import BatchError, Misuse
from batch.job import Job, delete_job, jobs_folder, open_job
from batch.outputs.lines import ndjson
from batch.outputs.target import FOLDERS, Target, target
from batch.report import BatchReport
from batch.video.settings import video_settings
from broker import BrokerError
from cli.batch.estimate import affordable
from cli.batch.showing import showing
from cli.batch.summary import summary
from cli.broker_url import broker_urls
from cli.errors import CommandError, InvalidOption
from cli.layout import Layout
from cli.logs import quiet_logs
from contract.topology import Lane
from runtime.priority import give_way

MOST_CONCURRENCY = 1000
STANDARD_OUTPUT = "-"
DECLINED = 2
"""The exit status of a job whose price was not agreed to: nothing was done."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(arguments: argparse.Namespace) -> int:
    """Run the job; returns the exit status. Raises CommandError."""
    try:
        return _run_job(arguments)
    except Misuse as error:
        raise InvalidOption(str(error)) from error
    except (BatchError, BrokerError) as error:
        raise CommandError(str(error)) from error


def _run_job(arguments: argparse.Namespace) -> int:
    quiet_logs()
    folder: Path = arguments.jobs or jobs_folder()
    if arguments.delete:
        return _delete(folder, arguments)
    if not arguments.paths and not arguments.job:
        raise InvalidOption("name what is to be computed: `framefleet batch PATH…`, or go on with --job ID")
    if not 1 <= arguments.concurrency <= MOST_CONCURRENCY:
        raise InvalidOption(f"--concurrency {arguments.concurrency}: 1 to {MOST_CONCURRENCY} is possible")
    targets = [
        target(path, form) for path, form in arguments.output if (path, form) != (STANDARD_OUTPUT, None)
    ]
    for each in targets:
        each.check()
    with open_job(
        folder,
        [os.fsencode(path) for path in arguments.paths],
        name=arguments.job,
        model=arguments.model,
        video=video_settings(arguments.every, arguments.windows, skip=not arguments.no_skip),
        stdin=sys.stdin.buffer,
        null=arguments.null,
        sought=True,
    ) as job:
        return _run(job, targets, arguments)


def _run(job: Job, targets: list[Target], arguments: argparse.Namespace) -> int:
    to_standard_output = (STANDARD_OUTPUT, None) in arguments.output
    out = sys.stderr if to_standard_output else sys.stdout
    print(f"job {job.job_id}", file=out, flush=True)
    lane = Lane(arguments.lane)
    if lane is Lane.REMOTE and not affordable(job, arguments):
        return DECLINED
    options = Options(
        concurrency=arguments.concurrency,
        lane=lane,
        patience=REMOTE_PATIENCE_SECONDS if lane is Lane.REMOTE else PATIENCE_SECONDS,
        retry_failed=arguments.retry_failed,
        kept=None if arguments.no_cache else kept_results(),
        share=kept_share(),
    )
    give_way(options.share)
    report = asyncio.run(_work(job, broker_urls(os.environ, Layout()), options))
    for each in targets:
        if each.format in FOLDERS:  # takes its time
            print(f"writing {each.path} …", file=sys.stderr, flush=True)
        each.write(job)
    if to_standard_output:
        for line in ndjson(job.store):
            sys.stdout.writelines(line)
            print()
    print(summary(report, [each.path for each in targets], arguments.jobs), file=out)
    return report.exit_code


async def _work(job: Job, urls: list[str], options: Options) -> BatchReport:
    """Run it to its end, or until it is interrupted: once drains, twice ends it at once."""
    loop = asyncio.get_running_loop()
    with showing(options.lane) as show:
        engine = Engine(job, urls, options, show.progress)
        running = asyncio.create_task(engine.run())
        asked = 0

        def interrupted() -> None:
            nonlocal asked
            asked += 1
            if asked == 1:
                show.say(
                    "Finishing what is under way … (Ctrl-C again ends at once, and loses nothing either)"
                )
                engine.stop()
            else:
                running.cancel()

        for number in SIGNALS:
            loop.add_signal_handler(number, interrupted)
        try:
            return await running
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)


def _delete(folder: Path, arguments: argparse.Namespace) -> int:
    if not arguments.job or arguments.paths:
        raise InvalidOption("--delete needs --job ID, and nothing else")
    delete_job(folder, arguments.job)
    print(f"the job {arguments.job} is deleted")
    return 0
