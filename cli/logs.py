"""Our packages' log lines, kept back in a tool: it says itself what happens."""

import logging
import sys

import structlog


def quiet_logs() -> None:
    """Let nothing below `critical` through, and that to standard error: standard output is the tool's own."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
