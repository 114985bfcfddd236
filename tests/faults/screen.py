"""What a viewer sees and what is stored: the gateway's own Hub and history, fed with every result on the wire."""

import time
from collections import Counter
from pathlib import Path

from broker import Consumer, Delivery
from contract.result import Result, parse_result
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue
from gateway.history.database import Database
from gateway.history.writer import HistoryWriter
from gateway.live.hub import Hub
from gateway.live.update import Update


class Screen(Consumer):
    """A role for a connection. `wire` counts results by frame_id, `shown` those that the live view moved on to."""

    def __init__(self) -> None:
        self.wire: Counter[str] = Counter()
        self.shown: Counter[str] = Counter()
        self.results: list[Result] = []
        self._hub = Hub()
        queue = EphemeralQueue(((RESULTS_EXCHANGE, "#"),), max_length=100_000)
        super().__init__(queue, self._result, no_ack=True)

    def _result(self, delivery: Delivery) -> None:
        result = parse_result(delivery.body)
        self.results.append(result)
        self.wire[result.frame_id] += 1
        update = Update(
            result.camera_id, result.frame_id, result.original_timestamp, time.monotonic(), delivery.body
        )
        if self._hub.publish(update):
            self.shown[result.frame_id] += 1

    def stored(self, file: Path) -> int:
        """How many rows a fresh history has after it was given every result twice."""
        history = HistoryWriter(Database("", file))
        try:
            for _ in range(2):
                history.store(self.results, time.time())
            return history.count()
        finally:
            history.close()

    def check(self, file: Path) -> str:
        """At most one result of a frame is shown, exactly one is stored. Returns that as a sentence."""
        stored = self.stored(file)
        assert all(count == 1 for count in self.shown.values())
        assert stored == len(self.wire)
        duplicates = sum(self.wire.values()) - len(self.wire)
        return (
            f"{len(self.wire)} frames, {duplicates} duplicates on the wire, {stored} stored, none shown twice"
        )
