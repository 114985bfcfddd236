"""What goes wrong in a producer. Whoever starts one catches `ProducerError`."""


class ProducerError(Exception):
    """Anything that a producer says of its settings, cameras and sources. The text tells the operator what to do."""


class SourceError(ProducerError):
    """A source cannot go on. `reason` is one word for metrics and states, the text says what to do."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
