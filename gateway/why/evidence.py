"""What was found out about a frame, before anybody judges it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.api.why import WitnessView
from contract.dead_letters import DeadLetter
from gateway.cameras.repeats import RepeatedId
from gateway.why.frame_ids import NumberedFrame, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`row` has the columns of a result, kept or (not `recorded`) just heard of; `letters` are the frame's, newest
    first. `begin` is the time of storing of the oldest result that is kept, `span` tells between which of its
    neighbours the frame was captured, if its id has a number.
    """

    asked: str
    row: Any | None
    recorded: bool
    begin: float | None
    numbered: NumberedFrame | None
    span: Span
    letters: Sequence[DeadLetter]
    repeated: RepeatedId | None
    history: WitnessView
    dead_letters: WitnessView

    @property
    def known(self) -> bool:
        """Whether anybody has seen the frame."""
        return self.row is not None or bool(self.letters)

    @property
    def camera_id(self) -> str | None:
        """The frame's camera, where anything tells it."""
        if self.row is not None:
            return str(self.row.camera_id)
        if self.letters:
            return self.letters[0].camera_id
        return None if self.numbered is None else self.numbered.camera_id

    @property
    def outlived(self) -> bool:
        """Whether the frame is older than what is kept: its camera was taken up before, and of the frames around it no
        earlier one is kept."""
        if self.known or self.numbered is None or self.begin is None or self.span.before is not None:
            return False
        return self.numbered.begin < self.begin
