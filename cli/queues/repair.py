"""The repair of queues that are down: their files are set aside, and the queues are deleted and declared again.

What they held is not read: RabbitMQ cannot, and its files' format is its own and changes. They are kept, so that
somebody who knows that format still can.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from broker.diagnosis import fault, find_faults
from broker.errors import BrokerError
from broker.faults import NO_PROCESS, none_runs
from broker.role import MISSED_SECONDS
from broker.session import session
from cli.queues.damage import identity
from contract.topology import TOPOLOGY, Queue
from runtime.loopback import open_directly

CLIENT = "framefleet queues repair"
LAST_KNOWN = 'last_over_time(sum(rabbitmq_detailed_queue_messages{{queue="{}"}})[1d:1m])'


@dataclass(frozen=True)
class DownQueue:
    """A queue that RabbitMQ cannot use. `folder`: its files, if they are on this machine."""

    queue: Queue
    why: str
    folder: Path | None

    @property
    def dead(self) -> bool:
        """Nothing of it runs. One that merely does not answer may lack the nodes that hold it, and comes back."""
        return NO_PROCESS in self.why


async def find_down(
    urls: Sequence[str], queues: Sequence[Queue], data: Path | None = None
) -> list[DownQueue]:
    """Look at these queues; `data` is where the broker keeps its files. Raises BrokerError."""
    down: dict[str, str] = {}

    def found(queue: str, why: str | None) -> None:
        if why is not None:
            down[queue] = why

    await find_faults(urls, CLIENT, [queue.name for queue in queues], found)
    vhost = unquote(urlsplit(urls[0]).path.removeprefix("/")) or "/"
    return [
        DownQueue(queue, down[queue.name], find_folder(data, vhost, queue.name) if data else None)
        for queue in queues
        if queue.name in down
    ]


def why_none_runs(down: Sequence[DownQueue]) -> str | None:
    """Why nothing runs of any queue of the topology; None if something does."""
    reasons = {each.queue.name: each.why for each in down}
    names = [queue.name for queue in TOPOLOGY.queues]
    return reasons[names[0]] if none_runs(reasons, names) else None


def find_folder(data: Path, vhost: str, queue: str) -> Path | None:
    """Find the folder in which the node keeps the queue's log; None if it has none."""
    wanted = f"{quote(vhost, safe='')}_{queue}"
    return next((f.parent for f in data.glob("*/quorum/*/*/config") if identity(f.parent) == wanted), None)


def size_of(folder: Path) -> int:
    """Bytes of all files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def last_known(prometheus: str, queue: str) -> int | None:
    """How many messages Prometheus last saw in the queue, within a day; None if it does not know."""
    query = quote(LAST_KNOWN.format(queue))
    try:
        with open_directly(f"{prometheus}/api/v1/query?query={query}", timeout=5) as answer:
            (series,) = json.loads(answer.read())["data"]["result"]
            return int(float(series["value"][1]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def set_aside(down: DownQueue, shelf: Path) -> Path | None:
    """Copy the queue's files into a new folder below `shelf`; None if they are not here. Raises OSError."""
    if down.folder is None:
        return None
    aside = shelf / f"{down.queue.name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(down.folder, aside)
    return aside


async def make_anew(urls: Sequence[str], queue: Queue) -> None:
    """Delete a queue that is down and declare it. Raises BrokerError, also when it is not down any more."""
    async with session(urls, CLIENT) as asking:
        if await fault(asking, queue.name) is None:
            raise BrokerError(f"{queue.name} works again: it was left as it is")
    async with session(urls, CLIENT) as connection, connection.channel() as channel:
        await channel.delete(queue.name)  # of one that is there no more RabbitMQ says nothing else
        await asyncio.sleep(MISSED_SECONDS)
        await channel.declare(queue)
    async with session(urls, CLIENT) as asking:
        if why := await fault(asking, queue.name):
            raise BrokerError(
                f"{queue.name} was recreated and is still down: {why}. RabbitMQ's log says more"
            )
