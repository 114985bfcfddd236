"""The commands of `framefleet models`, in the folders of the workers that run here, if any do."""

import argparse
import os
import sys
from pathlib import Path

from cli.errors import CommandError, InvalidOption
from cli.layout import Layout
from cli.logs import quiet_logs
from cli.models.download import fetch
from cli.models.overview import show
from cli.models.shelf import ModelShelf
from cli.models.verification import verify
from cli.system_settings import settings_in_force
from worker.errors import UnknownModel
from worker.models import ModelUnavailable, Registry
from worker.settings import default_cache


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet models …`; returns the exit status: 1 failed, 130 interrupted. Raises CommandError."""
    quiet_logs()
    settings = settings_in_force(os.environ, Layout())
    model_dir = _folder(arguments.model_dir or settings.get("MODEL_DIR"))
    cache = _folder(arguments.cache or settings.get("WORKER_MODEL_CACHE")) or default_cache()
    if model_dir is not None and not model_dir.is_dir():
        raise InvalidOption(f"MODEL_DIR: there is no folder {model_dir}")
    if said := settings.told(("MODEL_DIR", "WORKER_MODEL_CACHE", "WORKER_DETECTOR")):
        print(f"note: {said}", file=sys.stderr)
    try:
        shelf = ModelShelf(Registry.load(model_dir), model_dir, cache)
        for note in shelf.registry.notes:
            print(f"note: {note}", file=sys.stderr)
        match arguments.action:
            case "list":
                return show(shelf, as_json=arguments.json)
            case "fetch":
                return fetch(shelf, arguments.names, everything=arguments.all)
            case _:
                return verify(shelf)
    except InvalidOption:
        raise
    except UnknownModel as error:
        raise InvalidOption(str(error)) from error
    except (ModelUnavailable, ValueError, OSError) as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print("interrupted; nothing half-fetched is left", file=sys.stderr)
        return 130


def _folder(given: str | None) -> Path | None:
    return Path(given).expanduser().absolute() if given and given.strip() else None
