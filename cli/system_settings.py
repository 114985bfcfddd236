"""The settings in force: of the shell, else of the system that runs in this checkout, else of Compose's `.env`.

An operator who lists models, or plans for more cameras, means the system that exists, and not the defaults.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.layout import Layout
from cli.subcommands import IMAGE
from cli.survivors import survivors

OF_SERVICES = re.compile(r"(WORKER_|PRODUCER_)\w+|MODEL_DIR|PREFETCH")
OF_ONE_PROCESS = re.compile(r"\w+_METRICS_(HOST|PORT)|PRODUCER_ID")
LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^#]*?))\s*(?:#.*)?")


@dataclass(frozen=True)
class SystemSettings:
    """Settings of the shell and of the system at `where`. `workers`: how many that has, if it is known."""

    shell: Mapping[str, str]
    system: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    workers: int | None = None

    def get(self, name: str) -> str | None:
        """The setting as text; None if neither says anything."""
        return self.shell.get(name, "").strip() or self.system.get(name)

    @property
    def of_services(self) -> dict[str, str]:
        """The variables that a worker or a producer would be given."""
        shell = {name: value for name, value in self.shell.items() if OF_SERVICES.fullmatch(name) and value}
        return {**self.system, **shell}

    def told(self, names: Iterable[str]) -> str:
        """Return a sentence on those of `names` that the system sets and the shell does not; else nothing."""
        given = [
            f"{name}={self.system[name]}"
            for name in names
            if name in self.system and not self.shell.get(name)
        ]
        return f"{', '.join(given)}, as {self.where} says" if given else ""

    @property
    def described(self) -> str:
        """The number of workers there are now, and their detector; empty if nothing is known."""
        if self.workers is None:
            return ""
        count = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        return f"{count} with {self.get('WORKER_DETECTOR') or 'auto'}, as {self.where} says"


def settings_in_force(environment: Mapping[str, str], layout: Layout) -> SystemSettings:
    """Return the settings of what runs here. In our images that is the environment alone."""
    if environment.get(IMAGE):
        return SystemSettings(environment)
    return _of_the_native_run(environment, layout) or _of_compose(environment, layout.root / ".env")


def _of_the_native_run(environment: Mapping[str, str], layout: Layout) -> SystemSettings | None:
    import psutil

    running = survivors(layout.processes, layout.root)
    services = [each for each in running if each.name == "producer" or each.name.startswith("worker-")]
    system: dict[str, str] = {}
    for service in services:
        try:
            system |= _ours(psutil.Process(service.pid).environ())
        except psutil.Error:
            continue  # it ended just now, or is another user's
    workers = sum(service.name != "producer" for service in services)
    return SystemSettings(environment, system, "the system that runs here", workers) if running else None


def _of_compose(environment: Mapping[str, str], file: Path) -> SystemSettings:
    try:
        lines = file.read_text().splitlines()
    except (OSError, ValueError):
        return SystemSettings(environment)
    found = [match for line in lines if (match := LINE.fullmatch(line))]
    values = {each[1]: next(text for text in each.groups()[1:] if text is not None) for each in found}
    system = _ours(values)
    if folder := system.get("MODEL_DIR"):
        system["MODEL_DIR"] = str((file.parent / Path(folder).expanduser()).resolve())
    count = values.get("CV_WORKERS", "")
    return SystemSettings(environment, system, ".env", int(count) if count.isdigit() else None)


def _ours(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in values.items()
        if value and OF_SERVICES.fullmatch(name) and not OF_ONE_PROCESS.fullmatch(name)
    }
