"""Structured logs on standard error: one line per event; JSON, or readable on a terminal."""

import logging
import sys
from typing import Any

import structlog


def configure_logs(service: str, level: str = "info", format: str = "auto") -> None:
    """Set up logging for the process. `format` is `json`, `console` or `auto` (console on a terminal)."""
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    threshold = getattr(logging, level.upper())
    shared: list[Any] = [
        _naming(service),
        structlog.processors.add_log_level,
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _quieten_libraries()


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
