"""The area `ports`: who listens where ours should; before a start, who is in the way."""

from urllib.parse import urlsplit

from cli import ports
from cli.doctor.finding import Findings
from cli.doctor.place import Place


def check(place: Place, findings: Findings) -> None:
    """Note ports that nobody listens on, or whom we did not start. In a container: nothing to tell."""
    if not place.native or place.original is not None:
        return
    if place.supervisor is None:
        if not place.named:
            _before_a_start(findings)
        return
    ours = {process.pid for process in place.processes}
    listening = 0
    for name, port in _wanted(place):
        process = ports.listening_process(port)
        if process is None and ports.is_free(port):
            findings.error(name, f"nobody listens on port {port}", f".run/logs/{name}.log says why")
        elif process is not None and not _is_ours(process.pid, ours):
            findings.error(
                name,
                f"port {port} is {process.name()}'s (pid {process.pid}), which this system did not start",
                "end that program, or `make down` and `make up`: another port is found",
            )
        else:
            listening += 1
    findings.ok("listening", f"{listening} ports are ours")


def _before_a_start(findings: Findings) -> None:
    # Late: the knobs behind it need the producer, which the gateway's image has not.
    from cli.addresses import AMQP, GATEWAY, PROMETHEUS, WORKERS

    usual = {
        GATEWAY: "the dashboard",
        PROMETHEUS: "Prometheus",
        AMQP: "RabbitMQ",
        WORKERS: "the first worker's metrics",
    }
    for port, what in usual.items():
        if not ports.is_free(port):
            owner = ports.listener(port) or "another program"
            findings.warning(
                f"port {port}",
                f"{owner} has it",
                f"`make up` finds another one for {what}; end it if it is in the way",
            )
    findings.ok("usual", f"looked at {', '.join(map(str, usual))}")


def _wanted(place: Place) -> list[tuple[str, int]]:
    named = [("gateway", place.gateway), ("prometheus", place.prometheus)]
    named += [
        ("rabbitmq", url) for url in place.urls if any(each.name == "rabbitmq" for each in place.processes)
    ]
    named += [(f"worker-{slot}", url) for slot, url in enumerate(place.workers, 1)]
    found = []
    for name, url in named:
        parts = urlsplit(url)
        if parts.hostname == ports.LOOPBACK and parts.port:
            found.append((name, parts.port))
    return found


def _is_ours(pid: int, ours: set[int]) -> bool:
    import psutil

    try:
        family = {pid, *(parent.pid for parent in psutil.Process(pid).parents())}
    except psutil.Error:
        return True  # it has just ended
    return bool(family & ours)
