"""What every service tells of its process and its link to the broker, without a process or a broker."""

import json
import platform
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from broker import LinkCounts, Outcome
from broker.counts import PUBLISHED
from gateway.tokens.entries import make_token
from gateway.tokens.keyring import Keyring
from runtime.logs import configure_logs, get_logger
from runtime.metrics import OptionalGauge, ServiceMetrics
from runtime.metrics.loop_lag import LOOK_SECONDS
from runtime.repetition import SAME
from runtime.version import VERSION


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> ServiceMetrics:
    return ServiceMetrics("worker", registry)


class SlowLoop:
    """A loop that does what is due when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, _delay: float, callback: Callable[[], None]) -> Callable[[], None]:
        self.due.append(callback)
        return lambda: self.due.remove(callback)

    def turn(self) -> None:
        self.due.pop(0)()


def test_a_loop_that_is_late_is_told_and_one_that_ended_is_not(
    monkeypatch: pytest.MonkeyPatch, registry: CollectorRegistry
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    loop = SlowLoop()
    import runtime.metrics.loop_lag as module

    seen: list[float] = []
    end = module.watch_lag(loop.call_later, seen.append, lambda: now)
    now += LOOK_SECONDS
    loop.turn()
    now += LOOK_SECONDS + 1.5
    loop.turn()
    now += LOOK_SECONDS - 0.001  # a timer may fire a little early
    loop.turn()
    assert seen == pytest.approx([0.0, 1.5, 0.0])
    end()
    assert loop.due == []
    assert registry  # nothing of it is in anybody's registry


def test_the_build_and_the_process_are_told(metrics: ServiceMetrics, registry: CollectorRegistry) -> None:
    labels = {"service": "worker", "version": VERSION, "python": platform.python_version()}
    assert registry.get_sample_value("framefleet_build_info", labels) == 1
    for name in (
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "framefleet_disk_written_bytes_total",
    ):
        assert registry.get_sample_value(name) is not None, name
    assert (registry.get_sample_value("framefleet_threads") or 0) >= 1
    assert registry.get_sample_value("python_gc_collections_total", {"generation": "0"}) is not None


def test_messages_are_counted_those_too_that_are_not_written(
    metrics: ServiceMetrics, registry: CollectorRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("worker", format="json", counted=metrics.logged)
    log = get_logger("x")
    for _ in range(SAME + 5):
        log.warning("again", why="same")
    log.info("no trouble")
    log.error("one")
    log.critical("two")
    assert len([line for line in capsys.readouterr().err.splitlines() if json.loads(line)]) == SAME + 3
    levels = {"warning": SAME + 5.0, "error": 2.0}
    assert {
        level: registry.get_sample_value("framefleet_log_messages_total", {"level": level})
        for level in levels
    } == levels


def test_what_is_not_there_has_no_series(registry: CollectorRegistry) -> None:
    gauge = OptionalGauge("room_bytes", "Room.", registry)
    assert registry.get_sample_value("room_bytes") is None
    gauge.set(0)
    assert registry.get_sample_value("room_bytes") == 0
    gauge.ask_for(lambda: None)
    assert registry.get_sample_value("room_bytes") is None
    assert b"# TYPE room_bytes gauge" in generate_latest(registry)


def test_bytes_go_on_over_a_new_connection(registry: CollectorRegistry) -> None:
    counts = LinkCounts()
    registry.register(counts)

    def sent() -> float | None:
        return registry.get_sample_value("framefleet_amqp_bytes_total", {"direction": "sent"})

    assert sent() == 0
    first = SimpleNamespace(bytes_sent=10, bytes_received=1)
    counts.opened("sends", first)
    counts.opened("listens", SimpleNamespace(bytes_sent=5, bytes_received=0))
    first.bytes_sent = 30
    assert sent() == 35
    counts.opened("sends", SimpleNamespace(bytes_sent=1, bytes_received=0))
    assert sent() == 36
    labels = {"connection": "sends"}
    assert registry.get_sample_value("framefleet_broker_connections_total", labels) == 2


def test_every_outcome_of_what_was_sent_is_counted(registry: CollectorRegistry) -> None:
    counts = LinkCounts()
    registry.register(counts)
    assert set(Outcome) - set(PUBLISHED) == {Outcome.BLOCKED}  # which was never sent
    for outcome in PUBLISHED:
        counts.settled(outcome)
    by_outcome = {"confirmed": 1.0, "nacked": 3.0, "returned": 1.0, "uncertain": 2.0}
    assert {
        each: registry.get_sample_value("framefleet_publishes_total", {"outcome": each})
        for each in by_outcome
    } == by_outcome


def test_the_next_token_to_expire_is_told_while_there_is_one() -> None:
    ends = [None, 2_000.0, 3_000.0, 500.0]
    keyring = Keyring(entries=[make_token(f"t{n}", "viewer", 0.0, end)[0] for n, end in enumerate(ends)])
    assert keyring.next_expiry(1_000.0) == 2_000.0  # one is over already
    assert keyring.next_expiry(2_500.0) == 3_000.0
    assert keyring.next_expiry(3_000.0) is None
