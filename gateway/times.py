"""Times as Prometheus writes and reads them."""

import math
import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def parse_time(text: str) -> float:
    """Unix seconds, or RFC 3339 with any number of decimals. Raises ValueError."""
    try:
        value = float(text)
    except ValueError:
        moment = datetime.fromisoformat(re.sub(r"\.(\d+)", lambda m: "." + m[1][:6].ljust(6, "0"), text))
        value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(value):
        raise ValueError("no time")
    return value


def written(moment: float) -> str:
    """A moment (Unix seconds) as people read it: `2026-11-30 06:00:00 UTC`; the number where no calendar has it."""
    try:
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{moment:g}"


def parse_duration(text: str) -> float:
    """Seconds, or a duration such as `15s` or `1h30m`. Raises ValueError."""
    try:
        value = float(text)
    except ValueError:
        if not re.fullmatch(r"(\d+(ms|[smhdwy]))+", text):
            raise ValueError("no duration") from None
        value = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhdwy])", text))
    if not math.isfinite(value):
        raise ValueError("no duration")
    return value
