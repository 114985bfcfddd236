"""Entry point, in words that an older Python understands too: it must be able to say that it is too old."""

import os
import shutil
import sys

OLDEST = (3, 11)


def newer_python() -> "str | None":
    """Another interpreter on this machine that is new enough, or None."""
    for minor in range(20, OLDEST[1] - 1, -1):
        program = shutil.which(f"python3.{minor}")
        if program:
            return program
    return None


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        program = newer_python()
        if program is None:
            sys.exit(
                f"Framefleet needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]}. "
                "It runs on Debian 12 or newer and Ubuntu 24.04 or newer; elsewhere use: docker compose up"
            )
        os.execv(program, [program, "-m", "cli.bootstrap", *sys.argv[1:]])  # noqa: S606

    from cli.bootstrap.run import main

    sys.exit(main(sys.argv[1:]))
