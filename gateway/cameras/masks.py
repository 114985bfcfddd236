"""A camera's masks as its producer tells them: what cannot be drawn is not passed on. Pure."""

from collections.abc import Sequence

from contract.status import Polygon

MAX_MASKS = 100
MAX_CORNERS = 500


def shown_masks(masks: Sequence[Polygon] | None) -> list[list[list[float]]] | None:
    """The polygons for browsers; None where the producer does not tell, or tells what is no mask."""
    if masks is None or len(masks) > MAX_MASKS or not all(map(_drawable, masks)):
        return None
    return [[[x, y] for x, y in corners] for corners in masks]


def _drawable(corners: Polygon) -> bool:
    return 3 <= len(corners) <= MAX_CORNERS and all(0 <= each <= 1 for corner in corners for each in corner)
