"""Lines that repeat."""

import atexit
import json
from collections.abc import Iterator

import pytest

from runtime import logs
from runtime.logs import configure_logs, get_logger
from runtime.repetition import ALIKE, MAX_LINES, SAME, Repetition


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(clock: Clock) -> Repetition:
    return Repetition(clock)


@pytest.fixture
def configured() -> Iterator[None]:
    yield
    atexit.unregister(logs._tell_at_end)


def test_a_flood_is_a_few_lines_and_a_number(lines: Repetition, clock: Clock) -> None:
    written = 0
    for _ in range(32_767):
        written += lines.judge("error", "accept failed", "no files")
        clock.now += 0.0001
    assert written == SAME
    assert lines.over() == []
    clock.now = 110.5
    (summary,) = lines.over()
    assert summary.text == "accept failed … repeated 32,757 times in 10 s"
    assert lines.over() == []
    assert lines.judge("error", "accept failed", "no files")


def test_what_differs_is_written_until_it_is_a_flood_of_its_own(lines: Repetition) -> None:
    assert sum(lines.judge("info", "camera live", f"camera_id=cam-{n}") for n in range(1_000)) == ALIKE
    assert lines.judge("warning", "camera live", "another level")
    assert lines.judge("info", "camera offline", "another event")
    assert [summary.times for summary in lines.over(at_end=True)] == [1_000 - ALIKE]


def test_slowly_repeated_lines_are_all_written(lines: Repetition, clock: Clock) -> None:
    for _ in range(100):
        assert lines.judge("warning", "broker unreachable", "connection refused")
        clock.now += 1.1


def test_its_memory_is_bounded(lines: Repetition) -> None:
    for n in range(3 * MAX_LINES):
        lines.judge("info", f"event {n}", "")
    assert len(lines._same) <= MAX_LINES
    assert len(lines._alike) <= MAX_LINES


@pytest.mark.usefixtures("configured")
def test_every_service_writes_its_log_so(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("worker", format="json")
    log = get_logger("x")
    for _ in range(SAME + 5):
        log.warning("again", why="same")
    log.info("something else")
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in written] == ["again"] * SAME + ["something else"]
    assert all(line["service"] == "worker" for line in written)
