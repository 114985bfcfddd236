"""What can go wrong with the broker, as a short tree."""


class BrokerError(Exception):
    """Base of every error of this package."""


class InvalidUrl(BrokerError):
    """An AMQP URL that cannot be used; the message never shows its password."""
