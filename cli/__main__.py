"""`framefleet`: the operator's command. It imports of its sub-commands the one that was asked for."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cli.errors import CommandError, InvalidOption, KnobError
from cli.parser import Parser
from cli.subcommands import SUB_COMMANDS, SubCommand, check_place
from runtime.version import VERSION

MISUSED = 2
ABOUT = "Face detection on many cameras: RabbitMQ, workers, a live dashboard."
MORE = "`framefleet COMMAND --help` says more. The documentation is in docs/."


def main() -> None:
    """Run the command line; exit with its status."""
    try:
        sys.exit(run(sys.argv[1:]))
    except BrokenPipeError:
        # Whoever read this has seen enough (`| head`). Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def run(argv: Sequence[str]) -> int:
    """Parse and run; returns the exit status: 0, 1 failed, 2 misused, 130 interrupted."""
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    asked = next((word for word in argv if not word.startswith("-")), None)
    command = next((each for each in SUB_COMMANDS if each.name == asked), None)
    try:
        if command is not None:
            check_place(command, argv, os.environ)
        parser = _parser(command)
        arguments = parser.parse_args(argv)
        if command is None:
            parser.print_help()
            return 0
        return int(import_module(command.module).run(arguments))
    except CommandError as error:
        print(error, file=sys.stderr)
        return MISUSED if isinstance(error, InvalidOption | KnobError) else 1
    except KeyboardInterrupt:
        return 130


def _parser(asked: SubCommand | None) -> argparse.ArgumentParser:
    """All sub-commands by name; only the one that was asked for with its options."""
    parser = Parser(prog="framefleet", description=ABOUT, epilog=MORE)
    parser.add_argument("--version", action="version", version=f"framefleet {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for each in SUB_COMMANDS:
        added = commands.add_parser(each.name, help=each.help)
        if each is asked:
            import_module(each.module).add(added)
    return parser


if __name__ == "__main__":
    main()
