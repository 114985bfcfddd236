"""What can go wrong with the broker, as a short tree."""


class BrokerError(Exception):
    """The root of every error of this package."""


class InvalidUrl(BrokerError):
    """An AMQP URL that cannot be used; the message never shows its password."""


class Unreachable(BrokerError):
    """No broker answers, or the broker stopped answering."""


class Refused(BrokerError):
    """The broker refused what was asked; the message is what it said."""


class NoSuchQueue(Refused):
    """The queue does not exist."""


class Busy(BrokerError):
    """The queue is consumed by somebody else."""


class Full(BrokerError):
    """A queue takes no more messages."""


class QueueDown(BrokerError):
    """RabbitMQ has the queue and cannot use it."""
