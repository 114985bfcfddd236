"""One list of detections out of those of several models on the same frame.

Detections belong together if their labels are equal and their boxes overlap. It is found greedily: the most
confident detection that is still free takes, of each other model, the free one that overlaps it most, if the IoU is
`overlap` or more. (Weighted boxes fusion, Solovyev, Wang, Gabruseva, arXiv:1910.13302, merges in the same spirit.)

Confidences of different models are not comparable: Haar's is not a probability at all. Which detection is the best, and
how much each weighs in a mean, is therefore only as good as the models' own scales. Equal confidences are ordered by
their boxes, so that the order of the models does not matter.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.detection.detections import Detections, Floats

STRATEGIES = ("all", "best", "vote")
OVERLAP = 0.5

Positions = NDArray[np.intp]


def merge(found: Sequence[Detections], strategy: str, overlap: float = OVERLAP) -> Detections:
    """Merge what each model found, best first.

    `all`: every detection. `best`: of those that belong together the most confident, with its landmarks.
    `vote`: only what more than half of the models found (of two models, both): the mean of the boxes weighted by
    confidence, the mean of the confidences, and the landmarks of the most confident that has some.

    If some of the models know landmarks and others do not, the rows of detections without are NaN.
    Raises ValueError for another strategy.
    """
    known_strategy(strategy)
    together, models = _concatenated(found)
    if strategy == "all" or not len(together):
        return together
    clusters = _clusters(together, models, overlap)
    if strategy == "best":
        return together.chosen(np.array([cluster[0] for cluster in clusters], np.intp))
    voted = [_mean(together, cluster) for cluster in clusters if 2 * len(cluster) > len(found)]
    return _sorted(_stacked(voted))[0] if voted else Detections.none()


def known_strategy(strategy: str) -> str:
    """Check a strategy's name. Raises ValueError if there is no such one."""
    if strategy not in STRATEGIES:
        raise ValueError(f"{strategy!r} is not a merge strategy: {', '.join(STRATEGIES)}")
    return strategy


def _concatenated(found: Sequence[Detections]) -> tuple[Detections, Positions]:
    """All detections, best first, and the number of the model that each is from."""
    models = np.repeat(np.arange(len(found)), [len(each) for each in found])
    together, order = _sorted(_stacked([each for each in found if len(each)]))
    return together, models[order]


def _stacked(parts: Sequence[Detections]) -> Detections:
    if not parts:
        return Detections.none()
    landmarks = None
    if any(part.landmarks is not None for part in parts):
        landmarks = np.concatenate(
            [
                np.full((len(p), 5, 2), np.nan, np.float32) if p.landmarks is None else p.landmarks
                for p in parts
            ]
        )
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        tuple(label for part in parts for label in part.labels),
        landmarks,
    )


def _sorted(found: Detections) -> tuple[Detections, Positions]:
    """Best first, and the order that did it."""
    keys: list[NDArray[Any]] = [np.array(found.labels, np.str_), *found.boxes.T[::-1], -found.confidence]
    order = np.lexsort(keys)
    return found.chosen(order), order


def _clusters(found: Detections, models: Positions, overlap: float) -> Iterator[Positions]:
    """Positions of what belongs together, at most one per model; the most confident first."""
    kinds = np.unique(np.array(found.labels, np.str_), return_inverse=True)[1]
    shared = intersections(found.boxes)
    match = (kinds[:, None] == kinds) & (models[:, None] != models) & (shared >= overlap)
    free = np.ones(len(found), bool)
    for first in range(len(found)):
        if not free[first]:
            continue
        free[first] = False
        others = np.flatnonzero(match[first] & free)
        others = others[np.argsort(-shared[first, others], kind="stable")]
        closest = np.unique(models[others], return_index=True)[1]  # of each model its first
        members = np.concatenate([[first], np.sort(others[closest])])
        free[members] = False
        yield members


def intersections(boxes: Floats) -> NDArray[np.float64]:
    """IoU of each box with each: (N, N), from (N, 4) x, y, width, height. Boxes without an area overlap nothing."""
    exact = boxes.astype(np.float64)
    low, high = exact[:, :2], exact[:, :2] + exact[:, 2:]
    sides = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    inside = np.prod(np.maximum(sides, 0), axis=2)
    area = np.prod(exact[:, 2:], axis=1)
    union = area[:, None] + area - inside
    shared: NDArray[np.float64] = inside / np.where(union > 0, union, 1)
    return shared


def _mean(found: Detections, members: Positions) -> Detections:
    """The one detection that stands for a cluster."""
    confidence = found.confidence[members].astype(np.float64)
    weights = confidence if confidence.sum() > 0 else None
    landmarks = None
    if found.landmarks is not None:
        known = members[~np.isnan(found.landmarks[members, 0, 0])]
        landmarks = found.landmarks[[known[0] if len(known) else members[0]]]
    return Detections(
        np.average(found.boxes[members], axis=0, weights=weights)[None].astype(np.float32),
        confidence.mean(keepdims=True).astype(np.float32),
        (found.labels[members[0]],),
        landmarks,
    )
