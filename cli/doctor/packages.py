"""The area `packages`: what a native run needs on this machine."""

import shutil
import sys

from cli import rabbitmq
from cli.doctor.finding import Findings
from cli.doctor.place import Place

OLDEST = (3, 11)
INSTALLS = "`make up` installs it, or says the one line to type"


def check(place: Place, findings: Findings) -> None:
    """Note what is not installed or not built. An image has all it needs."""
    if not place.native:
        return
    if sys.version_info < OLDEST:
        findings.error("python", f"this is {sys.version.split()[0]}", "install Python 3.11 or newer")
    lacking = [
        name
        for name, there in (
            ("RabbitMQ", rabbitmq.installed()),
            ("Prometheus", shutil.which("prometheus") is not None),
            ("the built dashboard", (place.layout.dashboard / "dist" / "index.html").is_file()),
        )
        if not there
    ]
    for name in lacking:
        findings.warning("missing", f"{name} is not here", INSTALLS)
    if not lacking:
        findings.ok("installed", "RabbitMQ, Prometheus and the built dashboard are here")
