"""Which detector a worker uses: the one asked for, or the best available."""

from dataclasses import dataclass

import onnxruntime

from contract.topology import Lane
from runtime.logs import get_logger
from worker.detection.detector import Detector
from worker.detection.haar import Haar
from worker.detection.yunet import YuNet
from worker.models import YUNET, ModelUnavailable, locate
from worker.processor import Processor
from worker.settings import WorkerSettings

log = get_logger("worker")

FALLBACK = "no YuNet model here: put its file into a folder and set MODEL_DIR"


@dataclass(frozen=True)
class Choice:
    """The detector in use, and why it is not the best one, if it is not."""

    detector: Detector
    fallback: str | None


def choose_detector(settings: WorkerSettings) -> Choice:
    """Load the detector that the settings ask for; `auto` takes YuNet and falls back to Haar, and says so.

    Raises ModelUnavailable if `yunet` was asked for by name and its model cannot be had.
    """
    if settings.detector == "haar":
        return Choice(Haar(), None)
    try:
        path = locate(
            YUNET,
            model_dir=settings.model_dir,
            cache=settings.model_cache,
            report=lambda what: log.info("model", doing=what),
        )
        detector = YuNet(path, size=settings.input_size, threshold=settings.threshold)
    except ModelUnavailable as error:
        reason = str(error)
    except (onnxruntime.capi.onnxruntime_pybind11_state.OnnxRuntimeException, ValueError) as error:
        reason = f"model {path} does not load: {error}"
    else:
        return Choice(detector, None)
    if settings.detector == "yunet":
        raise ModelUnavailable(reason)
    log.warning("detector fallback", wanted="yunet", using="haar", reason=reason)
    return Choice(Haar(), FALLBACK)  # the whole reason is in the log: a dashboard shows this one


def make_processor(settings: WorkerSettings, detector: Detector) -> Processor:
    """The processor of a worker with these settings."""
    return Processor(
        detector,
        settings.node_id,
        staleness=settings.staleness_seconds if settings.lane is Lane.LIVE else None,
        max_pixels=settings.max_pixels,
    )
