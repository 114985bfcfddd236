"""deploy/compose.gpu.yml: a worker as the others, on a GPU, and never with both packages of ONNX Runtime."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GPU: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.gpu.yml").read_text())
BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
WORKER: dict[str, Any] = GPU["services"]["cv-worker-gpu"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


def stage(name: str) -> str:
    """The lines of the Dockerfile's stage `name`."""
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"deploy/Dockerfile has no stage {name}"
    return found[1]


def packages(requirements: str) -> set[str]:
    text = (ROOT / "requirements" / requirements).read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def test_it_is_the_same_worker_in_the_gpu_lane_with_a_gpu() -> None:
    assert WORKER["extends"] == {"file": "docker-compose.yml", "service": "cv-worker"}
    assert WORKER["environment"]["WORKER_LANE"] == "gpu"
    (device,) = WORKER["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert GPU["services"]["producer"]["environment"]["PRODUCER_LANE"] == "${PRODUCER_LANE:-gpu}"


def test_it_does_not_take_over_the_cpu_workers_prefetch() -> None:
    """PREFETCH=1 is right for those, and there would be no batches."""
    assert BASE["services"]["cv-worker"]["environment"]["PREFETCH"] is None  # what the shell or .env says
    assert WORKER["environment"]["PREFETCH"] == "${GPU_PREFETCH:-}"


def test_prometheus_finds_it_by_the_workers_name() -> None:
    (job,) = (
        job
        for job in yaml.safe_load((ROOT / "prometheus.yml").read_text())["scrape_configs"]
        if job["job_name"] == "cv-worker"
    )
    assert job["dns_sd_configs"][0]["names"] == WORKER["networks"]["default"]["aliases"]


def test_it_is_built_as_the_other_one_but_for_its_dependencies() -> None:
    assert WORKER["build"]["target"] == "cv-worker-gpu"
    ours = [line for line in stage("cv-worker-gpu").splitlines() if not line.startswith("ENV NVIDIA_")]
    others = stage("cv-worker").replace("cv-worker-dependencies", "cv-worker-gpu-dependencies")
    assert ours == others.splitlines()
    assert "requirements/worker-gpu.txt" in stage("cv-worker-gpu-dependencies")


@pytest.mark.parametrize(
    ("requirements", "runtime"),
    [("worker.txt", "onnxruntime"), ("native.txt", "onnxruntime"), ("worker-gpu.txt", "onnxruntime-gpu")],
)
def test_an_environment_has_one_onnx_runtime(requirements: str, runtime: str) -> None:
    """Both are the module `onnxruntime`: installed together, one overwrites the other's files."""
    assert packages(requirements) & {"onnxruntime", "onnxruntime-gpu"} == {runtime}


def test_the_gpu_image_has_cuda_and_what_batches_need() -> None:
    assert {"onnx", "nvidia-cublas", "nvidia-cuda-runtime"} <= packages("worker-gpu.txt")
    assert any(name.startswith("nvidia-cudnn") for name in packages("worker-gpu.txt"))


def test_otherwise_both_extras_are_the_same() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    cpu, gpu = (
        {each for each in extras[name] if not each.startswith("onnx")} for name in ("worker", "worker-gpu")
    )
    assert cpu == gpu
