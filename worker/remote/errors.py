"""What can go wrong with a call, by what follows from it. Each message is a sentence for people."""

from worker.remote.usage import Usage


class CallFailed(Exception):
    """The root. `sent`: the request has left us, so that it may have been charged."""

    outcome = "error"
    """As the metric names it."""

    def __init__(self, sentence: str, *, sent: bool = True) -> None:
        super().__init__(sentence)
        self.sent = sent


class Passing(CallFailed):
    """It may pass: the endpoint has trouble, or the way to it. Worth repeating, with backoff."""

    def __init__(
        self, sentence: str, *, sent: bool = True, free: bool = False, after: float | None = None
    ) -> None:
        super().__init__(sentence, sent=sent)
        self.free = free or not sent
        """Nobody charges for it: the endpoint said that it did nothing."""
        self.after = after
        """Seconds that the endpoint asks us to wait."""


class TimedOut(Passing):
    """No answer within the time that a call may take."""

    outcome = "timeout"


class Throttled(Passing):
    """Too many calls (429): no fault of the picture. `after`: seconds that the endpoint asks us to wait."""

    outcome = "throttled"

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence, free=True, after=after)


class Answered(CallFailed):
    """An answer came, and was charged perhaps: `usage`, where it tells any."""

    def __init__(self, sentence: str, usage: Usage | None = None) -> None:
        super().__init__(sentence)
        self.usage = usage


class BadAnswer(Answered):
    """The answer is not of the form that was asked for."""

    outcome = "bad_answer"


class Declined(Answered):
    """The model, or a filter before it, declines to look at the picture."""

    outcome = "refused"


class PictureRefused(CallFailed):
    """The endpoint does not take this request, and would not the next time. Nobody charges for it."""

    outcome = "refused"


class TooManyPictures(PictureRefused):
    """The endpoint takes at most so many pictures in a request."""

    def __init__(self, sentence: str, most: int) -> None:
        super().__init__(sentence)
        self.most = most


class EndpointRefuses(CallFailed):
    """The endpoint takes no request of ours: the key, the model, the account. No fault of any picture."""

    outcome = "denied"
