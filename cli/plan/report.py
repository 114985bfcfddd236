"""A plan as text, and as what `--json` prints."""

from dataclasses import asdict, dataclass
from typing import Any

from cli.console import table
from cli.plan.arithmetic import UTILISATION, Plan, held
from cli.plan.costs import YARDSTICK, BrokerMeasured, Costs
from cli.plan.limits import warnings
from cli.plan.machine import Machine
from cli.plan.measurement import Measured
from contract.task import TaskForm

GIB = 2**30
FIGURES = ("processes", "CPU, cores", "memory")


@dataclass(frozen=True)
class Report:
    """A plan with everything that it was made from."""

    plan: Plan
    costs: Costs
    measured: Measured
    broker: BrokerMeasured | None
    machine: Machine
    now: str = ""
    """The workers that there are now, in words; empty if nobody knows."""

    @property
    def held(self) -> int:
        """Cameras that this machine holds with everything on it."""
        return held(self.plan.demand, self.costs, self.machine.cores)

    @property
    def warnings(self) -> list[str]:
        found = warnings(self.plan)
        if self.measured.fallback is not None:
            found.insert(
                0,
                f"Planned with {self.measured.model}, YuNet not being here: fetch it (`framefleet models fetch yunet`)",
            )
        if self.plan.producers > 1:
            found.append(
                f"`make up` starts one producer, and {self.plan.producers} are needed: Compose, or `python -m producer`"
            )
        if self.plan.memory > self.machine.memory:
            found.append(
                f"{_gib(self.plan.memory)} of memory are needed, and this machine has {_gib(self.machine.memory)}"
            )
        return found

    @property
    def commands(self) -> list[str]:
        """The commands that start it, natively and in Compose."""
        plan = self.plan
        given = [f"PRODUCER_FPS={plan.demand.fps:g}"]
        if plan.demand.form is TaskForm.COMPACT:
            given.append("PRODUCER_FORM=compact")
        set_ = " ".join(given)
        return [
            f"{set_} make up WORKERS={plan.workers} CAMERAS=cameras.yaml",
            f"{set_} docker compose up --scale cv-worker={plan.workers} --scale producer={plan.producers}",
        ]


def json_of(report: Report) -> dict[str, Any]:
    """Return the report for programs: in seconds, bytes and cores; CPU in ms."""
    plan = report.plan
    demand = asdict(plan.demand) | {"form": plan.demand.form.value}
    return {
        "demand": demand,
        "frames_per_second": plan.demand.frames,
        "workers": plan.workers,
        "producers": plan.producers,
        "cores": plan.cores,
        "cores_needed": plan.cores_needed,
        "memory_bytes": plan.memory,
        "parts": [asdict(part) for part in plan.parts],
        "bytes_per_second": asdict(plan.traffic),
        "cpu_ms": asdict(report.costs),
        "measured": asdict(report.measured),
        "broker": None if report.broker is None else asdict(report.broker),
        "machine": asdict(report.machine) | {"cameras_held": report.held},
        "warnings": report.warnings,
        "commands": report.commands,
    }


def text_of(report: Report) -> str:
    """Return the report for people."""
    plan, machine, demand = report.plan, report.machine, report.plan.demand
    width, height = demand.size
    lines = [
        f"{demand.cameras:,} cameras, {demand.fps:g} pictures/s each of {width}x{height} and "
        f"{demand.picture_bytes / 1000:.0f} KB, {demand.form.value}, {report.measured.model}",
        f"{demand.frames:,.1f} frames/s to analyse"
        + (f" ({demand.skipped:.0%} skipped by the motion gate)" if demand.skipped else ""),
        "",
        table(
            ("", *FIGURES),
            [
                *(
                    (part.name, str(part.processes), f"{part.cores:.2f}", _mb(part.memory))
                    for part in plan.parts
                ),
                ("together", "", f"{plan.cores:.2f}", _mb(plan.memory)),
            ],
            right=FIGURES,
        ),
        "",
        f"Cores       {plan.cores_needed}, so that each is busy for {UTILISATION:.0%} at most: above that, waiting "
        "grows faster than the load",
        f"Network     cameras to producers {_rate(plan.traffic.cameras)}; RabbitMQ in "
        f"{_rate(plan.traffic.broker_in)}, out {_rate(plan.traffic.broker_out)}",
        f"Disk        RabbitMQ writes at least {_rate(plan.traffic.disk)}",
        f"This one    {machine.cores} cores, {_gib(machine.memory)}: holds about {_about(report.held)} such cameras "
        "with everything on it",
        *([f"Now         {report.now}"] if report.now else []),
        "",
        "Start it    " + "\n            ".join(report.commands),
        "",
        *(f"Warning     {sentence}" for sentence in report.warnings),
        *_honesty(report),
    ]
    return "\n".join(lines)


def _honesty(report: Report) -> list[str]:
    measured, costs, broker = report.measured, report.costs, report.broker
    gate = f", motion gate and health {measured.gate:.2f}" if report.plan.demand.skipped else ""
    size = measured.picture_bytes / 1000
    lines = [
        f"Measured    CPU ms on this machine: a frame from task to result {measured.worker_frame:.2f} (pictures of "
        f"{size:.0f} KB, all cores busy), a snapshot fetched {measured.fetch:.2f}{gate}; memory of a worker and of a "
        "producer",
    ]
    assumed = [f"the producer's sending {costs.producer:.2f}", f"the gateway {costs.gateway:.2f}"]
    assumed.append(f"AMQP and threads of a worker {costs.worker - measured.worker_frame:.2f}")
    if broker is None or broker.broker is None:
        assumed.insert(0, f"RabbitMQ {costs.broker:.2f}")
    else:
        lines.append(f"            RabbitMQ at {broker.address}: {broker.broker:.2f}")
    lines.append(
        f"Assumed     CPU ms per frame from docs/benchmarks.md, times {measured.yardstick / YARDSTICK:.2f} for this "
        f"machine's speed: {', '.join(assumed)}; memory of the other parts; nobody watches; one broker"
    )
    if broker is not None and broker.broker is None:
        lines.append(
            f"            The CPU time of the broker at {broker.address} cannot be seen from here: it runs elsewhere"
        )
    return lines


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _gib(count: int) -> str:
    return f"{count / GIB:.1f} GiB"


def _rate(count: float) -> str:
    return f"{count / 1e6:,.1f} MB/s"


def _about(count: int) -> str:
    """Round to two digits: more would promise more than is known."""
    if count < 100:
        return str(count)
    step = 10 ** (len(str(count)) - 2)
    return f"{count // step * step:,}"
