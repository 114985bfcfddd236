"""Subscriptions by camera, group, node and detections, and viewers that are served together."""

import pytest

from gateway.live import buffers
from gateway.live.audience import Audience
from gateway.live.hub import Hub
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind
from tests.helpers.viewers import catch_up, fall_behind


def update(camera: str = "a", number: int = 1, node: str = "n1", detections: int = 1) -> Update:
    return Update(
        camera, f"{camera}:{number}", float(number), 0.0, b"{}", node_id=node, detections=detections
    )


def joined(hub: Hub, wanted: Subscription, kind: ViewerKind = ViewerKind.PLAIN) -> Viewer:
    viewer = Viewer(kind, lambda: None)
    hub.join(viewer, wanted, now=0.0)
    return viewer


def frames(updates: list[Update]) -> list[str]:
    return [u.frame_id for u in updates]


def names(*values: str) -> frozenset[str]:
    return frozenset(values)


def test_all_conditions_hold_together() -> None:
    hub = Hub()
    hub.regroup("a", "north")
    hub.regroup("b", "north")
    viewer = joined(
        hub, Subscription(names("a", "c"), groups=names("north"), nodes=names("n1"), detections=True)
    )
    hub.publish(update("a", 1))
    hub.publish(update("a", 2, node="n2"))
    hub.publish(update("a", 3, detections=0))
    hub.publish(update("b", 4))  # another camera of the group
    hub.publish(update("c", 5))  # named, but in no group
    assert frames(viewer.take_results(10)) == ["a:1"]


def test_a_result_without_detections_does_not_replace_one_with_some() -> None:
    hub = Hub()
    picky = joined(hub, Subscription(detections=True), ViewerKind.DASHBOARD)
    other = joined(hub, Subscription(), ViewerKind.DASHBOARD)
    hub.publish(update("a", 1))
    for number in range(2, 34):
        hub.publish(update("a", number, detections=0))
    assert frames(picky.take_results(10)) == ["a:1"]
    assert frames(other.take_results(10)) == ["a:33"]


def test_the_snapshot_is_what_became_wanted() -> None:
    hub = Hub()
    hub.regroup("b", "north")
    hub.publish(update("a", 1, node="n1"))
    hub.publish(update("b", 1, node="n2", detections=0))
    viewer = joined(hub, Subscription(nodes=names("n1")))
    assert frames(viewer.take_results(10)) == ["a:1"]
    hub.subscribe(viewer, Subscription(), now=0.0)
    assert frames(viewer.take_results(10)) == ["b:1"]
    hub.subscribe(viewer, Subscription(detections=True), now=0.0)
    assert viewer.pending == 0
    hub.subscribe(viewer, Subscription(groups=names("north")), now=0.0)
    assert frames(viewer.take_results(10)) == ["b:1"]


def test_views_follow_a_camera_that_changes_its_group() -> None:
    hub = Hub()
    hub.publish(update("a", 1))
    hub.regroup("a", "north")
    north, south = (joined(hub, Subscription(groups=names(group))) for group in ("north", "south"))
    assert frames(north.take_results(10)) == ["a:1"]
    hub.publish(update("a", 2))
    hub.regroup("a", "south")
    assert north.pending == 0  # what waited of it is no longer wanted
    assert frames(south.take_results(10)) == ["a:2"]
    hub.publish(update("a", 3))
    assert north.pending == 0
    hub.regroup("a", None)
    assert south.pending == 0
    hub.publish(update("a", 4))
    assert (north.pending, south.pending) == (0, 0)


def test_pictures_come_with_a_result_that_is_wanted() -> None:
    hub = Hub()
    viewer = joined(
        hub, Subscription(names(), names("a"), nodes=names("n1"), detections=True), ViewerKind.DASHBOARD
    )
    for node, detections in (("n1", 0), ("n2", 1)):
        assert hub.publish_picture(update("a", 10 + detections, node, detections))
        assert viewer.take_picture() is None
    assert hub.publish_picture(update("a", 12))
    assert viewer.take_picture() is not None


class Crowd:
    """Viewers of one hub, and its audiences that have something waiting."""

    def __init__(self, count: int, kind: ViewerKind = ViewerKind.PLAIN) -> None:
        self.woken: list[Audience] = []
        self.hub = Hub(on_waiting=self.woken.append)
        self.viewers = [joined(self.hub, Subscription(), kind) for _ in range(count)]
        for viewer in self.viewers:
            catch_up(viewer)


def served(audience: Audience) -> set[Viewer]:
    """The viewers in step, whom the round that has begun is brought to, each once."""
    viewers = list(iter(audience.next, None))
    assert len(set(viewers)) == len(viewers)
    return {viewer for viewer in viewers if viewer is not None}


def test_viewers_in_step_are_an_audience_that_is_woken_once() -> None:
    crowd = Crowd(100)
    for number in (1, 2, 3):
        crowd.hub.publish(update("a", number))
    (audience,) = crowd.woken
    assert (len(audience), crowd.hub.audiences) == (100, 1)
    assert frames(audience.begin()) == ["a:1", "a:2", "a:3"]
    assert served(audience) == set(crowd.viewers)
    assert all(viewer.pending == 0 for viewer in crowd.viewers)


def test_who_falls_behind_gets_the_rest_and_what_follows_newest_wins() -> None:
    crowd = Crowd(3, ViewerKind.DASHBOARD)
    for camera in "abc":
        crowd.hub.publish(update(camera, 1))
    (audience,) = crowd.woken
    results = audience.begin()
    slow = audience.next()
    assert slow is not None
    fall_behind(slow, results[1:])  # one result was all that fitted
    crowd.hub.publish(update("b", 2))
    assert frames(slow.take_results(10)) == ["b:2", "c:1"]
    catch_up(slow)
    assert frames(audience.begin()) == ["b:2"]
    # The others still waited for b:2, which it has: it was not yet in step with them.
    assert served(audience) == set(crowd.viewers) - {slow}
    catch_up(slow)
    crowd.hub.publish(update("c", 2))
    assert frames(audience.begin()) == ["c:2"]
    assert served(audience) == set(crowd.viewers)


def test_a_subscription_that_changes_in_the_middle_of_a_round_loses_nothing() -> None:
    crowd = Crowd(2)
    for camera in "ab":
        crowd.hub.publish(update(camera, 1))
    (audience,) = crowd.woken
    audience.begin()
    first = audience.next()
    (other,) = set(crowd.viewers) - {first}
    crowd.hub.publish(update("b", 2))
    crowd.hub.subscribe(other, Subscription(names("b")), now=0.0)
    assert audience.next() is None
    assert frames(other.take_results(10)) == ["b:1", "b:2"]


def test_who_leaves_in_the_middle_of_a_round_is_not_served() -> None:
    crowd = Crowd(2)
    crowd.hub.publish(update())
    (audience,) = crowd.woken
    audience.begin()
    for viewer in crowd.viewers:
        crowd.hub.leave(viewer)
    assert audience.next() is None
    assert (crowd.hub.audiences, crowd.hub.viewers) == (0, 0)


def test_nothing_is_kept_for_an_audience_with_nobody_in_step() -> None:
    crowd = Crowd(1)
    crowd.hub.publish(update("a", 1))
    fall_behind(crowd.viewers[0])
    (audience,) = crowd.woken
    crowd.hub.publish(update("a", 2))
    assert audience.begin() == []
    assert frames(crowd.viewers[0].take_results(10)) == ["a:1", "a:2"]


def test_more_than_may_wait_between_two_rounds_is_told_to_those_in_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buffers, "MAX_UNREAD", 5)
    crowd = Crowd(2)
    for number in range(1, 8):
        crowd.hub.publish(update("a", number))
    (audience,) = crowd.woken
    assert audience.begin() == []
    assert [(len(viewer.results), viewer.results.overrun) for viewer in crowd.viewers] == [(0, True)] * 2


def test_frames_clients_each_have_their_own_buffer() -> None:
    crowd = Crowd(2, ViewerKind.FRAMES)
    crowd.hub.publish(update())
    assert crowd.woken == []
    assert [frames(viewer.take_results(10)) for viewer in crowd.viewers] == [["a:1"]] * 2
