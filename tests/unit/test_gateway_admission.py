"""Which cameras are shown of which no producer speaks: time is an argument."""

from collections import Counter

from gateway.cameras.admission import (
    ANNOUNCE_SECONDS,
    BEGIN_SECONDS,
    FORGET_SECONDS,
    GHOST_RESULTS,
    GHOST_SECONDS,
    MAX_REFUSED,
    UNNAMED,
    Admission,
)

LIMITS = {UNNAMED: 2, "school": 3}


class Door:
    """An admission past its beginning, whose producers speak for `announced`."""

    def __init__(self) -> None:
        self.announced: set[str] = set()
        self.limits = dict(LIMITS)
        self.removed: set[str] = set()
        self.admission = Admission(
            lambda camera_id: camera_id in self.announced,
            lambda sender: self.limits[sender],
            known=lambda sender: sender not in self.removed,
        )
        self.now = 0.0
        self.announced.add("first")
        self.admission.shows("first", UNNAMED, self.now)
        self.admission.shows("opens", "school", self.now)  # the first that counts begins the time
        self.now += BEGIN_SECONDS + 1

    def shown(self, *camera_ids: str, sender: str = UNNAMED) -> list[str]:
        return [each for each in camera_ids if self.admission.shows(each, sender, self.now)]

    def tidied(self, seconds: float) -> Counter[str]:
        self.now += seconds
        return self.admission.tidy(self.now)


def test_each_sender_has_so_many_and_none_takes_anothers_place() -> None:
    door = Door()
    assert door.shown("a", "b", "c", "a", "b") == ["a", "b", "a", "b"]
    assert door.shown("x", "y", "z", sender="school") == ["x", "y"]  # `opens` is its first
    assert door.admission.cameras(UNNAMED) == 2
    assert door.admission.cameras("school") == 3


def test_a_camera_that_a_producer_announces_always_gets_in_and_counts_for_nobody() -> None:
    door = Door()
    assert door.shown("a", "b") == ["a", "b"]
    door.announced |= {"gate-1", "a"}
    assert door.shown("gate-1", "c") == ["gate-1"]
    door.tidied(1.0)
    assert door.shown("a", "c", "d") == ["a", "c"]  # `a` has left its place to another


def test_at_the_start_no_producer_was_heard_yet_and_nothing_is_refused() -> None:
    announced: set[str] = set()
    admission = Admission(lambda camera_id: camera_id in announced, lambda sender: 2)
    cameras = [f"c{number}" for number in range(1_000)]
    assert all(admission.lists(camera_id, UNNAMED, BEGIN_SECONDS) for camera_id in cameras)
    announced.update(cameras[1:])
    assert admission.tidy(2 * BEGIN_SECONDS + 1) == Counter()
    assert admission.cameras(UNNAMED) == 1
    assert admission.shows("new", UNNAMED, 2 * BEGIN_SECONDS + 1)
    assert not admission.shows("newer", UNNAMED, 2 * BEGIN_SECONDS + 1)


def test_what_is_refused_is_counted_once_and_told_with_what_to_do() -> None:
    door = Door()
    door.shown("a", "b", "c", "d", "late")
    assert door.tidied(1.0) == Counter()  # a producer may still announce them
    door.announced.add("late")
    assert door.tidied(ANNOUNCE_SECONDS) == Counter({UNNAMED: 2})
    door.shown("c", "d")
    assert door.tidied(1.0) == Counter()
    door.shown("u", "v", "w", sender="school")
    door.tidied(ANNOUNCE_SECONDS + 1)
    assert door.admission.refused() == Counter({UNNAMED: 2, "school": 1})
    assert door.admission.notices() == [
        "2 cameras are not shown: no producer speaks for them, and GATEWAY_MAX_UNANNOUNCED_CAMERAS is 2. Raise it, or "
        "let their sender have a name: framefleet senders add",
        "1 camera is not shown that school sends: it may have 3. If they are meant: framefleet senders set school "
        "--max-cameras N",
    ]
    door.tidied(GHOST_SECONDS + 1)
    assert door.admission.notices() == []


def test_what_is_told_is_true_now() -> None:
    """The notice stayed for ten minutes after the limit was raised, and advised to change a sender that was gone."""
    door = Door()
    door.shown("u", "v", "w", "x", "y", sender="school")  # three are let in
    door.shown("a", "b", "c")
    door.tidied(ANNOUNCE_SECONDS + 1)
    assert door.admission.refused() == Counter({"school": 3, UNNAMED: 1})
    door.limits["school"] = 5
    assert door.shown("y", sender="school") == ["y"]
    assert door.tidied(1.0) == Counter()
    assert door.admission.refused() == Counter({"school": 1, UNNAMED: 1}), "one may come in, one more may not"
    door.limits["school"] = 40
    assert door.tidied(1.0) == Counter()
    assert [notice for notice in door.admission.notices() if "school" in notice] == []
    door.limits["school"] = 3
    door.shown("w", "x", sender="school")
    assert door.tidied(ANNOUNCE_SECONDS + 1) == Counter({"school": 2})
    door.removed.add("school")
    door.tidied(1.0)
    assert door.admission.refused() == Counter({UNNAMED: 1})


def test_a_handful_of_frames_is_forgotten_after_ten_minutes_and_a_camera_after_a_day() -> None:
    door = Door()
    for _ in range(GHOST_RESULTS):
        door.shown("real")
    assert door.shown("ghost", "other") == ["ghost"]
    door.tidied(GHOST_SECONDS)
    assert door.shown("other") == []
    door.tidied(1.0)
    assert door.shown("other", "more") == ["other"]
    door.tidied(FORGET_SECONDS)
    assert door.shown("more", "yet-another") == ["more", "yet-another"]


def test_what_was_missed_live_is_listed_and_counts_no_frames() -> None:
    door = Door()
    for _ in range(GHOST_RESULTS):
        assert door.admission.lists("backlog", UNNAMED, door.now)
    door.tidied(GHOST_SECONDS + 1)
    assert door.shown("a", "b") == ["a", "b"]


def test_invented_names_take_bounded_memory() -> None:
    door = Door()
    shown = door.shown(*(f"invented-{number}" for number in range(3 * MAX_REFUSED)))
    assert len(shown) == 2
    door.tidied(ANNOUNCE_SECONDS + 1)
    assert door.admission.refused() == Counter({UNNAMED: MAX_REFUSED})
