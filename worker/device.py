"""CPU or GPU: what the settings ask for, what there is, and saying so where the two differ."""

from collections.abc import Callable
from dataclasses import dataclass

from contract.topology import Lane
from worker.detection.gpu import gpu_missing
from worker.errors import DeviceUnavailable
from worker.settings import AUTO, CPU, CUDA, WorkerSettings


@dataclass(frozen=True)
class Device:
    """The device that a worker computes on: `cpu` or `cuda`. `fallback` is why it is not the GPU that was expected."""

    name: str
    fallback: str | None = None


def choose_device(settings: WorkerSettings, missing: Callable[[], str | None] = gpu_missing) -> Device:
    """Choose once, at start. `auto` looks for a GPU in the gpu lane only: elsewhere nobody expects one.

    `missing` says why there is none. Raises DeviceUnavailable if WORKER_DEVICE=cuda and there is none.
    """
    wanted = settings.device
    if wanted == CPU or (wanted == AUTO and settings.lane is not Lane.GPU):
        return Device(CPU)
    reason = missing()
    if reason is None:
        return Device(CUDA)
    if wanted == CUDA:
        raise DeviceUnavailable(
            f"WORKER_DEVICE=cuda: {reason}. Or set WORKER_DEVICE=auto to compute on the CPU"
        )
    return Device(CPU, f"no GPU, computing on the CPU: {reason}")
