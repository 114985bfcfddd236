"""`python -m gateway.link`: prints a new ready link from the gateway that runs here, in the same container."""

import argparse
import sys

from gateway.ready_link import add_arguments, show_own


def main() -> int:
    """Print the link; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gateway.link")
    add_arguments(parser)
    return show_own(parser.parse_args().role)


if __name__ == "__main__":
    sys.exit(main())
