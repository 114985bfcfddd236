"""Why the lane is paused."""

from contract.remote import HeldBy


class CallsHeld(Exception):
    """No call may go out: frames go back to the queue and wait there. `by` is the kind, `reason` the sentence."""

    def __init__(self, by: HeldBy, reason: str) -> None:
        super().__init__(reason)
        self.by = by
        self.reason = reason
