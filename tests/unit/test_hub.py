"""The hub's rules, one by one."""

import pytest

from gateway.live import buffers
from gateway.live import hub as hub_module
from gateway.live import viewer as viewer_module
from gateway.live.hub import Hub
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind


def update(camera: str = "a", number: int = 1, time: float | None = None, arrival: float = 0.0) -> Update:
    captured = float(number) if time is None else time
    return Update(camera, f"{camera}:{number}", captured, arrival, f'{{"n":{number}}}'.encode())


def picture(camera: str = "a", number: int = 1, time: float | None = None, arrival: float = 0.0) -> Update:
    made = update(camera, number, time, arrival)
    made.picture, made.content_type = b"\xff\xd8" + bytes(10), "image/jpeg"
    return made


class Wakes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def joined(
    hub: Hub,
    kind: ViewerKind = ViewerKind.PLAIN,
    cameras: set[str] | None = None,
    pictures: set[str] | None = None,
) -> Viewer:
    viewer = Viewer(kind, Wakes())
    wanted = Subscription(None if cameras is None else frozenset(cameras), frozenset(pictures or ()))
    hub.join(viewer, wanted, now=0.0)
    return viewer


def frames(updates: list[Update]) -> list[str]:
    return [u.frame_id for u in updates]


def test_every_viewer_gets_the_same_object() -> None:
    hub = Hub()
    viewers = [joined(hub) for _ in range(3)]
    one = update()
    assert hub.publish(one)
    assert all(v.take_results(10) == [one] for v in viewers)


def test_a_new_viewer_gets_a_snapshot_then_changes() -> None:
    hub = Hub()
    for number in (1, 2, 3):
        hub.publish(update("a", number))
    hub.publish(update("b", 1))
    viewer = joined(hub)
    assert frames(viewer.take_results(10)) == ["a:3", "b:1"]
    hub.publish(update("a", 4))
    assert frames(viewer.take_results(10)) == ["a:4"]


def test_a_subscription_filters_and_can_change() -> None:
    hub = Hub()
    hub.publish(update("a"))
    hub.publish(update("b"))
    viewer = joined(hub, cameras={"a"})
    assert frames(viewer.take_results(10)) == ["a:1"]
    hub.publish(update("b", 2))
    assert viewer.pending == 0
    hub.subscribe(viewer, Subscription(frozenset({"b"})), now=0.0)
    assert frames(viewer.take_results(10)) == ["b:2"]  # the snapshot of what is new to it
    hub.publish(update("a", 2))
    assert viewer.pending == 0
    hub.subscribe(viewer, Subscription(), now=0.0)
    assert frames(viewer.take_results(10)) == ["a:2"]  # b is not sent again


def test_what_is_no_longer_wanted_leaves_the_buffer() -> None:
    hub = Hub()
    viewer = joined(hub)
    hub.publish(update("a"))
    hub.publish(update("b"))
    hub.subscribe(viewer, Subscription(frozenset({"b"})), now=0.0)
    assert frames(viewer.take_results(10)) == ["b:1"]


def test_a_slow_dashboard_keeps_only_the_newest_of_each_camera() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.DASHBOARD)
    for number in range(1, 101):
        hub.publish(update("a", number))
        hub.publish(update("b", number))
    assert frames(viewer.take_results(10)) == ["a:100", "b:100"]


def test_a_plain_client_gets_every_result_in_the_order_of_arrival() -> None:
    hub = Hub()
    viewer = joined(hub)
    # The last one comes twice.
    arriving = [
        ("a", 2),
        ("b", 1),
        ("a", 1),
        ("a", 4),
        ("b", 3),
        ("a", 3),
        ("a", 2),
    ]
    for camera, number in arriving:
        hub.publish(update(camera, number))
    assert frames(viewer.take_results(4)) == ["a:2", "b:1", "a:1", "a:4"]
    assert frames(viewer.take_results(100)) == ["b:3", "a:3"]


def test_who_asks_for_the_latest_gets_the_newest_of_each_camera() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.LATEST)
    for camera, number in [("a", 2), ("b", 1), ("a", 1), ("a", 4), ("b", 3), ("a", 3)]:
        hub.publish(update(camera, number))
    assert frames(viewer.take_results(100)) == ["a:4", "b:3"]


@pytest.mark.parametrize(
    ("bound", "most"), [("MAX_UNREAD", 100), ("MAX_UNREAD_BYTES", 100 * len('{"n":10}'))]
)
def test_a_plain_client_that_does_not_keep_up_is_known_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(buffers, bound, most)
    hub = Hub()
    viewer, other = joined(hub), joined(hub)
    for number in range(10, 100):
        hub.publish(update("a", number))
    assert len(other.take_results(1000)) == 90
    assert (len(viewer.results), viewer.results.overrun) == (90, False)
    for number in range(100, 120):
        hub.publish(update("a", number))
    assert (len(viewer.results), viewer.results.overrun) == (0, True)  # rather nothing than with a hole
    assert frames(other.take_results(1000)) == [f"a:{number}" for number in range(100, 120)]
    assert not other.results.overrun


def test_what_was_missed_live_is_answered_once_and_moves_no_view() -> None:
    hub = Hub()
    every, latest = joined(hub), joined(hub, ViewerKind.LATEST)
    hub.publish(update(number=5, arrival=1.0))
    assert not hub.publish_late(update(number=5, arrival=1.3), since=1.0)  # it came live
    assert hub.publish_late(update(number=6, arrival=60.0), since=2.0)
    assert not hub.publish_late(update(number=6, arrival=60.1), since=2.0)
    assert not hub.publish(update(number=6, arrival=60.1))
    assert frames(every.take_results(10)) == ["a:5", "a:6"]
    assert frames(latest.take_results(10)) == ["a:5"]


def test_a_backlog_older_than_what_is_remembered_is_not_answered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "RECENT_FRAMES", 3)
    hub = Hub()
    for number in range(1, 6):
        hub.publish(update(number=number, arrival=float(number)))
    viewer = joined(hub)
    viewer.take_results(10)
    assert not hub.publish_late(update(number=2, arrival=100.0), since=2.0)  # forgotten, and was shown
    assert hub.publish_late(update(number=9, arrival=100.0), since=2.5)
    assert frames(viewer.take_results(10)) == ["a:9"]


def test_an_older_result_never_moves_the_view_backwards() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.DASHBOARD)
    assert hub.publish(update(number=2, arrival=1.0))
    assert not hub.publish(update(number=1, arrival=1.1))
    assert frames(viewer.take_results(10)) == ["a:2"]
    assert frames(joined(hub).take_results(10)) == ["a:2"]


def test_a_frame_from_the_future_hides_none_that_comes_after_it() -> None:
    """One every four seconds was enough to hide a camera for good."""
    hub = Hub()
    wall, hour = 1_795_000_000.0, 3600.0
    for second in range(0, 20, 4):
        forged = Update("a", f"forged:{second}", wall + second + hour, float(second), b"{}", lead=hour)
        assert hub.publish(forged)
        honest = [
            update("a", second * 10 + n, wall + second + n * 0.5, second + n * 0.5) for n in range(1, 8)
        ]
        assert all(map(hub.publish, honest))


def test_of_two_frames_from_the_future_the_later_one_to_come_is_the_newer() -> None:
    hub = Hub()
    assert hub.publish(Update("a", "a:1", 5_000.0, 1.0, b"{}", lead=4_000.0))
    assert hub.publish(Update("a", "a:2", 3_000.0, 1.1, b"{}", lead=1_999.9))
    assert not hub.publish(Update("a", "a:3", 1_000.05, 1.2, b"{}"))  # captured before the last one came


def test_the_same_frame_from_the_future_is_no_repeated_id_when_it_comes_again() -> None:
    repeated: list[Update] = []
    hub = Hub(on_repeated=repeated.append)
    assert hub.publish(Update("a", "a:1", 5_000.0, 1.0, b"{}", lead=4_000.0))
    assert not hub.publish(Update("a", "a:1", 5_000.0, 2.0, b"{}", lead=3_999.0))
    assert repeated == []


def test_what_is_not_shown_goes_to_those_who_get_every_result_and_to_nobody_else() -> None:
    hub = Hub()
    every, latest, page = joined(hub), joined(hub, ViewerKind.LATEST), joined(hub, ViewerKind.DASHBOARD)
    assert hub.publish_unshown(update())
    assert not hub.publish_unshown(update())
    assert frames(every.take_results(10)) == ["a:1"]
    assert latest.take_results(10) == page.take_results(10) == []
    assert joined(hub, ViewerKind.DASHBOARD).take_results(10) == []  # nor later, with the snapshot


def test_a_camera_whose_clock_was_set_back_is_believed_after_five_seconds() -> None:
    hub = Hub()
    assert hub.publish(update(number=1, time=1000.0, arrival=0.0))
    assert not hub.publish(update(number=2, time=10.0, arrival=5.0))
    assert hub.publish(update(number=3, time=11.0, arrival=5.1))
    assert hub.publish(update(number=4, time=12.0, arrival=5.2))


def test_coarse_timestamps_are_no_reason_to_drop_frames() -> None:
    hub = Hub()
    assert hub.publish(update(number=1, time=100.0))
    assert hub.publish(update(number=2, time=100.0))


def test_a_frame_is_delivered_once_even_long_after() -> None:
    hub = Hub()
    viewer = joined(hub)
    hub.publish(update(number=1, arrival=0.0))
    assert not hub.publish(update(number=1, arrival=0.1))
    assert not hub.publish(update(number=1, arrival=60.0))
    assert len(viewer.take_results(10)) == 1


def test_leaving_frees_everything_and_may_happen_twice() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    hub.publish(update())
    hub.publish_picture(picture())
    hub.leave(viewer)
    hub.leave(viewer)
    assert (hub.viewers, hub.watched, viewer.pending, viewer.picture_bytes) == (0, frozenset(), 0, 0)
    hub.publish(update(number=2))
    hub.subscribe(viewer, Subscription(None, frozenset({"a"})), now=0.0)
    assert (viewer.pending, hub.watched) == (0, frozenset())


def test_watched_cameras_are_counted_over_viewers() -> None:
    changes: list[None] = []
    hub = Hub(on_watch=lambda: changes.append(None))
    one = joined(hub, ViewerKind.DASHBOARD, pictures={"a", "b"})
    two = joined(hub, ViewerKind.DASHBOARD, pictures={"b"})
    assert hub.watched == {"a", "b"}
    hub.leave(one)
    assert hub.watched == {"b"}
    hub.leave(two)
    assert hub.watched == frozenset()
    assert len(changes) == 4


def test_a_picture_goes_only_to_who_wants_it() -> None:
    hub = Hub()
    assert not hub.publish_picture(picture())
    plain, wall = joined(hub), joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    assert hub.publish_picture(picture("a"))
    assert not hub.publish_picture(picture("b"))
    assert plain.take_picture() is None
    taken = wall.take_picture()
    assert taken is not None
    assert taken.frame_id == "a:1"


def test_a_dashboard_does_not_get_a_result_that_its_picture_carries() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    hub.publish_picture(picture(number=1))
    hub.publish(update(number=1))
    assert viewer.take_results(10) == []
    hub.publish(update(number=2))
    hub.publish_picture(picture(number=2))  # but a picture may follow its result
    assert frames(viewer.take_results(10)) == ["a:2"]
    assert viewer.take_picture() is not None


def test_pictures_are_newest_wins_and_monotonic() -> None:
    hub = Hub()
    viewer = joined(hub, ViewerKind.DASHBOARD, pictures={"a", "b"})
    hub.publish_picture(picture("a", 1))
    hub.publish_picture(picture("b", 1))
    hub.publish_picture(picture("a", 3))
    assert not hub.publish_picture(picture("a", 2))
    taken = [viewer.take_picture(), viewer.take_picture(), viewer.take_picture()]
    assert [t.frame_id if t else None for t in taken] == ["a:3", "b:1", None]


def test_a_second_watcher_gets_the_picture_at_once_and_a_program_no_stale_one() -> None:
    """Of a camera that leaves out unchanged frames an old picture is what there is; dashboards say how old."""
    hub = Hub()
    joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    hub.publish_picture(picture(arrival=10.0))

    def joining(kind: ViewerKind, now: float) -> Update | None:
        viewer = Viewer(kind, Wakes())
        hub.join(viewer, Subscription(None, frozenset({"a"})), now=now)
        return viewer.take_picture()

    assert joining(ViewerKind.DASHBOARD, 11.0) is not None
    assert joining(ViewerKind.DASHBOARD, 70.0) is not None
    assert joining(ViewerKind.FRAMES, 11.0) is not None
    assert joining(ViewerKind.FRAMES, 13.0) is None


def test_pictures_in_a_buffer_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_module, "MAX_PICTURE_BYTES", 30)
    hub = Hub()
    names = {f"c{n}" for n in range(10)}
    viewer = joined(hub, ViewerKind.DASHBOARD, pictures=names)
    for name in sorted(names):
        hub.publish_picture(picture(name))
    assert viewer.picture_bytes <= 30
    assert viewer.pending == 2


class TestFramesClients:
    """Plain clients with frames=1."""

    def test_gets_the_picture_and_not_the_result(self) -> None:
        hub = Hub()
        viewer = joined(hub, ViewerKind.FRAMES, {"a"}, {"a"})
        hub.publish(update(number=1, arrival=0.1))
        hub.publish_picture(picture(number=1, arrival=0.1))
        assert viewer.take_results(10) == []
        assert viewer.take_picture() is not None

    def test_gets_results_once_no_picture_came_for_two_seconds(self) -> None:
        hub = Hub()
        viewer = joined(hub, ViewerKind.FRAMES, {"a"}, {"a"})
        hub.publish(update(number=1, arrival=2.0))
        assert viewer.pending == 0
        hub.publish(update(number=2, arrival=2.1))
        assert frames(viewer.take_results(10)) == ["a:2"]
        hub.publish_picture(picture(number=3, arrival=2.2))
        hub.publish(update(number=4, arrival=4.0))
        assert viewer.take_results(10) == []
        hub.publish(update(number=5, arrival=4.3))
        assert frames(viewer.take_results(10)) == ["a:5"]

    def test_no_frame_comes_twice_and_no_picture_goes_backwards(self) -> None:
        hub = Hub()
        viewer = joined(hub, ViewerKind.FRAMES, {"a"}, {"a"})
        hub.publish(update(number=5, arrival=3.0))
        assert frames(viewer.take_results(10)) == ["a:5"]
        hub.publish_picture(picture(number=5, arrival=3.1))
        hub.publish_picture(picture(number=4, arrival=3.1))
        assert viewer.take_picture() is None
        hub.publish_picture(picture(number=6, arrival=3.2))
        assert viewer.take_picture() is not None

    def test_a_picture_replaces_the_results_that_still_wait(self) -> None:
        hub = Hub()
        viewer = joined(hub, ViewerKind.FRAMES, {"a"}, {"a"})
        hub.publish(update(number=1, arrival=3.0))
        hub.publish_picture(picture(number=2, arrival=3.1))
        assert viewer.take_results(10) == []
        assert viewer.take_picture() is not None


def test_states_go_to_dashboards_newest_wins() -> None:
    hub = Hub()
    plain, dashboard = joined(hub), joined(hub, ViewerKind.DASHBOARD)
    hub.publish_camera("a", b"1")
    hub.publish_camera("a", b"2")
    hub.publish_nodes(b"[1]")
    hub.publish_nodes(b"[2]")
    assert plain.pending == 0
    assert dashboard.take_cameras() == [b"2"]
    assert dashboard.take_nodes() == b"[2]"
    assert dashboard.take_nodes() is None


def test_cameras_are_bounded_and_the_longest_silent_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CAMERAS", 3)
    hub = Hub()
    for name in ("a", "b", "c"):
        hub.publish(update(name))
    hub.publish(update("a", 2))
    hub.publish(update("d"))
    viewer = joined(hub)
    assert {u.camera_id for u in viewer.take_results(10)} == {"a", "c", "d"}


def test_publishing_wakes_only_who_has_something_to_take() -> None:
    hub = Hub()
    interested, other = joined(hub, cameras={"a"}), joined(hub, cameras={"b"})
    hub.publish(update("a"))
    assert isinstance(interested.wake, Wakes)
    assert isinstance(other.wake, Wakes)
    assert (interested.wake.count, other.wake.count) == (1, 0)


def test_a_frame_that_comes_twice_is_no_other_frame_with_its_id() -> None:
    """The first of an id is shown, and no other: that the second was not a redelivery is told."""
    told = list[Update]()
    hub = Hub(on_repeated=told.append)
    viewer = joined(hub)
    hub.publish(update("a", 1, time=10.0))
    hub.publish(update("a", 1, time=10.0))
    assert told == []
    hub.publish(update("b", 1, time=11.0))
    hub.publish(other := update("a", 1, time=11.0))
    assert told == [other]
    assert frames(viewer.take_results(10)) == ["a:1", "b:1"]


def test_a_first_picture_goes_to_dashboards_alone_and_is_no_report_on_painting() -> None:
    hub = Hub()
    dashboard = joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    program = joined(hub, ViewerKind.FRAMES, {"a"}, {"a"})
    hub.publish(update("a", 3))
    assert hub.unpictured("a") == "a:3"
    assert hub.publish_picture(picture("a", 3), first=True)
    assert (taken := dashboard.take_picture()) is not None
    assert taken.frame_id == "a:3"
    assert program.take_picture() is None
    assert hub.shown(dashboard, "a:3") is None
    assert hub.unpictured("a") is None
    assert hub.unpictured("b") is None


def test_a_first_picture_never_takes_the_place_of_a_newer_one() -> None:
    hub = Hub()
    dashboard = joined(hub, ViewerKind.DASHBOARD, pictures={"a"})
    hub.publish_picture(picture("a", 4))
    dashboard.take_picture()
    assert not hub.publish_picture(picture("a", 3), first=True)
    assert dashboard.take_picture() is None
