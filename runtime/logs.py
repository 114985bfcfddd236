"""Structured logs on standard error: one line per event; JSON, or readable on a terminal."""

import atexit
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from runtime.repetition import Repetition, Summary


def configure_logs(
    service: str,
    level: str = "info",
    format: str = "auto",
    counted: Callable[[str], None] = lambda level: None,
) -> None:
    """Set up logging for the process. `format` is `json`, `console` or `auto` (console on a terminal).

    `counted` hears the level of every message, of those too that are not written because they repeat.
    """
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    threshold = getattr(logging, level.upper())
    repetition = Repetition()
    shared: list[Any] = [
        structlog.processors.add_log_level,
        _counting(counted),
        _holding_back(repetition),
        _naming(service),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish: list[Any] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _quieten_libraries()
    atexit.unregister(_tell_at_end)
    atexit.register(_tell_at_end, repetition)


def _counting(counted: Callable[[str], None]) -> Any:
    def count(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        if not event.get("summary"):
            counted(str(event["level"]))
        return event

    return count


def _holding_back(repetition: Repetition) -> Any:
    """Lines that repeat are counted instead of written; the counts come with the next line of any kind."""

    def judge(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        if event.pop("summary", False):
            return event
        _tell(repetition.over())
        level, text = str(event["level"]), str(event.get("event", ""))
        words = " ".join(f"{key}={value}" for key, value in event.items())
        if not repetition.judge(level, text, words):
            raise structlog.DropEvent
        return event

    return judge


def _tell(summaries: Iterable[Summary]) -> None:
    for summary in summaries:
        structlog.get_logger().log(
            logging.getLevelNamesMapping()[summary.level.upper()], summary.text, summary=True
        )


def _tell_at_end(repetition: Repetition) -> None:
    _tell(repetition.over(at_end=True))


def _naming(service: str) -> Any:
    def name(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"service": service, **event}

    return name


def get_logger(name: str) -> Any:
    """A logger; `log.info("camera live", camera_id=...)`. Never pass frame data or a URL with its password."""
    return structlog.get_logger(name)


def _quieten_libraries() -> None:
    """Route the standard library's loggers to ours, and keep pika's connection chatter out: we say it better."""
    handler = _ToStructlog()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name)
