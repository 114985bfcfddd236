"""When the next frame is due."""

import pytest

from producer.pacing import Playback, Sampling, Ticker


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


@pytest.mark.parametrize(
    ("media", "now"), [(0.0, 105.0), (60.0, 105.0), (5.0, 107.0)], ids=["loops", "jumps", "late"]
)
def test_playback_starts_anew(media: float, now: float) -> None:
    playback = Playback()
    playback.delay(0.0, 100.0)
    playback.delay(4.9, 104.9)
    assert playback.delay(media, now) == 0
    assert playback.delay(media + 0.1, now) == pytest.approx(0.1)


def test_sampling_thins_to_the_asked_rate() -> None:
    sampling = Sampling(10)
    assert sum(sampling.wants(n / 30) for n in range(300)) == 100


def test_sampling_of_an_odd_rate_keeps_its_mean() -> None:
    sampling = Sampling(7)
    assert sum(sampling.wants(round(n / 30, 3)) for n in range(300)) == pytest.approx(70, abs=2)


def test_sampling_above_the_streams_rate_lets_everything_pass() -> None:
    sampling = Sampling(60)
    assert all(sampling.wants(n / 30) for n in range(100))


def test_no_sampling_and_a_clock_that_jumps_back() -> None:
    assert all(Sampling(0).wants(n / 30) for n in range(10))
    sampling = Sampling(1)
    assert [sampling.wants(t) for t in (0.0, 0.5, 1.0, 0.0, 0.5, 1.0)] == [
        True,
        False,
        True,
        True,
        False,
        True,
    ]
