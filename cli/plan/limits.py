"""The limits that a plan comes up against: of queues, of one broker, of a network; each a sentence with what to do."""

from cli.plan.arithmetic import MESSAGE_BYTES, RESULT_BYTES, TARGET_SECONDS, UTILISATION, Plan
from contract.topology import RESULT_QUEUE, TASK_QUEUE, TOPOLOGY

QUEUE_FRAMES, QUEUE_BYTES = 8_000, 300_000_000
"""What one quorum queue confirmed in a second, at 30 KB and at 70 to 150 KB (docs/benchmarks.md)."""
GIGABIT = 110_000_000
"""Bytes a second that a network of 1 Gbit/s carries beside its headers."""
AWAY_SECONDS = 3600


def warnings(plan: Plan) -> list[str]:
    """Return a sentence for each limit that the plan passes."""
    demand, frames = plan.demand, plan.demand.frames
    found = []
    room = _room(TASK_QUEUE, demand.body_bytes)
    if demand.cameras > room:
        found.append(
            f"{TASK_QUEUE} holds {room:,} such frames: with one of each camera waiting it is full, and producers are "
            "refused (they count it and go on). Smaller pictures, or the compact form, make room"
        )
    if demand.fps > 1 / TARGET_SECONDS:
        found.append(
            f"A camera has one frame under way at a time. While the workers are overloaded frames wait about "
            f"{TARGET_SECONDS:g} s, so a camera then sends {1 / TARGET_SECONDS:.0f} a second and not {demand.fps:g}"
        )
    most = min(QUEUE_FRAMES, QUEUE_BYTES / demand.body_bytes) * UTILISATION
    if frames > most:
        found.append(
            f"{frames:,.0f} frames/s through one quorum queue: it was measured to take {most:,.0f} with room to spare. "
            "Run several clusters, each with a share of the cameras"
        )
    if plan.part("gateway").cores > UTILISATION:
        found.append(
            f"The gateway is one process and would need {plan.part('gateway').cores:.1f} cores: each gateway gets "
            "every result. Run several clusters, each with a share of the cameras"
        )
    busiest = max(plan.traffic.broker_in, plan.traffic.broker_out)
    if busiest > GIGABIT:
        found.append(
            f"RabbitMQ passes on {busiest / 1e6:,.0f} MB/s: more than a network of 1 Gbit/s carries one way"
        )
    away = _room(RESULT_QUEUE, RESULT_BYTES + MESSAGE_BYTES) / frames
    if away < AWAY_SECONDS:
        found.append(
            f"{RESULT_QUEUE} is full after {away / 60:.0f} minutes without a gateway, and workers then wait: have it "
            "back by then"
        )
    return found


def _room(queue: str, message_bytes: int) -> int:
    """Return how many messages of that size the queue takes."""
    (arguments,) = (each.arguments for each in TOPOLOGY.queues if each.name == queue)
    return min(int(arguments["x-max-length"]), int(arguments["x-max-length-bytes"]) // message_bytes)
