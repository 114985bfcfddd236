"""Numbers that AMQP has and Python has not."""


class Float32(float):
    """A number that came in 32 bits: of its decimal digits seven are right. Unix seconds have ten before the point."""
