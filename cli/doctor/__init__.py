"""`framefleet doctor`: looks at every part of the system side by side, and says what is wrong and what to do."""

import argparse

ABOUT = """\
Looks at the system that runs in this checkout, or at that of this Compose project: processes, ports, broker, queues,
Prometheus, gateway, workers, models, clocks, disk, memory, file limits, certificates, versions. Changes nothing, needs
nothing to run, and is over within ten seconds whatever is broken. docs/doctor.md says what each line means.
"""
STATUS = """\
Exit status: 0 all is well, or there are only warnings; 1 an error, or something could not be found out; 2 misused.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    parser.description = ABOUT
    parser.epilog = STATUS
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--verbose", action="store_true", help="a line for all that is well, too")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--amqp-url",
        metavar="URL",
        help="look at this broker; better as AMQP_URL=, which `ps` does not show [AMQP_URL]",
    )
    parser.add_argument("--prometheus", metavar="URL", help="ask this Prometheus [PROMETHEUS_URL]")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet doctor`; returns the exit status."""
    # The help needs none of what the checks import.
    from cli.doctor.command import run as run_doctor

    return run_doctor(arguments)
