"""The area `disk`: room, inodes and rights where the system writes."""

import os
import shutil
import tempfile
from pathlib import Path

from cli.console import size
from cli.doctor.finding import Findings
from cli.doctor.place import Place

GB = 1_000_000_000
LITTLE, HARDLY_ANY = 2 * GB, 0.5 * GB
"""Bytes that are free: a warning, an error. RabbitMQ's own limit is 512 MB (deploy/rabbitmq/rabbitmq.conf)."""
FEW_INODES = 0.02
ROOM = "make room (docker system df, old logs), or move the folder; GATEWAY_HISTORY_DAYS bounds the history"


def check(place: Place, findings: Findings) -> None:
    """Note folders in which there is little room, or that this user cannot write."""
    for name, folder in _folders(place):
        try:
            judge(name, folder, shutil.disk_usage(folder).free, findings)
            _inodes(name, folder, findings)
        except OSError as error:
            findings.error(
                name, f"{folder}: {(error.strerror or '').lower()}", "mount it again, or look at dmesg"
            )


def judge(name: str, folder: Path, free: int, findings: Findings) -> None:
    """Note how much room there is, and whether it can be written."""
    said = f"{size(free)} free in {folder}"
    if free < HARDLY_ANY:
        findings.error(name, said, ROOM)
    elif free < LITTLE:
        findings.warning(name, said, ROOM)
    elif not os.access(folder, os.W_OK | os.X_OK):
        findings.error(
            name,
            f"this user cannot write {folder}",
            "give it the rights, or run this as the user who started the system",
        )
    else:
        findings.ok(name, said)


def _inodes(name: str, folder: Path, findings: Findings) -> None:
    known = os.statvfs(folder)
    if known.f_files and known.f_favail < FEW_INODES * known.f_files:
        findings.error(
            name, f"{known.f_favail:,} more files can be made in {folder}", "delete small files there (df -i)"
        )


def _folders(place: Place) -> list[tuple[str, Path]]:
    """Where the system writes, each file system once."""
    wanted = [("temporary files", Path(tempfile.gettempdir()))]
    if place.native:
        run = place.layout.run if place.layout.run.is_dir() else place.layout.root
        wanted = [("system", run), ("models", _existing(Path.home() / ".cache" / "framefleet")), *wanted]
    elif place.data is not None:
        wanted = [("gateway", place.data), *wanted]
    seen: set[int] = set()
    kept = []
    for name, folder in wanted:
        try:
            device = folder.stat().st_dev
        except OSError:
            kept.append((name, folder))
            continue
        if device not in seen:
            seen.add(device)
            kept.append((name, folder))
    return kept


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.is_dir())
