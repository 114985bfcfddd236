"""`python -m producer`: settings, sources, probes, then the cameras until a signal or their end."""

import asyncio
import os
import sys

import cv2

from broker import InvalidUrl, split_urls
from producer.catalogue.file.reload import load as load_cameras
from producer.catalogue.grammar import parse_sources
from producer.catalogue.roster import Roster
from producer.catalogue.settings import of_spec
from producer.errors import InvalidCameraFile, InvalidSource, ProducerError
from producer.metrics import ProducerMetrics
from producer.service import Producer
from producer.settings import ProducerSettings
from producer.sources.complaints import tell_complaints
from runtime.confinement import never_more_privileges, report_lacking
from runtime.logs import configure_logs, get_logger
from runtime.probes import serve_probes
from runtime.settings import USAGE_ERROR, load
from runtime.signals import stop_on_signal
from runtime.tracing import Tracing, TracingUnavailable, start_tracing
from runtime.umask import keep_private


def main() -> int:
    """Run a producer; the exit status is 0 after a clean stop or end, 1 if it cannot go on, 2 for wrong settings."""
    settings = load(ProducerSettings, "producer")
    metrics = ProducerMetrics()
    configure_logs("producer", settings.log_level, settings.log_format, metrics.service.logged)
    keep_private()
    never_more_privileges()
    cv2.setNumThreads(1)  # encoding runs in threads of ours
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # broken images are told by our own log
    tell_complaints()
    try:
        split_urls(settings.amqp_url)
        roster = _roster(settings, metrics)
        tracing = start_tracing(settings, "producer", settings.id, metrics.service.spans)
    except TracingUnavailable as error:
        return _refuse(str(error))
    except InvalidUrl as error:
        return _refuse(f"AMQP_URL: {error}")
    except InvalidSource as error:
        return _refuse(f"SOURCE: {error}")
    except InvalidCameraFile as error:
        return _refuse(*(f"CAMERAS: {settings.cameras}: {problem}" for problem in error.problems))
    except ProducerError as error:
        return _refuse(str(error))
    status = asyncio.run(_run(settings, roster, metrics, tracing))
    if tracing is not None:
        tracing.close()
    return status


def _roster(settings: ProducerSettings, metrics: ProducerMetrics) -> Roster:
    if settings.cameras is not None:
        if "source" in settings.model_fields_set:
            raise InvalidSource("it is set, and so is CAMERAS: leave one of them out")
        return Roster([], settings, metrics, load_cameras(settings.cameras, os.environ))
    specs = parse_sources(settings.source)
    if all(spec.missing for spec in specs):
        names = ", ".join(spec.shown for spec in specs)
        raise InvalidSource(
            f"{names}: no such file or folder; check the path, or leave SOURCE out for the demo"
        )
    return Roster([of_spec(spec, settings) for spec in specs], settings, metrics)


async def _run(
    settings: ProducerSettings, roster: Roster, metrics: ProducerMetrics, tracing: Tracing | None
) -> int:
    producer = Producer(settings, roster, metrics, tracing)
    try:
        probes = serve_probes(
            settings.metrics_host, settings.metrics_port, producer.missing, metrics.registry
        )
    except OSError as error:
        print(
            f"producer: port {settings.metrics_port} of {settings.metrics_host} cannot be used "
            f"({error.strerror}): set PRODUCER_METRICS_PORT",
            file=sys.stderr,
        )
        return 1
    log = get_logger("producer")
    log.info(
        "producer started",
        producer_id=settings.id,
        cameras=len(roster.cameras),
        lane=settings.lane.value,
        form=settings.form.value,
        metrics_port=probes.port,
    )
    metrics.confinement(report_lacking(log))
    stop_on_signal(producer.request_stop)
    try:
        status = await producer.run()
    finally:
        probes.close()
    log.info("producer stopped", status=status)
    return status


def _refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(f"producer: {sentence}", file=sys.stderr)
    print("producer: `python -m producer --help` explains SOURCE, CAMERAS and the settings", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
