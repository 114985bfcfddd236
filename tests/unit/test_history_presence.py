"""Presence: whatever the order and the batches, the same stretches."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.history.presence import (
    CROWDED,
    SPAN_SECONDS,
    SPANS,
    Sighting,
    Stretch,
    certainty,
    merge,
    quality,
    runs,
    stretches,
    union,
)

GAP = 5.0


def seen(when: float, faces: int = 1, confidence: float = 0.5) -> Sighting:
    return Sighting("a", when, faces, confidence, f"m{confidence}")


class Table:
    """What a database does with the changes."""

    def __init__(self) -> None:
        self.events: dict[int, Stretch] = {}

    def add(self, batch: list[Sighting]) -> None:
        for additions in stretches(batch, GAP).values():
            changes = merge(list(self.events.values()), additions, GAP)
            for stretch in changes.new:
                event_id = max(self.events, default=0) + 1
                self.events[event_id] = replace(stretch, event_id=event_id)
            for others in changes.swallowed.values():
                for other in others:
                    del self.events[other.event_id or 0]
            for stretch in changes.changed:
                self.events[stretch.event_id or 0] = stretch

    def stretches(self) -> list[Stretch]:
        found = [replace(stretch, event_id=None) for stretch in self.events.values()]
        return sorted(found, key=lambda stretch: stretch.started)


def test_a_gap_ends_a_presence() -> None:
    (found,) = stretches([seen(0), seen(5), seen(10.1), seen(4, faces=3, confidence=0.9)], GAP).values()
    assert [(each.started, each.ended, each.frames, each.faces) for each in found] == [
        (0, 5, 3, 3),
        (10.1, 10.1, 1, 1),
    ]
    assert (found[0].certainty, found[0].model) == (90, "m0.9")


def test_cameras_have_nothing_to_do_with_each_other() -> None:
    both = stretches([seen(0), replace(seen(1), camera_id="b")], GAP)
    assert {camera_id: len(found) for camera_id, found in both.items()} == {"a": 1, "b": 1}


def test_when_a_better_picture_is_worth_taking() -> None:
    added = Stretch(0, 9, 20, 2, 80, "m", best=(quality(2, 80), "f"))
    for thumbnail, better in [
        (None, "f"),  # any with a face
        (quality(1, 95), "f"),  # one with both, however sure
        (quality(2, 70), "f"),
        (quality(2, 71), None),
        (quality(3, 50), None),
    ]:
        assert replace(added, thumbnail=thumbnail).better == better, thumbnail
    assert replace(added, best=None).better is None
    assert quality(0, 0) < 10 < quality(1, 0)


def test_of_a_batch_the_best_frame_is_the_picture() -> None:
    batch = [
        replace(seen(0), frame_id="first"),
        replace(seen(1, faces=2, confidence=0.5), frame_id="two"),
        replace(seen(2, confidence=0.9), frame_id="sure"),
    ]
    (found,) = stretches(batch, GAP)["a"]
    assert (found.best, found.better) == ((2050, "two"), "two")


def test_what_joins_two_events_keeps_the_first_id_and_the_better_picture() -> None:
    table = Table()
    table.add([seen(0)])
    table.add([seen(8)])
    table.events[1] = replace(table.events[1], thumbnail=1095)
    table.events[2] = replace(table.events[2], thumbnail=4050)
    changes = merge(list(table.events.values()), [Stretch(4, 4, 1, 1, 50, "m")], GAP)
    assert [(each.event_id, each.started, each.ended, each.thumbnail) for each in changes.changed] == [
        (1, 0, 8, 4050)
    ]
    assert {kept: [each.event_id for each in others] for kept, others in changes.swallowed.items()} == {
        1: [2]
    }


def test_events_that_nothing_is_added_to_are_left_alone() -> None:
    old = Stretch(0, 1, 1, 1, 50, "m", event_id=1)
    changes = merge([old], [Stretch(100, 101, 1, 1, 50, "m")], GAP)
    assert (len(changes.new), changes.changed, changes.swallowed) == (1, [], {})


# Confidences and times in whole numbers: sums and bests are then the same in any order.
MANY = st.lists(
    st.builds(seen, st.integers(0, 200).map(float), st.integers(1, 5), st.sampled_from([0.5, 0.75])),
    max_size=40,
)


@given(batches=st.lists(MANY, max_size=6), order=st.randoms())
def test_order_and_batches_do_not_matter(batches: list[list[Sighting]], order: object) -> None:
    everything = [each for batch in batches for each in batch]
    at_once, one_by_one, by_batch = Table(), Table(), Table()
    at_once.add(everything)
    for batch in batches:
        by_batch.add(batch)
    shuffled = list(everything)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    for each in shuffled:
        one_by_one.add([each])
    assert at_once.stretches() == by_batch.stretches() == one_by_one.stretches()
    assert sum(each.frames for each in at_once.stretches()) == len(everything)
    found = at_once.stretches()
    assert all(b.started - a.ended > GAP for a, b in itertools.pairwise(found))


def test_classes() -> None:
    lengths = [0, *SPAN_SECONDS, SPAN_SECONDS[-1] + 1]
    assert [Stretch(0, each, 1, 1, 1, "m").span for each in lengths] == [0, *range(SPANS)]
    assert [Stretch(0, 0, 1, faces, 1, "m").crowd for faces in (1, CROWDED, CROWDED + 9)] == [
        1,
        CROWDED,
        CROWDED,
    ]


def test_certainty_is_whole_hundredths_rounded_down() -> None:
    given_ = (0.29, 0.999, 1.0, 0.0, -1.0, 7.0, float("nan"))
    assert [certainty(each) for each in given_] == [29, 99, 100, 0, 0, 100, 0]


def test_runs_of_nothing() -> None:
    assert runs([], GAP) == []
    assert union([Stretch(0, 1, 2, 3, 4, "m")]) == Stretch(0, 1, 2, 3, 4, "m")
