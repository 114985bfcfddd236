"""Who begins to look at a camera."""

from producer.cluster.watches import Watches


def test_a_camera_is_told_once_while_announcements_repeat() -> None:
    watches = Watches()
    assert watches.announced(["a", "b"], 10, 0) == ["a", "b"]
    assert watches.announced(["b", "c"], 10, 5) == ["c"]
    assert watches.announced(["a", "b"], 10, 11) == ["a"]


def test_several_gateways_do_not_shorten_each_others_time() -> None:
    watches = Watches()
    assert watches.announced(["a"], 10, 0) == ["a"]
    assert watches.announced(["a"], 1, 1) == []
    assert watches.announced(["a"], 10, 9) == []
