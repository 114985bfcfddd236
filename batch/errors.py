"""What ends a job's run, and what ends one of its items. Each message says what happened and what to do."""


class BatchError(Exception):
    """The job cannot go on; what is done is kept, and the next run goes on from there."""


class Misuse(BatchError):
    """What was asked for cannot be: nothing was done, and no job was made."""


class Unreadable(Exception):
    """An item has no picture to send. `reason` is one word, as in the books."""

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(error)
        self.reason = reason
        self.error = error
