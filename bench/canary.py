"""What the canary costs: CPU of gateway, worker and broker, with it and without.

    MODEL_DIR=… python -m bench.canary [--rounds 5] [--quick]

A private RabbitMQ, one worker and one gateway, and nothing else to do. A canary every second and none take turns; the
figures are medians of the differences of neighbours, for one frame, and for the usual pace of one in five seconds.
"""

import tempfile
import time
from statistics import median

from bench.command import command
from bench.machine import cpu_seconds, facts, family
from bench.processes import Process, broker, running
from bench.tables import table
from cli.rabbitmq import RabbitMQNode
from cli.wait import wait_until

PARTS = ("gateway", "worker", "broker")
USUAL_SECONDS = 5
SECONDS, QUICK_SECONDS = 40, 10
FOUND = "framefleet_canary_frames_total"


def measure(node: RabbitMQNode, worker: Process, every: int, seconds: float) -> tuple[list[float], float]:
    """CPU seconds of each part, and the canary's frames, in a window of so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = Process(
            "gateway",
            node.amqp_url,
            GATEWAY_PORT="0",
            GATEWAY_DATA_DIR=folder,
            GATEWAY_PRINT_LINK="false",
            GATEWAY_CANARY_SECONDS=str(every),
        )
        with running([gateway]):
            wait_until(gateway.ready, 60)
            time.sleep(5)  # it is warm, and has sent its first ones
            assert node.pid is not None
            erlang = [node.pid, *family(node.pid)]

            def look() -> tuple[list[float], float]:
                spent = [
                    cpu_seconds(gateway.pid),
                    cpu_seconds(worker.pid),
                    sum(map(cpu_seconds, erlang)),
                ]
                return spent, gateway.metric(FOUND)

            before, frames = look()
            time.sleep(seconds)
            after, more = look()
    return [b - a for a, b in zip(before, after, strict=True)], more - frames


def main() -> None:
    """Measure and print."""
    parser = command(__doc__, footage=False)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    seconds = QUICK_SECONDS if asked.quick else SECONDS
    costs: list[list[float]] = []
    with broker() as node:
        worker = Process("worker", node.amqp_url)
        with running([worker]):
            wait_until(worker.ready, 60)
            for _ in range(asked.rounds):
                (idle, none), (busy, frames) = (measure(node, worker, every, seconds) for every in (0, 1))
                assert none == 0
                assert frames > 0
                costs.append([(b - a) / frames for a, b in zip(idle, busy, strict=True)])
    print(f"{facts()}\n")
    each = [median(cost[part] for cost in costs) for part in range(len(PARTS))]
    whole = median(map(sum, costs))
    rows = [
        [name, f"{1000 * cost:.1f}", f"{cost / USUAL_SECONDS:.2%}"]
        for name, cost in zip((*PARTS, "all"), (*each, whole), strict=True)
    ]
    print(table(["part", "ms a frame", f"of a core, one in {USUAL_SECONDS} s"], rows))
    low, high = min(map(sum, costs)), max(map(sum, costs))
    print(f"\nall, lowest and highest round: {1000 * low:.1f} and {1000 * high:.1f} ms")


if __name__ == "__main__":
    main()
