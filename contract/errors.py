"""Errors about what crossed a process boundary. The message is a sentence for whoever sent it."""

from contract.failures import FailureReason


class ContractError(ValueError):
    """Something does not keep the contract."""


class InvalidTask(ContractError):
    """A message is not a task; `reason` goes on its dead letter."""

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidModelSpec(ContractError):
    """A text names no model."""


class PictureError(ContractError):
    """Bytes are not, or not whole, a JPEG or PNG."""


class PictureCutOff(PictureError):
    """A picture's bytes end before the picture does."""
