"""Several producers that share cameras, on a simulated network: who serves what when, and where it was wrong.

Every process has a clock of its own (another zero, another pace). Messages take up to 50 ms; a broker can be away,
links can lose, processes can be killed, halted and stopped.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from functools import partial

from contract.status import HEARTBEAT_SECONDS
from producer.cluster.sharing import Member, Sharing

TICK = 0.25


class Process:
    """One producer: what the service around `Sharing` does."""

    def __init__(self, fleet: "Fleet", name: str, cameras: list[str], since: float) -> None:
        self.fleet = fleet
        self.member = Member(name, since)
        self.sharing = Sharing(self.member, cameras)
        self.running: frozenset[str] = frozenset()
        self.alive = True
        self.halted_until = 0.0
        self._zero = fleet.random.uniform(-1e6, 1e6)
        self._pace = 1 + fleet.random.uniform(-1e-4, 1e-4)

    def start(self) -> None:
        self._beat()
        self._tick()

    @property
    def clock(self) -> float:
        return self._zero + self._pace * self.fleet.now

    def hear(self, sender: "Process", offer: str, serves: frozenset[str], stopped: bool) -> None:
        if stopped:
            self.sharing.left(sender.member)
        elif self.sharing.heard(sender.member, offer, self.clock):
            self._say()
        self.sharing.serves(sender.member, serves)
        self._look()

    def reload(self, cameras: list[str]) -> None:
        if self.sharing.know(cameras):
            self._say()
            self._look()

    def stop(self) -> None:
        self.fleet.serving(self, frozenset())
        self._say(stopped=True)
        self.alive = False

    def kill(self) -> None:
        self.alive = False
        self.fleet.serving(self, frozenset())

    def halt(self, seconds: float) -> None:
        """As SIGSTOP and SIGCONT: nothing happens for so long, then everything that came meanwhile."""
        self.halted_until = self.fleet.now + seconds
        running = self.running
        self.fleet.serving(self, frozenset())
        self.fleet.after(seconds, lambda: self.fleet.serving(self, running) if self.alive else None)

    def _say(self, *, stopped: bool = False) -> None:
        self.fleet.send(self, self.sharing.offer(self.clock), self.running, stopped)

    def _beat(self) -> None:
        self._say()
        self.fleet.call(self, HEARTBEAT_SECONDS, self._beat)

    def _tick(self) -> None:
        self._look()
        self.fleet.call(self, TICK, self._tick)

    def _look(self) -> None:
        share = self.sharing.share(self.clock)
        if share != self.running:
            self.fleet.serving(self, share)
            self._say()  # changes of cameras are told at once


class Fleet:
    """The processes, the network between them, and the record of who served what."""

    def __init__(self, cameras: int, seed: int = 0) -> None:
        self.cameras = [f"cam-{n}" for n in range(cameras)]
        self.random = random.Random(seed)
        self.now = 0.0
        self.processes: list[Process] = []
        self.broker_up = True
        self.loses: Callable[[Process, Process], bool] = lambda sender, receiver: False
        self.moves = 0  # cameras taken up by anybody
        self.servers = dict.fromkeys(self.cameras, 0)
        self._since = dict.fromkeys(self.cameras, 0.0)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._arrives: dict[tuple[Process, Process], float] = {}  # a link keeps the order, as a channel does
        self.forget_past()

    @property
    def alive(self) -> list[Process]:
        return [process for process in self.processes if process.alive]

    def start(self, name: str, cameras: list[str] | None = None) -> Process:
        process = Process(self, name, self.cameras if cameras is None else cameras, self.now)
        self.processes.append(process)
        process.start()
        return process

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = end

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._count), action))

    def call(self, process: Process, seconds: float, action: Callable[[], None]) -> None:
        """In that process, once it runs."""

        def act() -> None:
            if process.alive and self.now < process.halted_until:
                self.after(process.halted_until - self.now, act)
            elif process.alive:
                action()

        self.after(seconds, act)

    def send(self, sender: Process, offer: str, serves: frozenset[str], stopped: bool) -> None:
        if not self.broker_up:
            return
        for receiver in self.alive:
            if not self.loses(sender, receiver):
                link = sender, receiver
                arrives = max(self._arrives.get(link, 0.0), self.now + self.random.uniform(0.001, 0.05))
                self._arrives[link] = arrives
                hear = partial(receiver.hear, sender, offer, serves, stopped)
                self.call(receiver, arrives - self.now, hear)

    # --- the record -------------------------------------------------------------------------------------

    def forget_past(self) -> None:
        """Judge from now on."""
        self.longest = {0: 0.0, 2: 0.0}  # seconds that some camera was served by nobody, by two or more
        self.moves = 0
        self._since = dict.fromkeys(self.cameras, self.now)

    @property
    def longest_gap(self) -> float:
        """Seconds that a camera was served by nobody, so far."""
        return self._judged(0)

    @property
    def longest_double(self) -> float:
        """Seconds that a camera was served by more than one, so far."""
        return self._judged(2)

    @property
    def exact(self) -> bool:
        """Whether every camera is served once now."""
        return all(servers == 1 for servers in self.servers.values())

    def serving(self, process: Process, cameras: frozenset[str]) -> None:
        before, process.running = process.running, cameras
        self.moves += len(cameras - before)
        for camera_id in cameras ^ before:
            self._end(camera_id)
            old = self.servers[camera_id]
            self.servers[camera_id] = new = old + (1 if camera_id in cameras else -1)
            if min(old, 2) != min(new, 2):
                self._since[camera_id] = self.now

    def _judged(self, kind: int) -> float:
        for camera_id in self.cameras:
            self._end(camera_id)
        return self.longest[kind]

    def _end(self, camera_id: str) -> None:
        kind = min(self.servers[camera_id], 2)
        if kind in self.longest:
            self.longest[kind] = max(self.longest[kind], self.now - self._since[camera_id])
