"""What becomes of a job's item: one answer, kept by the broker in the job's own queue, and nothing for anybody else.

One that fails for good is answered with the reason. It is no dead letter: a thousand broken pictures of a folder would
push everybody else's out of their queue, and its client writes down what became of each.
"""

from dataclasses import replace

from broker import Message, Outcome
from worker.arrival import Completion
from worker.canary import UNSENT
from worker.failed_replies import failed_reply
from worker.messages import reply_message
from worker.processor import Failed, PutBack

HELD_SECONDS = 10.0
"""So long a worker holds an item whose answer the job's own queue does not take. Then it lets go: that queue is full or
down, and must not hold up all others; the job's client sends the item again."""


def item_answer(item: Completion, node_id: str) -> Message | None:
    """Address what came of the item to its job's queue, to be kept."""
    outcome = item.outcome
    if isinstance(outcome, PutBack):
        return None
    if isinstance(outcome, Failed):
        answer = failed_reply(outcome, item.arrival, node_id)
    else:
        answer = reply_message(outcome.result, item.arrival)
    return None if answer is None else replace(answer, persistent=True)


def is_tried_again(outcome: Outcome, seconds: float) -> bool:
    """Tell whether an answer whose publishing ended so, `seconds` after it was computed, is published again."""
    if outcome in UNSENT:
        return True
    return outcome is not Outcome.CONFIRMED and seconds < HELD_SECONDS
