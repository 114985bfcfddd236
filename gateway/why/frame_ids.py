"""What a frame's id tells: under which ids it may be kept, and which of its camera's frames are around it. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self
from urllib.parse import unquote

from contract.identifiers import CAMERA_ID
from contract.senders import Sender
from contract.task import fitting

_NUMBERED = re.compile(rf"({CAMERA_ID}):(\d{{10}}|\d{{13}}):(\d{{1,12}})", re.ASCII)
_STEPS = (*range(1, 17), *(1 << power for power in range(5, 23)))
"""How far the neighbours are that are looked for: the nearest ones, then ever farther, as far as a week of frames."""


def candidates(given: str, senders: Iterable[Sender] = ()) -> list[str]:
    """Return the ids that `given` may mean, the likeliest first: as it is, as services write it, copied from an
    address, or as a sender knows its own frame."""
    forms = (given, given.strip(), unquote(given).strip())
    exact = [fitting(form.replace("\0", "\ufffd")) for form in forms if form]
    return list(dict.fromkeys([*exact, *(sender.frame(each) for each in exact for sender in senders)]))


class NumberedFrame(NamedTuple):
    """A frame of a producer of ours: its camera, when that was taken up (as written), the frame's number since then."""

    camera_id: str
    taken_up: str
    number: int

    @classmethod
    def read(cls, frame_id: str) -> Self | None:
        """Return what the id says; None for the id of another program."""
        found = _NUMBERED.fullmatch(frame_id)
        return None if found is None else cls(found[1], found[2], int(found[3]))

    @property
    def begin(self) -> float:
        """When its camera was taken up, in Unix seconds: the frame is no older."""
        return int(self.taken_up) / (1e3 if len(self.taken_up) == 13 else 1.0)

    @property
    def neighbours(self) -> Sequence[str]:
        """Ids of frames of the same camera before and after it."""
        numbers = [self.number + sign * step for step in _STEPS for sign in (-1, 1)]
        return [f"{self.camera_id}:{self.taken_up}:{number}" for number in numbers if number >= 0]


class Span(NamedTuple):
    """Between which frames of its camera one was captured, and when, in Unix seconds; None where none is kept."""

    before: float | None = None
    after: float | None = None


def span(frame: NumberedFrame, kept: Iterable[tuple[str, float]]) -> Span:
    """Find the span by the neighbours that are kept: their ids and times of capture."""
    times = {other.number: captured for frame_id, captured in kept if (other := NumberedFrame.read(frame_id))}
    before = max((number for number in times if number < frame.number), default=None)
    after = min((number for number in times if number > frame.number), default=None)
    return Span(
        None if before is None else times[before],
        None if after is None else times[after],
    )
