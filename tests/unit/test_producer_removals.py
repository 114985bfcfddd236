"""How long a producer says which cameras were taken out of its file."""

from producer.cluster.removals import SAID_SECONDS, Removals


def test_what_goes_is_said_for_a_minute_and_not_after_it_came_back() -> None:
    removals = Removals(["a", "b", "c"])
    removals.follow(["c"], 0.0)
    assert sorted(removals.lately(0.0)) == ["a", "b"]
    removals.follow(["b", "c", "d"], 10.0)
    assert removals.lately(SAID_SECONDS) == ["a"]
    removals.follow(["c", "d"], SAID_SECONDS)
    assert removals.lately(SAID_SECONDS + 1) == ["b"]
