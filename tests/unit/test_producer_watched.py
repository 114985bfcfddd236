"""Who begins to look at a camera."""

from producer.cluster.watched import Watched


def test_a_camera_is_told_once_while_announcements_repeat() -> None:
    watched = Watched()
    assert watched.announced(["a", "b"], 10, 0) == ["a", "b"]
    assert watched.announced(["b", "c"], 10, 5) == ["c"]
    assert watched.announced(["a", "b"], 10, 11) == ["a"]


def test_several_gateways_do_not_shorten_each_others_time() -> None:
    watched = Watched()
    assert watched.announced(["a"], 10, 0) == ["a"]
    assert watched.announced(["a"], 1, 1) == []
    assert watched.announced(["a"], 10, 9) == []
