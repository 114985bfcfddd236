"""Running a tool that talks to the broker: which broker, and errors as one sentence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from broker import BrokerError
from broker.errors import NoSuchQueue
from cli.broker_url import NoBroker, broker_urls, quiet_logs
from cli.layout import Layout

Tool = Callable[[argparse.Namespace, Sequence[str]], Awaitable[int]]


def run_tool(tool: Tool, arguments: argparse.Namespace) -> int:
    """Run it against the broker; returns the exit status: 1 failed, 130 interrupted."""
    quiet_logs()

    async def run() -> int:
        return await tool(arguments, broker_urls(os.environ, Layout()))

    try:
        return asyncio.run(run())
    except NoSuchQueue as error:
        print(
            f"{error}. The first service of Framefleet that connects to a broker declares its queues: is this the "
            "right broker?",
            file=sys.stderr,
        )
    except (BrokerError, NoBroker, ValueError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted; nothing is lost", file=sys.stderr)
        return 130
    return 1
