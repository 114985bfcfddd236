"""CPU or GPU: what is chosen, and that a GPU which is not there is said, never quietly replaced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from contract.topology import Lane
from tests.helpers.tiny_yunet import write_tiny_yunet
from worker.detection import gpu, onnx_session
from worker.detection.errors import GpuUnavailable
from worker.detection.gpu import CPU_BUILD, NOT_STARTED, gpu_missing
from worker.detection.onnx_session import CPU, CUDA, session
from worker.device import Device, choose_device
from worker.errors import DeviceUnavailable
from worker.heartbeat import Tally, heartbeat
from worker.models import ModelUnavailable
from worker.settings import GPU_BATCH, WorkerSettings
from worker.switchboard import Routes, Switchboard


def nothing_missing() -> str | None:
    return None


def no_driver() -> str | None:
    return "no driver"


def never() -> str | None:
    raise AssertionError("nobody asked for a GPU")


@pytest.mark.parametrize(
    ("device", "lane", "missing", "chosen"),
    [
        ("cpu", Lane.GPU, never, Device("cpu")),
        ("auto", Lane.LIVE, never, Device("cpu")),
        ("auto", Lane.BATCH, never, Device("cpu")),
        ("auto", Lane.GPU, nothing_missing, Device("cuda")),
        ("cuda", Lane.LIVE, nothing_missing, Device("cuda")),
        ("auto", Lane.GPU, no_driver, Device("cpu", "no GPU, computing on the CPU: no driver")),
    ],
)
def test_the_device(device: Any, lane: Lane, missing: Callable[[], str | None], chosen: Device) -> None:
    assert choose_device(WorkerSettings(device=device, lane=lane), missing) == chosen


def test_a_gpu_that_is_insisted_on_and_not_there_is_an_error_that_says_why() -> None:
    with pytest.raises(DeviceUnavailable, match=r"WORKER_DEVICE=cuda: no driver.*WORKER_DEVICE=auto"):
        choose_device(WorkerSettings(device="cuda"), no_driver)


@pytest.mark.parametrize(
    ("given", "batch", "held"),
    [
        ({}, 1, 1),
        ({"device": "cpu", "lane": "gpu"}, 1, 1),
        ({"device": "cuda"}, GPU_BATCH, 2 * GPU_BATCH),
        ({"device": "cuda", "batch": 1}, 1, 1),
        ({"batch": 8}, 8, 16),
        ({"batch": 8, "prefetch": 3}, 8, 3),
        ({"prefetch": 2}, 1, 2),
    ],
)
def test_a_worker_with_batches_holds_the_next_one_unless_told_otherwise(
    given: dict[str, Any], batch: int, held: int
) -> None:
    settings = WorkerSettings(**given)
    assert (settings.batch_frames, settings.held_frames) == (batch, held)


class FakeSession:
    """ONNX Runtime's: `gets` are the providers that it ends up with, whatever was asked for."""

    gets: tuple[str, ...] = (CPU,)
    asked: list[Any]

    def __init__(self, data: bytes, options: object, *, providers: list[Any], enable_fallback: int) -> None:
        type(self).asked = providers
        assert enable_fallback == 0  # it would move to the CPU without a word

    def get_providers(self) -> list[str]:
        return list(self.gets)

    def run(self, outputs: object, inputs: object) -> list[Any]:
        return []


def test_a_session_that_gets_the_cpu_instead_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "InferenceSession", FakeSession)
    with pytest.raises(GpuUnavailable):
        session(b"", gpu=True)
    assert [provider if isinstance(provider, str) else provider[0] for provider in FakeSession.asked] == [
        CUDA,
        CPU,
    ]
    session(b"")
    assert FakeSession.asked == [CPU]


def test_a_session_on_the_gpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSession, "gets", (CUDA, CPU))
    monkeypatch.setattr(ort, "InferenceSession", FakeSession)
    assert isinstance(session(b"", gpu=True), FakeSession)


def test_the_cpu_package_is_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    assert gpu_missing() == CPU_BUILD


@pytest.mark.parametrize(("gets", "works"), [((CPU,), False), ((CUDA, CPU), True)])
def test_the_gpu_package_alone_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, gets: tuple[str, ...], works: bool
) -> None:
    loaded = []
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda directory: loaded.append(directory))
    monkeypatch.setattr(FakeSession, "gets", gets)
    monkeypatch.setattr(ort, "InferenceSession", FakeSession)
    reason = gpu_missing()
    assert loaded == [""]
    assert (reason is None) is works
    assert works or str(reason).startswith(NOT_STARTED)


def test_the_trial_is_a_model_that_runs() -> None:
    (found,) = onnx_session.session(gpu._convolution()).run(None, {"x": np.ones((1, 1, 3, 3), np.float32)})
    assert found.tolist() == [[[[9.0]]]]


def test_a_model_that_the_gpu_does_not_take_is_not_loaded_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switching to it fails, is reported, and leaves the model that is in use."""
    (tmp_path / "models.toml").write_text('[tiny]\nkind = "yunet"\nfile = "tiny.onnx"\n')
    write_tiny_yunet(tmp_path / "tiny.onnx")
    monkeypatch.setattr(ort, "InferenceSession", FakeSession)
    settings = WorkerSettings(device="cuda", detector="tiny", model_dir=tmp_path, model_cache=tmp_path)
    with pytest.raises(ModelUnavailable, match="could not start CUDA"):
        Switchboard(settings)


def test_heartbeats_name_every_fallback(tmp_path: Path) -> None:
    settings = WorkerSettings(detector="haar", model_cache=tmp_path)
    default = Switchboard(settings).routes.default

    def fallback(model: str | None, device: str | None) -> bytes:
        return heartbeat(settings, Routes(default, fallback=model), Tally(), "running", 0.0, device).body

    assert b'"fallback":null' in fallback(None, None)
    assert b'"fallback":"no GPU"' in fallback(None, "no GPU")
    assert b'"fallback":"no model; no GPU"' in fallback("no model", "no GPU")
