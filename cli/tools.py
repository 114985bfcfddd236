"""The frame around a tool that talks to the broker: it finds the broker, and says errors in one sentence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from broker import BrokerError
from broker.errors import NoSuchQueue
from cli.broker_url import broker_urls
from cli.errors import CommandError
from cli.layout import Layout
from cli.logs import quiet_logs

Tool = Callable[[argparse.Namespace, Sequence[str]], Awaitable[int]]


def run_tool(tool: Tool, arguments: argparse.Namespace) -> int:
    """Run `tool` against the broker; returns the exit status, 130 if interrupted. Raises CommandError."""
    quiet_logs()

    async def run() -> int:
        return await tool(arguments, broker_urls(os.environ, Layout()))

    try:
        return asyncio.run(run())
    except NoSuchQueue as error:
        raise CommandError(
            f"{error}. The first service of Framefleet that connects to a broker declares its queues: is this the "
            "right broker?"
        ) from error
    except BrokerError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print("interrupted; nothing is lost", file=sys.stderr)
        return 130
