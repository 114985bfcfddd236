"""The area `versions`: of each service, as it says itself, of this command, and of Python."""

import platform
from collections import defaultdict

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import ask
from cli.doctor.place import Place
from cli.doctor.promql import query
from runtime.version import VERSION

INFO = "framefleet_build_info"
UPGRADE = "restart what is older (docs/upgrading.md: which first)"


def check(place: Place, findings: Findings) -> None:
    """Note services of several versions, and those that are not of this command's."""
    findings.ok("this command", f"framefleet {VERSION}, Python {platform.python_version()}")
    versions: dict[str, set[str]] = defaultdict(set)
    if place.gateway and place.token:
        try:
            said = ask(f"{place.gateway}/api/session", token=place.token).json()
            if isinstance(said, dict) and said.get("version"):
                versions["gateway"].add(str(said["version"]))
        except NoAnswer:
            pass  # the area `gateway` says so
    if place.prometheus:
        try:
            for labels, _ in query(place.prometheus, INFO):
                versions[labels.get("service", "?")].add(labels.get("version", "?"))
        except NoAnswer as why:
            findings.unknown(
                "services", f"of workers and producers not known: Prometheus {why}", "see prometheus"
            )
    judge(versions, findings)


def judge(versions: dict[str, set[str]], findings: Findings) -> None:
    """Note what does not agree."""
    for service, known in sorted(versions.items()):
        said = ", ".join(sorted(known))
        if len(known) > 1:
            findings.warning(service, f"several run at once: {said}", UPGRADE)
        elif known != {VERSION}:
            findings.warning(service, f"it is {said}, and this command is {VERSION}", UPGRADE)
        else:
            findings.ok(service, said)
