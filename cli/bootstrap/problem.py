"""What stops the preparation of a machine, said to the operator."""


class Problem(Exception):
    """The machine cannot be made ready; the message says what happened and what to do."""
