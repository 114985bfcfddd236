"""Replays and purges with their progress: of what was shown to the operator, and of nothing that came since."""

from collections.abc import Sequence

from broker import dead_letters
from broker.dead_letters import LetterJob, Replay
from cli.console import StepCount, progress
from cli.dlq.search import CLIENT
from contract.dead_letters import DeadLetter
from contract.senders import Sender
from contract.topology import Lane


def new_replay(lane: Lane | None, senders: dict[str, Sender], *, fresh: bool) -> Replay:
    """A replay of this command's."""
    return Replay(client=CLIENT, lane=lane, fresh=fresh, senders=senders)


async def purge(urls: Sequence[str], letters: Sequence[DeadLetter]) -> int:
    """Delete the letters; returns how many were still there. Raises BrokerError."""
    async with progress("purging", len(letters)) as shown:
        how = LetterJob(client=CLIENT)
        _count(how, shown)
        await dead_letters.purge(urls, letters, how)
        return shown.done


async def replay(urls: Sequence[str], letters: Sequence[DeadLetter], how: Replay) -> None:
    """Replay the letters. What was done is in `how`, also when it ends early with `how.failure`. Raises BrokerError."""
    async with progress("replaying", len(letters)) as shown:
        _count(how, shown)
        await dead_letters.replay(urls, letters, how)


def _count(how: LetterJob, shown: StepCount) -> None:
    def changed(_letter: DeadLetter) -> None:
        shown.done += 1

    how.changed = changed
