"""`python -m tests.house.coverage`: what the unit tests have run of each package, against floors.toml.

It reads `.coverage`, which `make coverage` makes. A floor is what a package had when it was written, rounded down
from half a per cent less, so that no random example decides; --raise writes it anew where a package is better now.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

FLOORS = Path(__file__).with_name("floors.toml")


def percents(report: dict[str, dict[str, dict[str, int]]]) -> dict[str, float]:
    """The per cent of each package's statements that were run; from coverage's JSON report."""
    statements, run = Counter[str](), Counter[str]()
    for name, file in report.items():
        package = Path(name).parts[0]
        statements[package] += file["summary"]["num_statements"]
        run[package] += file["summary"]["covered_lines"]
    return {package: 100 * run[package] / count for package, count in statements.items()}


def main(arguments: list[str]) -> int:
    """Print a line per package; 1 if one is below its floor."""
    floors = tomllib.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        coverage = Path(sys.executable).with_name("coverage")
        subprocess.run([coverage, "json", "--quiet", "-o", file], check=True)
        found = percents(json.loads(file.read_text())["files"])
    below = {package: floor for package, floor in floors.items() if found.get(package, 0) < floor}
    for package in sorted(found):
        print(f"{package:10} {found[package]:5.1f} %  (floor {floors.get(package, 0)} %)")
    if "--raise" in arguments:
        better = {
            package: max(floors.get(package, 0), int(found[package] - 0.5)) for package in sorted(found)
        }
        lines = "".join(f"{package} = {percent}\n" for package, percent in better.items())
        FLOORS.write_text("# Per cent of each package that the unit tests run. They go up only.\n" + lines)
    for package, floor in below.items():
        print(f"coverage: {package} is below its floor of {floor} %: a test is missing", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
