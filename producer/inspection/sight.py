"""How a camera's pictures are looked at: the settings of its inspector."""

from dataclasses import dataclass

from producer.inspection.masks import Polygon


@dataclass(frozen=True, slots=True)
class Sight:
    """How a camera's pictures are looked at, and what of them may leave.

    motion: skip what shows nothing new: grey levels (0-255) by which a pixel must differ, and the share (0-1) of
    pixels that must; None: only pictures that are byte for byte the last one are skipped. refresh: seconds after
    which one is sent all the same. health: look for frozen, black, blinded, defocused and moved. masks: blacked out.
    longer_side: pixels; larger pictures are made smaller. recompress, quality: encode again at this JPEG quality.
    """

    motion: tuple[float, float] | None
    refresh: float
    health: bool
    masks: tuple[Polygon, ...]
    longer_side: int | None
    recompress: bool
    quality: int
