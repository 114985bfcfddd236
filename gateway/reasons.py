"""What each reason means, why a frame was not computed, and what to do. One line for people, whoever asks."""

from typing import NamedTuple

from contract.failures import ExpiryReason, FailureReason

DELIVERY_LIMIT = "delivery_limit"
"""RabbitMQ's own reason."""
MEND = "Mend what sends it: docs/integrate.md says what a task is; the same frame would fail again."
AGAIN = "`framefleet dlq replay --reason {reason}` computes it once more"


class Meaning(NamedTuple):
    """A reason in words, and its remedy."""

    words: str
    remedy: str


MEANINGS = {
    ExpiryReason.STALE.value: Meaning(
        "it was older than the staleness budget when a worker took it",
        "Frames wait longer than they are worth: start more workers, or send fewer frames. `framefleet plan` says how "
        "many workers the cameras need.",
    ),
    FailureReason.EMPTY.value: Meaning("its message has no body", MEND),
    FailureReason.NOT_JSON.value: Meaning("its message is neither JSON nor a picture", MEND),
    FailureReason.INVALID_TASK.value: Meaning("its message is not a task: a field is missing or wrong", MEND),
    FailureReason.NOT_BASE64.value: Meaning("its field `frame` is not base64", MEND),
    FailureReason.NOT_AN_IMAGE.value: Meaning(
        "its picture is neither JPEG nor PNG, or does not decode",
        "Look at it: `framefleet dlq save-image`. " + MEND,
    ),
    FailureReason.TOO_LARGE.value: Meaning(
        "its message is larger than 12 MiB", "Send a smaller picture, or one of lower quality."
    ),
    FailureReason.TOO_MANY_PIXELS.value: Meaning(
        "its picture has more pixels than allowed",
        "Send a smaller picture, or raise WORKER_MAX_PIXELS (a sender's own limit: `framefleet senders set`).",
    ),
    FailureReason.NOT_ALLOWED.value: Meaning(
        "its sender may not send it: the model, or one camera too many",
        "Allow it with `framefleet senders set`, then replay it.",
    ),
    FailureReason.UNKNOWN_MODEL.value: Meaning(
        "its task names a model that no worker knows",
        "Add the model (docs/models.md), or leave `model` out; then replay it.",
    ),
    FailureReason.DETECTOR_ERROR.value: Meaning(
        "the detector failed at every attempt",
        f"After an update, or with another model, {AGAIN.format(reason='detector_error')}.",
    ),
    FailureReason.WORKER_ERROR.value: Meaning(
        "the worker's own handling of it failed",
        f"The worker's log has the traceback: please report it. {AGAIN.format(reason='worker_error')}.",
    ),
    FailureReason.REMOTE_ERROR.value: Meaning(
        "the remote endpoint failed at every attempt, or its answers made no sense",
        "See `framefleet remote status` and the worker's log for why, at the endpoint too. When it answers again, "
        f"{AGAIN.format(reason='remote_error')}, for money.",
    ),
    FailureReason.REMOTE_REFUSED.value: Meaning(
        "the remote endpoint does not take this picture",
        "The dead letter says in the endpoint's words why; the same picture would be refused again. Another model "
        "may take it (docs/remote.md).",
    ),
    FailureReason.CRASHED.value: Meaning(
        "it ended every process that computed it, or was never answered",
        f"After an update, or with another model, {AGAIN.format(reason='crashed')}.",
    ),
    DELIVERY_LIMIT: Meaning(
        "RabbitMQ gave up: it came back from its workers too often",
        "See why workers died or lost their connection then (their logs); "
        f"{AGAIN.format(reason=DELIVERY_LIMIT)}.",
    ),
}


def meaning(reason: str | None) -> Meaning:
    """What the reason means; of one that nobody here knows, that."""
    known = MEANINGS.get(reason or "")
    return known or Meaning("for a reason that this version does not know", "See docs/dead-letters.md.")
