"""Why a question of the doctor has no answer."""


class NoAnswer(Exception):
    """Nobody answers, or not as expected; the message is the rest of a sentence that begins with the place."""
