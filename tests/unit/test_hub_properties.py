"""Whatever happens, in whatever order: never backwards, never twice, newest last, bounded."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gateway import viewer as viewer_module
from gateway.hub import Hub
from gateway.viewer import CLOCK_RESET_SECONDS, Kind, Subscription, Update, Viewer

CAMERAS = st.sampled_from(["a", "b", "c"])
SETS = st.frozensets(CAMERAS)


class HubMachine(RuleBasedStateMachine):
    viewers = Bundle("viewers")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.now = 0.0
        self.alive: list[Viewer] = []
        self.seen: dict[Viewer, dict[str, list[Update]]] = {}
        self.pictures: dict[Viewer, dict[str, list[Update]]] = {}

    @rule(target=viewers, kind=st.sampled_from(Kind), cameras=st.none() | SETS, pictures=SETS)
    def join(self, kind: Kind, cameras: frozenset[str] | None, pictures: frozenset[str]) -> Viewer:
        viewer = Viewer(kind, lambda: None)
        self.seen[viewer], self.pictures[viewer] = {}, {}
        self.hub.join(viewer, Subscription(cameras, pictures), self.now)
        self.alive.append(viewer)
        return viewer

    @rule(viewer=viewers, cameras=st.none() | SETS, pictures=SETS)
    def subscribe(self, viewer: Viewer, cameras: frozenset[str] | None, pictures: frozenset[str]) -> None:
        self.hub.subscribe(viewer, Subscription(cameras, pictures), self.now)
        # A camera left and taken up again starts with a snapshot, which may repeat what was seen before.
        self.seen[viewer], self.pictures[viewer] = {}, {}
        viewer.take_results(10_000)
        while viewer.take_picture():
            pass

    @rule(viewer=viewers)
    def leave(self, viewer: Viewer) -> None:
        self.hub.leave(viewer)
        if viewer in self.alive:
            self.alive.remove(viewer)

    @rule(camera=CAMERAS, number=st.integers(0, 30), skew=st.floats(-1, 1), picture=st.booleans())
    def publish(self, camera: str, number: int, skew: float, picture: bool) -> None:
        made = Update(camera, f"{camera}:{number}", number + skew, self.now, b"{}")
        if picture:
            made.picture = bytes(100)
            self.hub.publish_picture(made)
        else:
            self.hub.publish(made)

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(viewer=viewers, limit=st.integers(1, 5))
    def take(self, viewer: Viewer, limit: int) -> None:
        for result in viewer.take_results(limit):
            assert viewer.subscription.includes(result.camera_id)
            check_follows(self.seen[viewer].setdefault(result.camera_id, []), result)
        picture = viewer.take_picture()
        if picture is not None:
            assert picture.camera_id in viewer.subscription.pictures
            check_follows(self.pictures[viewer].setdefault(picture.camera_id, []), picture)
            if viewer.kind is Kind.FRAMES:
                assert picture.frame_id not in {
                    u.frame_id for u in self.seen[viewer].get(picture.camera_id, [])
                }

    @invariant()
    def bounded(self) -> None:
        assert self.hub.viewers == len(self.alive)
        assert self.hub.cameras <= 3
        for viewer in self.seen:
            depth = 1 if viewer.kind is Kind.DASHBOARD else viewer_module.PLAIN_DEPTH
            assert viewer.pending <= 3 * depth + 3
            if viewer not in self.alive:
                assert viewer.pending == 0

    @invariant()
    def watched_is_what_the_viewers_want(self) -> None:
        assert self.hub.watched == frozenset().union(*(v.subscription.pictures for v in self.alive))


def check_follows(earlier: list[Update], now: Update) -> None:
    """At most once, and not older than the last unless the last arrived more than five seconds before."""
    assert now.frame_id not in {u.frame_id for u in earlier}
    if earlier:
        last = earlier[-1]
        assert (
            now.original_timestamp >= last.original_timestamp
            or now.arrival - last.arrival > CLOCK_RESET_SECONDS
        )
    earlier.append(now)


HubMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHub = HubMachine.TestCase
