"""The list of cameras: filters, pages that stay right while cameras come and go, and no work for what is not shown."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.api.cameras import CameraView
from contract.status import CameraLabels, CameraReport, CamerasStatus
from gateway.cameras.cameras import Cameras
from gateway.cameras.page import FIELDS, CameraFilter, chosen_fields, page_of

WALL = 1_795_000_000.0


def report(camera_id: str, state: Any = "live", **labels: str) -> CameraReport:
    return CameraReport(
        camera_id=camera_id, state=state, since=WALL, labels=CameraLabels(**labels) if labels else None
    )


def known(
    *reports: CameraReport, cameras: Cameras | None = None, now: float = 0.0, removed: Sequence[str] = ()
) -> Cameras:
    """Cameras of which one producer serves exactly these."""
    cameras = cameras or Cameras(lambda now: ["live"])
    status = CamerasStatus(
        producer_id="p", producer_since=WALL, time=WALL, cameras=list(reports), removed=list(removed)
    )
    cameras.heard_cameras(status, now, WALL)
    return cameras


HARBOUR = known(
    report("gate-1", name="Gate 1", group="gates", district="North", location="Harbour Street"),
    report("gate-2", "offline", name="Gate 2", group="gates", district="South"),
    report("yard", "degraded", name="Tor Süd", group="yards", district="North"),
    report("zoo"),
)


def ids(cameras: Cameras, limit: int = 100, cursor: str = "", **wanted: Any) -> list[str]:
    page = page_of(cameras, CameraFilter(**wanted), cursor=cursor, limit=limit, now=1.0)
    return [view.camera_id for view in page.items]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["gate-1", "gate-2", "yard", "zoo"]),
        ({"states": frozenset({"live"})}, ["gate-1", "zoo"]),
        ({"states": frozenset({"offline", "degraded"})}, ["gate-2", "yard"]),
        ({"district": "North"}, ["gate-1", "yard"]),
        ({"district": "north"}, []),
        ({"group": "gates"}, ["gate-1", "gate-2"]),
        ({"group": "gates", "district": "South"}, ["gate-2"]),
        ({"text": "GATE"}, ["gate-1", "gate-2"]),
        ({"text": "harbour"}, ["gate-1"]),
        ({"text": "süd"}, ["yard"]),
        ({"text": "yards"}, ["yard"]),
        ({"text": "north", "states": frozenset({"live"})}, ["gate-1"]),
        ({"text": "%"}, []),
    ],
)
def test_filters(wanted: dict[str, Any], expected: list[str]) -> None:
    assert ids(HARBOUR, **wanted) == expected


def test_a_search_follows_new_labels() -> None:
    cameras = known(report("a", name="Gate"))
    assert ids(cameras, text="gate") == ["a"]
    known(report("a", name="Yard"), cameras=cameras)
    assert (ids(cameras, text="gate"), ids(cameras, text="yard")) == ([], ["a"])


def test_total_counts_every_page_and_the_last_one_has_no_next() -> None:
    first = page_of(HARBOUR, CameraFilter(group="gates"), cursor="", limit=1, now=1.0)
    assert (first.total, first.next) == (2, "gate-1")
    last = page_of(HARBOUR, CameraFilter(group="gates"), cursor=first.next or "", limit=1, now=1.0)
    assert (last.total, last.next, last.items[0].camera_id) == (2, None, "gate-2")
    beyond = page_of(HARBOUR, CameraFilter(), cursor="zzz", limit=1, now=1.0)
    assert (beyond.total, beyond.next, beyond.items) == (4, None, [])


def test_only_the_cameras_of_the_page_are_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = known(*(report(f"{n:05}", district="North" if n % 2 else "South") for n in range(10_000)))
    seen: list[str] = []
    view = Cameras.view

    def counted(self: Cameras, camera_id: str, now: float) -> CameraView:
        seen.append(camera_id)
        return view(self, camera_id, now)

    monkeypatch.setattr(Cameras, "view", counted)
    page = page_of(cameras, CameraFilter(district="North"), cursor="05000", limit=3, now=1.0)
    assert seen == ["05001", "05003", "05005"]
    assert (page.total, page.next) == (5_000, "05005")


camera_ids = st.sets(st.text("abc", min_size=1, max_size=3), max_size=12)


@given(st.lists(camera_ids, min_size=1, max_size=8), st.integers(1, 4))
def test_a_cursor_stays_right_while_cameras_come_and_go(lives: list[set[str]], limit: int) -> None:
    """Whatever is there all the time is listed exactly once, and nothing twice."""
    always = set.intersection(*lives)
    seen: list[str] = []
    cursor, turn = "", 0
    while True:
        cameras = known(*(report(camera) for camera in lives[min(turn, len(lives) - 1)]))
        page = page_of(cameras, CameraFilter(), cursor=cursor, limit=limit, now=1.0)
        seen += [view.camera_id for view in page.items]
        if page.next is None:
            break
        cursor, turn = page.next, turn + 1
    assert seen == sorted(set(seen))
    assert always <= set(seen)


def test_cameras_that_are_forgotten_leave_the_list() -> None:
    cameras = known(report("a"), report("b"))
    assert ids(cameras) == ["a", "b"]
    known(report("b"), cameras=cameras, now=1.0, removed=["a"])
    assert ids(cameras) == ["b"]


def test_fields() -> None:
    assert chosen_fields("state,name,state") == ("camera_id", "state", "name")
    assert chosen_fields("camera_id") == ("camera_id",)
    assert chosen_fields(",".join(FIELDS)) == FIELDS
    with pytest.raises(ValueError, match="there is no field stat: did you mean state") as refused:
        chosen_fields("name,stat")
    assert "last_result" in str(refused.value)
