"""Kinds of numbers that AMQP has and Python does not."""


class Float32(float):
    """A number that came in 32 bits. Only seven of its digits are right, and Unix seconds have ten before the point."""
