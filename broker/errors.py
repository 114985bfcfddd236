"""What can go wrong with the broker, as a short tree."""


class BrokerError(Exception):
    """Base of every error of this package."""


class InvalidUrl(BrokerError):
    """An AMQP URL that cannot be used; the message never shows its password."""


class Unreachable(BrokerError):
    """No broker answers, or it stopped answering."""


class Refused(BrokerError):
    """The broker refused what was asked; the message is what it said."""


class NoSuchQueue(Refused):
    """There is no such queue."""


class Busy(BrokerError):
    """Somebody else consumes the queue."""


class Full(BrokerError):
    """A queue takes no more messages."""
