"""`python -m gateway.tokens`: where the gateway's settings are, that is, in its container."""

import argparse
import os
import sys

from gateway.settings import GatewaySettings
from gateway.tokens.command import add_arguments, run
from runtime.settings import USAGE_ERROR, read


def main() -> int:
    """Run the command on the file that the gateway's own settings name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gateway.tokens")
    add_arguments(parser)
    arguments = parser.parse_args()
    settings, wrong = read(GatewaySettings, os.environ)
    if settings is None:
        print("\n".join(wrong), file=sys.stderr)
        return USAGE_ERROR
    return run(arguments, settings.tokens)


if __name__ == "__main__":
    sys.exit(main())
