"""What is wrong with something that crossed a process boundary. Each error's message is a sentence for its sender."""

from contract.failures import FailureReason


class ContractError(ValueError):
    """Something is not as the contract wants it; the message says what."""


class InvalidTask(ContractError):
    """A message is no task; `reason` goes on its dead letter."""

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidModelSpec(ContractError):
    """A text names no model."""


class PictureError(ContractError):
    """Bytes are not, or not whole, a JPEG or PNG."""


class PictureCutOff(PictureError):
    """A picture's bytes end before the picture does."""
