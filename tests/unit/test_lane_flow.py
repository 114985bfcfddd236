"""How a lane flows, from two counts: no broker, no clock."""

from gateway.lane_flow import LaneFlow, LaneRates


def flow(*samples: tuple[float, int, int]) -> LaneRates:
    lane = LaneFlow()
    for when, waiting, settled in samples:
        lane.sample(when, waiting, settled)
    return lane.flow()


def test_a_steady_lane() -> None:
    """Ten a second come and go, and twenty wait: the first of them came two seconds ago."""
    told = flow(*((2.0 * n, 20, 20 * n) for n in range(31)))
    assert (told.rate_in, told.rate_out) == (10.0, 10.0)
    assert told.oldest is not None
    assert abs(told.oldest - 2.0) < 0.15
    assert not told.at_least


def test_nobody_takes_frames() -> None:
    """The first one waits since it came, whatever came after it."""
    told = flow((0.0, 0, 5), (2.0, 4, 5), (4.0, 8, 5), (30.0, 8, 5))
    assert told.oldest is not None
    assert 28.0 <= told.oldest <= 30.0
    assert (told.rate_out, told.rate_in) == (0.0, 8 / 30)


def test_what_is_not_known_is_not_told() -> None:
    assert flow() == LaneRates()
    assert flow((0.0, 0, 0), (2.0, 0, 9)).oldest is None  # nothing waits
    assert flow((0.0, 0, 0), (2.0, 0, 9)).rate_in is None  # two seconds are chance
    told = flow((0.0, 7, 100), (20.0, 7, 100))  # they were there before the gateway
    assert (told.oldest, told.at_least) == (20.0, True)


def test_a_purge_makes_no_rate_negative() -> None:
    told = flow((0.0, 500, 0), (20.0, 0, 10))
    assert (told.rate_in, told.rate_out, told.oldest) == (0.0, 0.5, None)
