"""When a decoding process is ended, and whose fault it was."""

from producer.sources.streams.watchdog import PATIENCE_SECONDS, ProcessFault, Watchdog, blamed

MB = 1_000_000


def looked(watchdog: Watchdog, begin: int, end: int, resident: int = 80 * MB) -> ProcessFault | None:
    """Look once a second; the first verdict."""
    for now in range(begin, end):
        verdict = watchdog.look(resident, float(now))
        if verdict is not None:
            return verdict
    return None


def test_one_that_answers_may_live() -> None:
    watchdog = Watchdog(500 * MB, 0.0)
    for now in range(1, 200):
        watchdog.answered({1: 0.2, 2: 9.9}, float(now))
        assert watchdog.look(80 * MB, float(now)) is None


def test_one_that_does_not_answer_is_ended_and_nobody_knows_who_did_it() -> None:
    watchdog = Watchdog(500 * MB, 0.0)
    watchdog.answered({}, 5.0)
    assert looked(watchdog, 6, 5 + int(PATIENCE_SECONDS) + 1) is None
    verdict = looked(watchdog, 36, 38)
    assert verdict is not None
    assert (verdict.reason, verdict.guilty) == ("stuck", None)
    assert blamed(verdict, [1, 2]) == {1, 2}


def test_a_camera_that_is_stuck_in_ffmpeg_is_named() -> None:
    watchdog = Watchdog(500 * MB, 0.0)
    for now in range(1, 100):
        watchdog.answered({1: 0.1, 2: now - 10.0}, float(now))
        verdict = watchdog.look(80 * MB, float(now))
        if verdict is not None:
            break
    assert now == 10 + PATIENCE_SECONDS + 1
    assert verdict is not None
    assert (verdict.reason, verdict.guilty) == ("stuck", frozenset({2}))
    assert blamed(verdict, [1, 2, 3]) == {2}


def test_memory_above_the_limit() -> None:
    watchdog = Watchdog(500 * MB, 0.0)
    assert watchdog.look(500 * MB, 1.0) is None
    verdict = watchdog.look(501 * MB, 2.0)
    assert verdict is not None
    assert verdict.reason == "memory"
    assert "PRODUCER_STREAM_MEMORY_MB" in verdict.text
    assert "501" in verdict.text


def test_who_was_stopped_itself_does_not_blame_the_others() -> None:
    watchdog = Watchdog(500 * MB, 0.0)
    watchdog.answered({1: 0.1}, 10.0)
    assert watchdog.look(80 * MB, 10.0) is None
    assert watchdog.look(80 * MB, 3_600.0) is None  # a lid was closed for an hour
    watchdog.answered({1: 3_590.0}, 3_600.5)
    assert looked(watchdog, 3_601, 3_600 + int(PATIENCE_SECONDS)) is None
    assert looked(watchdog, 3_630, 3_640) is not None  # but now it has had its time


def test_a_crash_may_be_the_fault_of_each() -> None:
    assert blamed(None, [4, 5]) == {4, 5}
    assert blamed(ProcessFault("stuck", "", frozenset({9})), [4, 5]) == frozenset()
