"""Whatever happens, in whatever order: views never go backwards, and hold the newest; who is to get every result gets
every one, in the order of arrival; nothing comes twice, nothing that is not wanted, and all is bounded.

Viewers are served as `gateway.live.writers` does it: those in step by rounds that may be interrupted anywhere, the
others from their own buffer.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from gateway.live.audience import Audience
from gateway.live.hub import Hub
from gateway.live.update import Subscription, Update
from gateway.live.viewer import CLOCK_RESET_SECONDS, FRAMES_DEPTH, Viewer, ViewerKind
from tests.helpers.viewers import catch_up, fall_behind

CAMERAS = st.sampled_from(["a", "b", "c"])
GROUPS = st.sampled_from(["north", "south"])
NODES = st.sampled_from(["n1", "n2"])
ANY = st.none()
SUBSCRIPTIONS = st.just(Subscription()) | st.builds(
    Subscription,
    cameras=ANY | st.frozensets(CAMERAS),
    pictures=st.just(frozenset()) | st.frozensets(CAMERAS),
    groups=ANY | ANY | st.frozensets(GROUPS, min_size=1),
    nodes=ANY | ANY | st.frozensets(NODES, min_size=1),
    detections=st.booleans(),
)


class HubMachine(RuleBasedStateMachine):
    viewers = Bundle("viewers")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub(on_waiting=lambda audience: self.waiting.update({audience: None}))
        self.waiting: dict[Audience, None] = {}
        self.rounds: list[tuple[Audience, list[Update]]] = []
        self.groups: dict[str, str | None] = {}
        self.latest: dict[str, Update] = {}
        self.now = 0.0
        self.number = 0
        self.alive: list[Viewer] = []
        self.seen: dict[Viewer, dict[str, list[Update]]] = {}
        self.pictures: dict[Viewer, dict[str, list[Update]]] = {}
        self.due: dict[Viewer, dict[str, Update]] = {}  # the newest that each must have got once all is sent
        # All that each who gets every result is still to get, in order.
        self.owed: dict[Viewer, list[Update]] = {}
        self.known: set[str] = set()

    # --- viewers -----------------------------------------------------------------------------------------

    @initialize(target=viewers)
    def crowd(self) -> MultipleResults[Viewer]:
        """Some who are in step from the start."""
        wanted = [Subscription(), Subscription(), Subscription(groups=frozenset({"north"}))]
        viewers = [self.join(ViewerKind.PLAIN, each) for each in wanted]
        for viewer in viewers:
            catch_up(viewer)
        return multiple(*viewers)

    @rule(target=viewers, kind=st.sampled_from(ViewerKind), wanted=SUBSCRIPTIONS)
    def join_as(self, kind: ViewerKind, wanted: Subscription) -> Viewer:
        return self.join(kind, wanted)

    def join(self, kind: ViewerKind, wanted: Subscription) -> Viewer:
        viewer = Viewer(kind, lambda: None)
        self.seen[viewer], self.pictures[viewer] = {}, {}
        self.hub.join(viewer, wanted, self.now)
        self.owed[viewer] = list(viewer.results)  # the snapshot
        self.due[viewer] = {c: u for c, u in self.latest.items() if self.wants(viewer, u)}
        self.alive.append(viewer)
        return viewer

    @rule(viewer=viewers, wanted=SUBSCRIPTIONS)
    def subscribe(self, viewer: Viewer, wanted: Subscription) -> None:
        before = viewer.subscription
        kept = [u for u in self.owed[viewer] if includes(wanted, u, self.groups.get(u.camera_id))]
        self.hub.subscribe(viewer, wanted, self.now)
        # A camera left and taken up again starts with a snapshot, which may repeat what was seen before.
        self.seen[viewer], self.pictures[viewer] = {}, {}
        if viewer not in self.alive:
            return
        held = {id(u) for u in viewer.results}
        if before != wanted:
            assert list(viewer.results)[: len(kept)] == kept or not viewer.kind.every
            self.owed[viewer] = list(viewer.results)
        for camera, update in self.latest.items():
            if self.wants(viewer, update) and not before.includes(update, self.groups.get(camera)):
                assert id(update) in held or camera in wanted.pictures  # the snapshot
                self.due[viewer][camera] = update
        # What it had got before it changed its mind is not sent again.
        self.due[viewer] = {
            c: u for c, u in self.due[viewer].items() if self.wants(viewer, u) and id(u) in held
        }

    @rule(viewer=viewers)
    def leave(self, viewer: Viewer) -> None:
        self.hub.leave(viewer)
        if viewer in self.alive:
            self.alive.remove(viewer)

    # --- what is published -------------------------------------------------------------------------------

    @rule(
        camera=CAMERAS,
        late=st.sampled_from([0, 0, 0, 0, 1, 3]),
        picture=st.sampled_from([False, False, True]),
        node=NODES,
        detections=st.integers(0, 1),
    )
    def publish(self, camera: str, late: int, picture: bool, node: str, detections: int) -> None:
        self.number += 1
        # As often as not of another camera: then it is late, else it is known.
        number = self.number - late * 3
        made = Update(
            camera, f"{camera}:{number}", number // 2, self.now, b"{}", node_id=node, detections=detections
        )
        if picture:
            made.picture = bytes(100)
            self.hub.publish_picture(made)
        else:
            new, moved = made.frame_id not in self.known, self.hub.publish(made)
            self.known.add(made.frame_id)
            assert new or not moved
            if moved:
                self.latest[camera] = made
            for viewer in self.alive:
                if self.wants(viewer, made):
                    if moved:
                        self.due[viewer][camera] = made
                    if new:
                        self.owed[viewer].append(made)

    @rule(camera=CAMERAS, group=st.none() | GROUPS)
    def regroup(self, camera: str, group: str | None) -> None:
        self.finish_turn()  # what is being written now goes out; the views follow with the next turn
        before, self.groups[camera] = self.groups.get(camera), group
        self.hub.regroup(camera, group)
        for viewer in self.alive:
            groups = viewer.subscription.groups
            if groups is not None and (before in groups) != (group in groups):
                self.seen[viewer].pop(camera, None)  # the snapshot may repeat it
                self.due[viewer].pop(camera, None)
                latest = self.latest.get(camera)
                if latest is None:
                    continue
                if group not in groups:
                    self.owed[viewer] = [u for u in self.owed[viewer] if u.camera_id != camera]
                elif self.wants(viewer, latest):
                    self.due[viewer][camera] = latest
                    self.owed[viewer].append(latest)

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # --- what is sent ------------------------------------------------------------------------------------

    @rule()
    def begin_turn(self) -> None:
        if not self.rounds:
            self.rounds = [(audience, audience.begin()) for audience in self.waiting]
            self.waiting.clear()

    @rule(fits=st.sampled_from([0, 1, 2, 100, 100, 100]))
    def serve(self, fits: int) -> None:
        """The next one in step is written to; if not all fits it falls behind."""
        while self.rounds:
            audience, results = self.rounds[0]
            if (viewer := audience.next()) is None:
                self.rounds.pop(0)
                continue
            for result in results[:fits]:
                self.check(viewer, result)
            if results[fits:]:
                fall_behind(viewer, results[fits:])
            return

    @rule(viewer=viewers, limit=st.sampled_from([1, 100, 100, 100]))
    def take(self, viewer: Viewer, limit: int) -> None:
        """One with something of its own is written to."""
        for result in viewer.take_results(limit):
            self.check(viewer, result)
        picture = viewer.take_picture()
        if picture is not None:
            assert viewer.subscription.includes_picture(picture)
            check_follows(self.pictures[viewer].setdefault(picture.camera_id, []), picture)
            if viewer.kind is ViewerKind.FRAMES:
                assert picture.frame_id not in {
                    u.frame_id for u in self.seen[viewer].get(picture.camera_id, [])
                }
        catch_up(viewer)

    @rule(viewer=viewers)
    def congest(self, viewer: Viewer) -> None:
        fall_behind(viewer)

    @rule()
    def send_all(self) -> None:
        """Then everybody has the newest that it wants, whatever was published after it."""
        self.finish_turn()
        self.begin_turn()
        self.finish_turn()
        for viewer in self.alive:
            while viewer.results:
                self.take(viewer, 100)
            catch_up(viewer)
            assert not viewer.kind.every or self.owed[viewer] == []
            for camera, update in self.due[viewer].items():
                if viewer.kind.every:
                    assert update in self.seen[viewer][camera]
                elif camera not in viewer.subscription.pictures:  # else a picture may have brought it
                    assert self.seen[viewer][camera][-1] is update

    def finish_turn(self) -> None:
        while self.rounds:
            self.serve(1000)

    # --- what must hold ----------------------------------------------------------------------------------

    def wants(self, viewer: Viewer, update: Update) -> bool:
        return includes(viewer.subscription, update, self.groups.get(update.camera_id))

    def check(self, viewer: Viewer, result: Update) -> None:
        assert viewer in self.alive
        assert self.wants(viewer, result)
        if viewer.kind.every:
            assert self.owed[viewer].pop(0) is result
            self.seen[viewer].setdefault(result.camera_id, []).append(result)
            return
        check_follows(self.seen[viewer].setdefault(result.camera_id, []), result)

    @invariant()
    def bounded(self) -> None:
        assert self.hub.viewers == len(self.alive)
        assert self.hub.audiences == len({(v.kind, v.subscription) for v in self.alive})
        newcomer = Viewer(ViewerKind.LATEST, lambda: None)
        self.hub.join(newcomer, Subscription(), self.now)
        assert len(newcomer.results) <= 3  # the latest of each camera
        self.hub.leave(newcomer)
        for viewer in self.seen:
            depth = FRAMES_DEPTH if viewer.kind is ViewerKind.FRAMES else 1
            assert viewer.kind.every or viewer.pending <= 3 * depth + 3
            assert not viewer.kind.every or len(viewer.results) <= len(self.owed[viewer])
            if viewer not in self.alive:
                assert viewer.pending == 0

    @invariant()
    def watched_is_what_the_viewers_want(self) -> None:
        assert self.hub.watched == frozenset().union(*(v.subscription.pictures for v in self.alive))


def includes(wanted: Subscription, update: Update, group: str | None) -> bool:
    """Written out once more, apart from the code."""
    return (
        (wanted.cameras is None or update.camera_id in wanted.cameras)
        and (wanted.groups is None or group in wanted.groups)
        and (wanted.nodes is None or update.node_id in wanted.nodes)
        and (update.detections > 0 or not wanted.detections)
    )


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


HubMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestHub = HubMachine.TestCase
