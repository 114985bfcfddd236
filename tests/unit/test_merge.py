"""Merging the detections of several models: what belongs together, and which of it is reported."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.images import iou
from worker.detection import Detections
from worker.detection.merge import OVERLAP, intersections, merge

Row = tuple[tuple[float, ...], float, str]


def found(*rows: Row, points: float | None = None) -> Detections:
    """Detections of one model, best first; each landmark at (`points`, `points`)."""
    if not rows:
        return Detections.none()
    ordered = sorted(rows, key=lambda row: -row[1])
    return Detections(
        np.array([box for box, _, _ in ordered], np.float32),
        np.array([confidence for _, confidence, _ in ordered], np.float32),
        tuple(label for _, _, label in ordered),
        None if points is None else np.full((len(rows), 5, 2), points, np.float32),
    )


def rows(detections: Detections) -> list[Row]:
    boxes, confidence = detections.boxes.tolist(), detections.confidence.tolist()
    return [(tuple(b), c, label) for b, c, label in zip(boxes, confidence, detections.labels, strict=True)]


FACE = (100.0, 100.0, 40.0, 40.0)
NEAR = (104.0, 100.0, 40.0, 40.0)  # IoU 36/44 with FACE
FAR = (125.0, 100.0, 40.0, 40.0)  # IoU 15/65
ELSEWHERE = (300.0, 50.0, 30.0, 30.0)


def test_all_keeps_everything_best_first() -> None:
    merged = merge([found((FACE, 0.9, "face"), (FAR, 0.3, "face")), found((NEAR, 0.6, "face"))], "all")
    assert merged.boxes.tolist() == [list(FACE), list(NEAR), list(FAR)]
    assert merged.confidence.tolist() == pytest.approx([0.9, 0.6, 0.3])


def test_best_takes_the_most_confident_with_its_landmarks() -> None:
    merged = merge(
        [
            found((FACE, 0.7, "face"), (ELSEWHERE, 0.5, "face"), points=1.0),
            found((NEAR, 0.8, "face"), points=2.0),
        ],
        "best",
    )
    assert merged.boxes.tolist() == [list(NEAR), list(ELSEWHERE)]
    assert merged.landmarks is not None
    assert merged.landmarks[:, 0, 0].tolist() == [2.0, 1.0]


def test_vote_takes_what_more_than_half_found_at_the_weighted_mean() -> None:
    one = found((FACE, 0.9, "face"), (ELSEWHERE, 0.99, "face"))
    two = found((NEAR, 0.3, "face"), points=7.0)
    merged = merge([one, two], "vote")
    # (100*0.9 + 104*0.3) / 1.2
    assert merged.boxes.tolist() == pytest.approx(np.array([[101.0, 100, 40, 40]]))
    assert merged.confidence.tolist() == pytest.approx([0.6])
    assert merged.landmarks is not None
    assert (merged.landmarks == 7).all()  # the less confident is the only one that has some
    assert rows(merge([one, two, Detections.none()], "vote")) == rows(merged)  # two of three
    # Half is not more than half.
    assert len(merge([one, two, Detections.none(), Detections.none()], "vote")) == 0
    assert len(merge([one, Detections.none()], "vote")) == 0


def test_the_landmarks_of_a_vote_are_those_of_the_most_confident() -> None:
    merged = merge([found((FACE, 0.4, "face"), points=1.0), found((FACE, 0.6, "face"), points=2.0)], "vote")
    assert merged.landmarks is not None
    assert (merged.landmarks == 2).all()


def test_detections_without_landmarks_have_nan_among_those_that_have_some() -> None:
    for strategy in ("all", "best"):
        merged = merge([found((FACE, 0.7, "face"), points=1.0), found((ELSEWHERE, 0.8, "face"))], strategy)
        assert merged.landmarks is not None
        assert np.isnan(merged.landmarks).all(axis=(1, 2)).tolist() == [True, False]
        clipped = merged.clipped(640, 480).landmarks
        assert clipped is not None
        assert np.isnan(clipped).all(axis=(1, 2)).tolist() == [True, False]
    assert merge([found((FACE, 0.7, "face")), found((ELSEWHERE, 0.8, "face"))], "all").landmarks is None


def test_other_labels_and_little_overlap_do_not_belong_together() -> None:
    assert len(merge([found((FACE, 0.9, "face")), found((FACE, 0.8, "head"))], "best")) == 2
    assert len(merge([found((FACE, 0.9, "face")), found((FAR, 0.8, "face"))], "best")) == 2
    assert len(merge([found((FACE, 0.9, "face")), found((FAR, 0.8, "face"))], "best", overlap=0.2)) == 1


def test_each_takes_the_closest_of_another_model_and_only_one() -> None:
    close, closer = (108.0, 100.0, 40.0, 40.0), (102.0, 100.0, 40.0, 40.0)
    merged = merge([found((FACE, 0.9, "face")), found((close, 0.8, "face"), (closer, 0.5, "face"))], "best")
    assert merged.boxes.tolist() == [list(FACE), list(close)]


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ValueError, match="'most' is not a merge strategy: all, best, vote"):
        merge([Detections.none()], "most")


def test_nothing_merges_to_nothing() -> None:
    for strategy in ("all", "best", "vote"):
        assert len(merge([], strategy)) == 0
        assert len(merge([Detections.none(), Detections.none()], strategy)) == 0


side = st.integers(1, 60).map(float)
place = st.integers(0, 100).map(float)
row = st.tuples(
    st.tuples(place, place, side, side),
    st.integers(0, 20).map(lambda n: n / 20),
    st.sampled_from(["face", "person"]),
)
model = st.lists(row, max_size=6).map(lambda each: found(*each))
models = st.lists(model, min_size=1, max_size=4)
strategy = st.sampled_from(["all", "best", "vote"])


@given(models, strategy)
def test_the_order_of_the_models_does_not_matter(each: list[Detections], how: str) -> None:
    expected = rows(merge(each, how))
    for other in list(permutations(each))[:6]:
        assert rows(merge(other, how)) == expected


@given(models, strategy)
def test_the_best_comes_first(each: list[Detections], how: str) -> None:
    assert (np.diff(merge(each, how).confidence) <= 0).all()


@given(models)
def test_best_and_all_report_only_what_a_model_found(each: list[Detections]) -> None:
    given_rows = Counter(r for one in each for r in rows(one))
    assert Counter(rows(merge(each, "all"))) == given_rows
    assert Counter(rows(merge(each, "best"))) <= given_rows


@given(models)
def test_what_best_leaves_out_lies_on_something_better(each: list[Detections]) -> None:
    kept = rows(merge(each, "best"))
    left_out = Counter(r for one in each for r in rows(one)) - Counter(kept)
    for box, confidence, label in left_out:
        assert any(
            iou(box, other) >= OVERLAP - 1e-9 and better >= confidence and same == label
            for other, better, same in kept
        )


@given(model, strategy, st.integers(1, 4))
def test_a_model_merged_with_itself_is_the_model(one: Detections, how: str, copies: int) -> None:
    expected = Counter(rows(one))
    merged = Counter(rows(merge([one] * copies, how)))
    assert merged == (Counter({r: n * copies for r, n in expected.items()}) if how == "all" else expected)


@given(models)
def test_a_vote_lies_within_what_was_found(each: list[Detections]) -> None:
    everything = [r for one in each for r in rows(one)]
    merged = merge(each, "vote")
    assert len(merged) <= 2 * len(everything) / (len(each) + 1)
    for box, confidence, label in rows(merged):
        same = [r for r in everything if r[2] == label]
        for axis in range(4):
            assert min(b[axis] for b, _, _ in same) <= box[axis] <= max(b[axis] for b, _, _ in same)
        assert min(c for _, c, _ in same) - 1e-6 <= confidence <= max(c for _, c, _ in same) + 1e-6


@given(st.lists(st.tuples(place, place, side, side), min_size=1, max_size=8))
def test_intersections_are_those_of_the_boxes(boxes: list[tuple[float, ...]]) -> None:
    shared = intersections(np.array(boxes, np.float32))
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes):
            assert shared[i, j] == pytest.approx(iou(a, b))


def test_boxes_without_an_area_overlap_nothing() -> None:
    assert intersections(np.zeros((2, 4), np.float32)).tolist() == [[0, 0], [0, 0]]
