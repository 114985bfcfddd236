"""What a replay or a purge will do, in numbers and sentences, before anybody confirms it. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contract.dead_letters import DeadLetter
from contract.failures import STALENESS_SECONDS
from contract.replay import destination
from contract.senders import Sender
from contract.topology import Lane
from gateway.dead_letters.groups import FINAL

Consumers = Callable[[str], int | None]
"""How many take messages from a queue; None: not known."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`queues` counts where the frames of a replay go."""

    summary: str
    notes: list[str]
    queues: dict[str, int]


def forecast_purge(letters: Sequence[DeadLetter]) -> Forecast:
    """What deleting these letters means."""
    notes = [
        f"Deletes {_megabytes(letters)} for good: pictures and messages cannot be recovered. Save what you need first.",
        "Dead letters that come meanwhile stay.",
    ]
    return Forecast(f"Purge {_whose(letters)}", notes, {})


def forecast_replay(
    letters: Sequence[DeadLetter],
    lane: Lane | None,
    senders: Mapping[str, Sender],
    consumers: Consumers,
    *,
    fresh: bool,
) -> Forecast:
    """What computing these letters once more means."""
    queues = Counter(destination(each, lane, senders.get(each.sender or "")) for each in letters)
    where = ", ".join(queues) if len(queues) <= 3 else f"{len(queues)} queues"
    notes = [_age(queues, letters, fresh=fresh)]
    if final := Counter(each.reason for each in letters if each.reason in FINAL):
        told = ", ".join(f"{reason} {count:,}" for reason, count in final.most_common(5))
        notes.append(
            f"{final.total():,} will fail again, unless what their remedy names has changed: {told}."
        )
    notes += [_waits(queue, consumers(queue)) for queue in queues if not consumers(queue)][:5]
    return Forecast(f"Replay {_whose(letters)} to {where}", [note for note in notes if note], dict(queues))


def is_live(queue: str) -> bool:
    """Whether frames expire in the queue: the live lane's, or a sender's of that lane."""
    return queue == Lane.LIVE.queue or queue.startswith(f"{Lane.LIVE.queue}.from.")


def _age(queues: Mapping[str, int], letters: Sequence[DeadLetter], *, fresh: bool) -> str:
    live = sum(count for queue, count in queues.items() if is_live(queue))
    if fresh:
        return "The present is written as the time of capture: viewers and history take the pictures for new ones."
    if live:
        return (
            f"{live:,} go to the live lane and will expire there without being computed: they are older than the "
            f"staleness budget ({STALENESS_SECONDS:g} s), unless the present is written as their time of capture, or "
            "they go to the batch lane."
        )
    times = [each.timestamp for each in letters if each.timestamp is not None]
    if not times:
        return "Nothing expires there."
    return "Nothing expires there, and results carry the true time of capture: no viewer takes them for the present."


def _waits(queue: str, consumers: int | None) -> str:
    if consumers is None:
        return f"Whether a worker takes frames from {queue} is unknown: frames wait there until one does."
    lane = next((each for each in Lane if queue.startswith(each.queue) and each is not Lane.LIVE), Lane.LIVE)
    return (
        f"No worker takes frames from {queue} now: the frames wait there until one does "
        f"(WORKER_LANE={lane.value} python -m worker)."
    )


def _whose(letters: Sequence[DeadLetter]) -> str:
    cameras = {each.camera_id for each in letters if each.camera_id is not None}
    unknown = sum(each.camera_id is None for each in letters)
    what = "frame" if len(letters) == 1 else "frames"
    if not cameras:
        return f"{len(letters):,} {what} of an unknown camera"
    named = next(iter(cameras)) if len(cameras) == 1 else f"{len(cameras):,} cameras"
    return f"{len(letters):,} {what} of {named}" + (f" ({unknown:,} of an unknown one)" if unknown else "")


def _megabytes(letters: Sequence[DeadLetter]) -> str:
    size = sum(each.size for each in letters)
    count = "1 dead letter" if len(letters) == 1 else f"{len(letters):,} dead letters"
    return f"{count} ({size / 1e6:.1f} MB)" if size >= 1e5 else f"{count} ({size / 1e3:.1f} kB)"
