"""Watched cameras, the tally behind heartbeats, and where models come from."""

import hashlib
from pathlib import Path

import pytest

from contract.status import WatchAnnouncement
from worker.choice import choose_detector
from worker.heartbeat import Tally
from worker.models import YUNET, ModelFile, ModelUnavailable, download, locate
from worker.settings import WorkerSettings
from worker.watched import WatchedCameras


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_camera_is_watched_while_any_gateway_says_so() -> None:
    clock = Clock()
    watched = WatchedCameras(clock)
    watched.hear(WatchAnnouncement(gateway_id="a", cameras=["one"], ttl=10))
    watched.hear(WatchAnnouncement(gateway_id="b", cameras=["two"], ttl=10))
    assert "one" in watched
    assert "two" in watched
    watched.hear(WatchAnnouncement(gateway_id="a", cameras=[], ttl=10))
    assert "one" not in watched
    clock.now += 10.1
    assert "two" not in watched


def test_the_tally_reports_rates_since_the_last_report() -> None:
    clock = Clock()
    tally = Tally(clock)
    for _ in range(10):
        tally.settled(True)
    tally.settled(False)
    tally.busy(1.0)
    clock.now += 2
    assert tally.rates() == (5.0, 0.5)
    clock.now += 2
    assert tally.rates() == (0.0, 0.0)
    assert (tally.processed, tally.failed) == (10, 1)


def model_of(data: bytes, *urls: str) -> ModelFile:
    return ModelFile("m", "m.onnx", hashlib.sha256(data).hexdigest(), len(data), urls)


def test_a_model_is_taken_from_the_folder_then_the_cache(tmp_path: Path) -> None:
    folder, cache = tmp_path / "models", tmp_path / "cache"
    for place in (cache, folder):
        place.mkdir()
        (place / "m.onnx").write_bytes(b"weights")
        assert locate(model_of(b"weights"), model_dir=folder, cache=cache, report=print) == place / "m.onnx"


def test_a_file_with_another_digest_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"tampered")
    with pytest.raises(ModelUnavailable, match=r"another SHA-256.*MODEL_DIR"):
        locate(model_of(b"weights"), model_dir=tmp_path, cache=tmp_path / "none", report=lambda _: None)


def test_a_download_appears_in_the_cache_only_whole_and_right(tmp_path: Path) -> None:
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.write_bytes(b"weights")
    right = model_of(b"weights", source.as_uri())
    assert locate(right, model_dir=None, cache=cache, report=lambda _: None) == cache / "m.onnx"
    assert (cache / "m.onnx").read_bytes() == b"weights"
    with pytest.raises(ValueError, match="another SHA-256"):
        download(model_of(b"others", source.as_uri()), source.as_uri(), tmp_path / "empty")
    assert not (tmp_path / "empty").exists()


def test_auto_falls_back_to_haar_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.choice.YUNET", model_of(b"weights", (tmp_path / "absent").as_uri()))
    choice = choose_detector(WorkerSettings(detector="auto", model_dir=tmp_path, model_cache=tmp_path))
    assert choice.detector.name == "haar"
    assert "MODEL_DIR" in str(choice.fallback)
    with pytest.raises(ModelUnavailable):
        choose_detector(WorkerSettings(detector="yunet", model_dir=tmp_path, model_cache=tmp_path))


def test_the_pinned_model_is_the_one_of_the_zoo() -> None:
    assert YUNET.sha256.startswith("ebafce4e")
    assert all(url.startswith("https://") for url in YUNET.urls)
