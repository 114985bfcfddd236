"""Frames that were computed once and are shown to a remote model for its description of an event.

They are other frames than the first ones, with ids of their own: the history takes their words, and nothing else of
them counts as something that a camera has sent.
"""

from contract.identifiers import MAX_FRAME_ID

PREFIX = "described:"


def described_id(frame_id: str) -> str | None:
    """The id of a frame's copy that is to be described; None where there is no room for one."""
    name = f"{PREFIX}{frame_id}"
    return name if len(name) <= MAX_FRAME_ID else None


def is_described(frame_id: str) -> bool:
    """Tell whether the frame is such a copy."""
    return frame_id.startswith(PREFIX)
