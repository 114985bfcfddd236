"""When the next frame is due."""

from itertools import pairwise

import pytest

from producer.sources.pacing import Playback, Rate, Sampling, Ticker, Timeline


def test_a_ticker_keeps_its_rhythm_without_drift() -> None:
    ticker = Ticker(0.1)
    assert ticker.delay(10.0) == 0
    assert ticker.delay(10.03) == pytest.approx(0.07)
    assert ticker.delay(10.15) == pytest.approx(0.05)


@pytest.mark.parametrize(("spread", "second"), [(0.0, 0.05), (0.5, 0.1), (1.0, 0.15)])
def test_spread_ticks_start_at_once_and_part_afterwards(spread: float, second: float) -> None:
    ticker = Ticker(0.1, spread=spread)
    assert ticker.delay(10.0) == 0
    assert ticker.delay(10.0) == pytest.approx(second)
    assert ticker.delay(10.0 + second) == pytest.approx(0.1)


def test_a_late_ticker_starts_a_new_rhythm_instead_of_a_burst() -> None:
    ticker = Ticker(0.1)
    ticker.delay(10.0)
    assert ticker.delay(15.0) == 0
    assert ticker.delay(15.0) == pytest.approx(0.1)


def test_playback_lays_media_time_on_the_clock() -> None:
    playback = Playback()
    assert playback.delay(0.0, 100.0) == 0
    assert playback.delay(0.5, 100.1) == pytest.approx(0.4)
    assert playback.delay(1.0, 101.2) == 0  # a little late: no wait, the rhythm stays
    assert playback.delay(1.5, 101.2) == pytest.approx(0.3)


def test_playback_that_fell_behind_starts_anew() -> None:
    playback = Playback()
    playback.delay(0.0, 100.0)
    playback.delay(4.9, 104.9)
    assert playback.delay(5.0, 107.0) == 0
    assert playback.delay(5.1, 107.0) == pytest.approx(0.1)


def steps(*media: float, lasts: float = 0.04) -> list[float]:
    """How much time passes between frames with these timestamps."""
    timeline = Timeline()
    at = [timeline.at(each, lasts) for each in media]
    return [round(b - a, 3) for a, b in pairwise(at)]


@pytest.mark.parametrize("step", [0.04, 1.0, 6.0, 60.0])
def test_a_recording_has_the_time_between_its_pictures_however_long(step: float) -> None:
    assert steps(*(n * step for n in range(10))) == [step] * 9


@pytest.mark.parametrize(
    ("media", "passed"),
    [
        ((0, 0.5, 1.0, 0.2, 0.7), [0.5, 0.5, 0.5, 0.5]),  # it begins again
        ((0, 0.5, 1.0, 900.0, 900.5), [0.5, 0.5, 0.5, 0.5]),  # a recorder that slept while nothing moved
        ((0, 0.5, 0.5, 0.5, 1.0), [0.5] * 4),  # a clock that stands still for a while
        ((7, 7, 7, 7), [0.04] * 3),  # and for ever
        ((7, 6, 5, 4), [0.04] * 3),  # and backwards
        ((0, 3600, 7200, 10_800), [5.0] * 3),  # a picture each hour
        ((0, 6, 12, 24, 30), [6, 6, 12, 6]),  # one of them is missing
    ],
)
def test_timestamps_that_cannot_be_believed_let_time_pass_all_the_same(
    media: tuple[float, ...], passed: list[float]
) -> None:
    assert steps(*media) == passed


@pytest.mark.parametrize("lasts", [0.0, -1.0, 3600.0])
def test_nor_does_a_duration_that_cannot_be_believed_stop_it(lasts: float) -> None:
    assert all(0 < step <= Timeline.GAP for step in steps(1, 1, 1, lasts=lasts))


def test_sampling_thins_to_the_asked_rate() -> None:
    sampling = Sampling(10)
    assert sum(sampling.wants(n / 30) for n in range(300)) == 100


def test_sampling_of_an_odd_rate_keeps_its_mean() -> None:
    sampling = Sampling(7)
    assert sum(sampling.wants(round(n / 30, 3)) for n in range(300)) == pytest.approx(70, abs=2)


def test_sampling_above_the_streams_rate_lets_everything_pass() -> None:
    sampling = Sampling(60)
    assert all(sampling.wants(n / 30) for n in range(100))


def test_no_sampling() -> None:
    assert all(Sampling(0).wants(n / 30) for n in range(10))


def test_a_rate_lets_no_more_pass_than_it_says_whatever_comes() -> None:
    rate = Rate(2)
    passed = [n / 40 for n in range(400) if rate.wants(n / 40)]
    assert len(passed) == pytest.approx(20, abs=1)
    assert all(later - sooner > 0.4 for sooner, later in pairwise(passed[1:]))


def test_a_rate_loses_nothing_of_a_source_that_keeps_it_unevenly() -> None:
    rate = Rate(10)
    late = [0.0, 0.04, 0.0, 0.03, 0.0]
    assert all(rate.wants(n / 10 + late[n % 5]) for n in range(100))


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    rate = Rate(10)
    assert rate.wants(0.0)
    assert sum(rate.wants(60.0 + n / 1000) for n in range(100)) <= 2


def test_no_rate_lets_all_pass() -> None:
    assert all(Rate(0).wants(0.0) for _ in range(100))
