"""`python -m worker`: settings, detector, probes, then the worker until a signal."""

import sys
from queue import Empty, SimpleQueue

import cv2

from broker import BrokerError, split_urls
from contract.topology import Lane
from runtime.confinement import never_more_privileges, report_lacking
from runtime.logs import configure_logs, get_logger
from runtime.priority import give_way
from runtime.probes import ProbeServer, serve_probes
from runtime.settings import USAGE_ERROR, load
from runtime.signals import stop_on_signal
from runtime.tracing import TracingUnavailable, start_tracing
from runtime.umask import keep_private
from worker.device import choose_device
from worker.errors import MetricsPortUnavailable, WorkerError
from worker.metrics import WorkerMetrics
from worker.remote.blur import FaceBlur
from worker.remote.board import RemoteBoard
from worker.remote.given import Remote
from worker.remote.metrics import RemoteMetrics
from worker.service import Worker
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard


def main() -> int:
    """Run a worker; the exit status is 0 after a clean stop, 1 if it cannot go on, 2 for wrong settings."""
    settings = load(WorkerSettings, "worker")
    metrics = WorkerMetrics(settings.node_id)
    configure_logs("worker", settings.log_level, settings.log_format, metrics.service.logged)
    keep_private()
    log = get_logger("worker")
    cv2.setNumThreads(1)  # one process per core
    if settings.lane is Lane.BATCH:
        give_way(settings.batch_share)
    try:
        split_urls(settings.amqp_url)
        device = choose_device(settings)
        never_more_privileges()  # CUDA may have had to make its devices, by a program of root's
        settings = settings.model_copy(update={"device": device.name})
        switchboard = _switchboard(settings, metrics)
        tracing = start_tracing(settings, "cv-worker", settings.node_id, metrics.service.spans)
        worker = Worker(settings, switchboard, metrics, device_fallback=device.fallback, tracing=tracing)
        probes = _probes(settings, worker, metrics)
    except WorkerError as error:
        print(f"worker: {error.sentence}", file=sys.stderr)
        return USAGE_ERROR if error.wrong_setting else 1
    except TracingUnavailable as error:
        print(f"worker: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokerError as error:
        print(f"worker: AMQP_URL: {error}", file=sys.stderr)
        return USAGE_ERROR
    metrics.model(switchboard.routes)
    metrics.device(device.name, device.fallback)
    metrics.confinement(report_lacking(log))
    if device.fallback is not None:
        log.warning("device fallback", using=device.name, reason=device.fallback)
    log.info(
        "worker started",
        node_id=settings.node_id,
        lane=settings.lane.value,
        model=switchboard.routes.default.model,
        device=device.name,
        batch=settings.batch_frames,
        prefetch=settings.held_frames,
        metrics_port=probes.port,
    )
    stop_on_signal(lambda: worker.ended.put(None))
    worker.start()
    reason = _wait(worker.ended)
    finished = worker.stop()
    if tracing is not None:
        tracing.close()
    probes.close()
    if reason is not None:
        print(f"worker: {reason}", file=sys.stderr)
        return 1
    log.info("worker stopped", finished=finished)
    return 0 if finished else 1


def _switchboard(settings: WorkerSettings, metrics: WorkerMetrics) -> Switchboard | RemoteBoard:
    """What chooses models, or is asked in their place. Raises WorkerError for settings that cannot work."""
    if settings.lane is not Lane.REMOTE:
        return Switchboard(settings, substituted=metrics.substituted)
    from worker.remote.parts import check  # an HTTP client comes with it, which no other lane needs

    key, prices = check(settings)
    hide = FaceBlur(settings) if settings.remote_blur else None
    return RemoteBoard(settings, Remote(key, prices, RemoteMetrics(settings.node_id, metrics.registry), hide))


def _probes(settings: WorkerSettings, worker: Worker, metrics: WorkerMetrics) -> ProbeServer:
    host, port = settings.metrics_host, settings.metrics_port
    try:
        return serve_probes(host, port, worker.missing, metrics.registry, condition=lambda: worker.condition)
    except OSError as error:
        raise MetricsPortUnavailable(
            f"port {port} of {host} cannot be used ({error.strerror}): set WORKER_METRICS_PORT"
        ) from None


def _wait(ended: SimpleQueue[str | None]) -> str | None:
    """Wait until the worker is to end; returns why, or None if it was asked to.

    It looks up once a second: the kernel may give a signal to any thread, and Python runs its handler when the main
    thread wakes.
    """
    while True:
        try:
            return ended.get(timeout=1.0)
        except Empty:
            continue


if __name__ == "__main__":
    sys.exit(main())
