"""Whether confirmed frames left a lane without having been settled: in a log that was damaged, say, or by a purge.

The broker does not say so, and may not know it. So the books are kept outside of it: producers count in their
heartbeats what was confirmed to them, workers what they have settled with a result, an expiry or a dead letter. Of each
lane, and of the queues where its failed frames wait,

    waiting + settled - confirmed

stays the same, rises when other senders send (what is confirmed to them nobody counts), and falls when frames are
missing. A fall counts when it has lasted for half a minute and is larger than what the counters may be behind. `now` is
monotonic.
"""

from collections import Counter, deque
from collections.abc import Mapping
from statistics import median

from broker import QueueDepth, QueueFaults
from contract.status import HEARTBEAT_SECONDS, NodeStatus, ProducerStatus
from contract.topology import Lane
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes
from runtime.logs import get_logger

log = get_logger("gateway")

SAMPLE_SECONDS = 2.0
LATELY = 15
"""Entries, half a minute of them: so long a fall lasts, and with as many before it is compared."""
BRIEFLY = 3
"""Entries over which a rate is taken: a heartbeat that is late doubles that of a single one."""
LEAST = 10
"""Fewer are not told: the broker itself dead-letters a frame that has killed its workers, for example."""
BEHIND_SECONDS = 2 * HEARTBEAT_SECONDS
"""A counter may be so old; what a killed worker settled since its last heartbeat is never told."""
MAX_SENDERS = 10_000
LANES = frozenset(lane.value for lane in Lane)


class _Growth:
    """Adds up by how much counters have grown since they were first heard."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()  # by lane
        self._last: dict[tuple[str, str, float], int] = {}  # by name, lane, and since when the process counts

    def heard(self, name: str, lane: str, since: float, count: int, *, new: bool = False) -> None:
        """Take a counter. `new`: one that was not heard before has begun lately, and counts from zero."""
        known = self._last.pop((name, lane, since), None)
        if known is not None:
            self.total[lane] += max(0, count - known)
        else:
            if new:
                self.total[lane] += count
            if len(self._last) >= MAX_SENDERS:
                del self._last[next(iter(self._last))]  # the one that was silent longest
        self._last[name, lane, since] = count


class _LaneBook:
    """The entries of one lane: what its balance and its settled frames were."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, int]] = deque(maxlen=2 * LATELY)

    def enter(self, balance: int, settled: int, held: int) -> int:
        """Make an entry; returns how many frames are missing, once, or 0. `held`: frames that workers may hold."""
        self._entries.append((balance, settled))
        if len(self._entries) < 2 * LATELY:
            return 0
        balances = [entry[0] for entry in self._entries]
        before, lately = balances[:LATELY], balances[LATELY:]
        if median(before) - max(lately) <= LEAST + held + self._flow() * BEHIND_SECONDS:
            return 0
        self._entries.clear()
        return round(median(before) - median(lately))

    def _flow(self) -> float:
        """Frames that were settled in a second, when they were most: workers that have ended settle none any more."""
        settled = [entry[1] for entry in self._entries]
        grown = (later - earlier for earlier, later in zip(settled, settled[BRIEFLY:], strict=False))
        return max(grown) / (BRIEFLY * SAMPLE_SECONDS)


class FrameBooks:
    """The books of all lanes. Pure."""

    def __init__(self) -> None:
        self._confirmed = _Growth()
        self._settled = _Growth()
        self._lanes = {lane: _LaneBook() for lane in Lane}
        self._turns = 0  # of entries

    def heard_producer(self, status: ProducerStatus) -> None:
        """Take what the broker has confirmed to a producer."""
        for lane, count in status.confirmed.items():
            if lane in LANES:
                self._confirmed.heard(status.producer_id, lane, status.since, count)

    def heard_node(self, status: NodeStatus) -> None:
        """Take what a worker has settled.

        One that starts while frames wait has settled some before it is heard for the first time. Is it an old one that
        could not be heard, the balance rises, which is not a loss.
        """
        if status.lane in LANES:
            count = status.processed + status.failed + status.expired
            new = self._turns >= LATELY
            self._settled.heard(status.node_id, status.lane, status.since, count, new=new)

    def settled(self, lane: Lane) -> int:
        """How many frames of the lane workers have settled, since they were first heard."""
        return self._settled.total[lane]

    def enter(self, waiting: Mapping[str, int], held: Mapping[str, int]) -> dict[Lane, int]:
        """Make an entry in each lane's book; returns how many frames are missing that were not missing before.

        `waiting`: frames by queue; a lane whose queues are not all known gets no entry. `held`: how many frames the
        workers of a lane may hold.
        """
        self._turns += 1
        missing = {}
        for lane, book in self._lanes.items():
            queues = {lane.queue, *lane.retries}
            if queues <= waiting.keys():
                settled = self._settled.total[lane]
                balance = sum(waiting[queue] for queue in queues) + settled - self._confirmed.total[lane]
                if count := book.enter(balance, settled, held.get(lane, 0)):
                    missing[lane] = count
        return missing


class Audit:
    """Makes the entries and tells what is missing."""

    def __init__(
        self,
        books: FrameBooks,
        depth: QueueDepth,
        faults: QueueFaults,
        nodes: Nodes,
        metrics: GatewayMetrics,
    ) -> None:
        self._books = books
        self._depth = depth
        self._faults = faults
        self._nodes = nodes
        self._metrics = metrics
        self._entered = float("-inf")

    def tick(self, now: float) -> None:
        """Make an entry when it is time."""
        if now - self._entered < SAMPLE_SECONDS:
            return
        self._entered = now
        held: Counter[str] = Counter()
        for node in self._nodes.statuses(now):
            held[node.lane] += node.prefetch
        down = self._faults.down  # of which the broker says that they are empty
        waiting = {queue: count for queue, count in self._depth.messages.items() if queue not in down}
        for lane, count in self._books.enter(waiting, held).items():
            self._metrics.frames_missing.labels(lane.value).inc(count)
            log.error(
                "confirmed frames have no result: they left the queue and nobody settled them",
                lane=lane.value,
                frames=count,
                queue=lane.queue,
            )
