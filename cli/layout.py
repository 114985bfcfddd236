"""The places of things: the checkout, and all that a native run writes, in `.run/`."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Layout:
    """Paths of one run. Nothing outside `run` is written while the system runs (models are cached at home)."""

    root: Path = CHECKOUT

    @property
    def run(self) -> Path:
        return self.root / ".run"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def rabbitmq(self) -> Path:
        return self.run / "rabbitmq"

    @property
    def prometheus(self) -> Path:
        return self.run / "prometheus"

    @property
    def gateway(self) -> Path:
        return self.run / "gateway"

    @property
    def endpoints(self) -> Path:
        return self.run / "endpoints.json"

    @property
    def workers(self) -> Path:
        return self.run / "workers.json"

    @property
    def batch_workers(self) -> Path:
        return self.run / "batch-workers.json"

    @property
    def producer(self) -> Path:
        return self.run / "producer.json"

    @property
    def expected_workers(self) -> Path:
        return self.run / "expected-workers"

    @property
    def control(self) -> Path:
        return self.run / "control.sock"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def processes(self) -> Path:
        return self.run / "processes.json"

    @property
    def dashboard(self) -> Path:
        return self.root / "dashboard"

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def create(self) -> None:
        """Make the folders; `.run` is ours alone, for it holds the token and the broker's password."""
        self.run.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(PermissionError):
            self.run.chmod(0o700)  # made by an earlier version, or by hand
        for folder in (self.logs, self.prometheus, self.gateway):
            folder.mkdir(exist_ok=True)
