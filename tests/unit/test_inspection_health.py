"""Frozen, black, blinded, defocused, moved: noticed, named, and not where all is well."""

import copy
from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
import pytest

from producer.inspection.health import THOROUGH_SECONDS, Change, Defect, Health
from producer.inspection.levels import levels_of
from producer.inspection.luma import DETAIL, SMALL, Luma, luma_of_pixels
from producer.inspection.masks import Mask
from producer.inspection.moved import Moved
from tests.helpers.scenes import Image, lit, pixels, room, soft, turned, with_square

Fault = Callable[[Image], Image]

CALM = 150.0  # seconds that teach what is usual


class Camera:
    """Looks once every two seconds at what it is shown, with a sensor's noise."""

    def __init__(self, mask: Mask | None = None, noise: float = 2.0) -> None:
        self._noise = noise
        self.health = Health(mask)
        self.now = 1000.0
        self.changes: list[tuple[float, Change]] = []
        self._rng = np.random.default_rng(1)

    def see(self, image: Image, seconds: float, *, frozen: bool = False) -> list[tuple[float, Change]]:
        """Show it for so long; the changes, each with the seconds after which it came."""
        small, large = luma_of_pixels(image, SMALL), luma_of_pixels(image, DETAIL)
        start, before = self.now, len(self.changes)
        while self.now < start + seconds:
            self.now += 2.0
            if frozen:
                changes = self.health.repeated(self.now)
            else:
                detail = self._noisy(large, self._noise) if self.health.due(self.now) else None
                changes = self.health.look(self._noisy(small, self._noise / 4), self.now, detail)
            self.changes += [(self.now - start, change) for change in changes]
        return self.changes[before:]

    def _noisy(self, luma: Luma, sigma: float) -> Luma:
        return pixels(luma + self._rng.normal(0, sigma, luma.shape))


@pytest.fixture(scope="module")
def taught() -> Camera:
    """One that knows what is usual; no test shows it anything, each has a copy."""
    camera = Camera()
    assert camera.see(room(), CALM) == []
    return camera


@pytest.fixture
def camera(taught: Camera) -> Camera:
    return copy.deepcopy(taught)


def overexposed(image: Image) -> Image:
    return pixels(image.astype(np.float32) * 4 + 100)


def hand(image: Image) -> Image:
    return pixels(cv2.GaussianBlur(image, (0, 0), 60) * 0.2 + 20)


def fog(image: Image) -> Image:
    return pixels(image * 0.15 + 170)


def cap(image: Image) -> Image:
    return pixels(image * 0.02 + 4)


def no_signal(image: Image) -> Image:
    blue = np.full_like(image, (200, 60, 20))
    cv2.putText(blue, "NO SIGNAL", (200, 250), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
    return blue


FAULTS: list[tuple[Defect, Fault]] = [
    ("black", cap),
    ("blinded", overexposed),
    ("blinded", hand),
    ("blinded", fog),
    ("blinded", no_signal),
    ("defocused", lambda image: soft(image, 4.0)),
    ("moved", lambda image: turned(image, 40)),
    ("moved", lambda image: turned(image, -24, 60)),
    ("moved", lambda image: turned(image, 400)),
    ("moved", lambda image: room(2)),
]
NAMES = ["cap", "glare", "hand", "fog", "no signal", "soft", "right", "down", "far", "elsewhere"]


@pytest.mark.parametrize(("defect", "fault"), FAULTS, ids=NAMES)
def test_a_fault_is_named_once_and_ends_when_it_ends(camera: Camera, defect: Defect, fault: Fault) -> None:
    begun = camera.see(fault(room()), 200.0)
    assert [(c.defect, c.on) for _, c in begun] == [(defect, True)]
    assert begun[0][1].text
    assert 8.0 <= begun[0][0] <= 90.0
    assert list(camera.health.defects) == [defect]
    ended = camera.see(room(), 200.0)
    assert [(c.defect, c.on) for _, c in ended] == [(defect, False)]
    assert ended[0][0] <= 60.0
    assert not camera.health.defects


@pytest.mark.parametrize(("defect", "fault"), FAULTS, ids=NAMES)
def test_what_passes_soon_is_not_told(camera: Camera, defect: Defect, fault: Fault) -> None:
    del defect
    for _ in range(5):
        assert camera.see(fault(room()), 6.0) == []
        assert camera.see(room(), 60.0) == []


def daylight() -> Iterator[Image]:
    for step in range(30):
        yield lit(room(), 0.6 + 0.4 * np.cos(step / 5))


HARMLESS: dict[str, Callable[[], Iterable[Image]]] = {
    "people": lambda: (with_square(room(), 20 * n, 150, 180) for n in range(30)),
    "somebody who stays": lambda: (with_square(room(), 200, 120, 200) for _ in range(20)),
    "light": daylight,
    "half in shadow": lambda: [pixels(room() * np.where(np.arange(640) < 320, 0.5, 1.0)[None, :, None])] * 20,
    "a shake": lambda: (turned(room(), 6 if n % 2 else -6) for n in range(20)),
    "slightly soft": lambda: [soft(room(), 1.0)] * 20,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_fault_is_not_told(camera: Camera, name: str) -> None:
    for image in HARMLESS[name]():
        assert camera.see(image, 10.0) == [], name


def test_the_same_picture_for_a_minute_is_frozen(camera: Camera) -> None:
    begun = camera.see(room(), 100.0, frozen=True)
    assert [(c.defect, c.on) for _, c in begun] == [("frozen", True)]
    assert "same picture" in begun[0][1].text
    assert [(c.defect, c.on) for _, c in camera.see(room(), 20.0)] == [("frozen", False)]


def test_a_frozen_black_picture_is_both(camera: Camera) -> None:
    camera.see(cap(room()), 4.0)
    camera.see(cap(room()), 100.0, frozen=True)
    assert camera.health.defects == ("black", "frozen")


def test_a_new_view_becomes_the_cameras_own(camera: Camera) -> None:
    changes = camera.see(turned(room(), 200), 900.0)
    assert [(c.defect, c.on) for _, c in changes] == [("moved", True), ("moved", False)]
    assert 600.0 <= changes[1][0] <= 700.0
    assert camera.see(turned(room(), 200), 300.0) == []
    assert [c.defect for _, c in camera.see(room(), 200.0)] == ["moved"], "back is a move too"


def test_a_lens_that_stays_soft_stays_defocused_until_somebody_accepts_it(camera: Camera) -> None:
    camera.see(soft(room(), 4.0), 3600.0)
    assert camera.health.defects == ("defocused",)
    assert camera.health.accept() == [Change("defocused", False, "no longer defocused")]
    assert camera.see(soft(room(), 4.0), 600.0) == []


def test_a_covered_camera_is_not_taken_for_a_moved_one_and_stays_covered(camera: Camera) -> None:
    camera.see(hand(room()), 3600.0)
    assert camera.health.defects == ("blinded",)


def test_a_camera_that_was_plain_from_the_start_is_blinded() -> None:
    camera = Camera()
    camera.see(np.full_like(room(), 180), 60.0)
    assert camera.health.defects == ("blinded",)


def test_the_first_view_is_nobodys_fault() -> None:
    camera = Camera()
    assert camera.see(soft(room(), 6.0), 600.0) == []


def test_masked_parts_are_not_judged() -> None:
    camera = Camera(Mask([[(0.0, 0.0), (0.7, 0.0), (0.7, 1.0), (0.0, 1.0)]]))
    camera.see(room(), CALM)
    dark = room().copy()
    dark[:, 430:] = 0
    camera.see(dark, 60.0)
    assert camera.health.defects == ("black",)
    busy = room().copy()
    busy[:, :444] = room(2)[:, :444]
    camera.see(room(), 60.0)
    camera.see(busy, 200.0)
    assert not camera.health.defects


def test_a_clock_that_is_always_sharp_is_masked() -> None:
    def clock(image: Image) -> Image:
        image = image.copy()
        for line in range(4):
            place = (10, 40 + 40 * line)
            cv2.putText(image, "2026-11-21 05:55:03 CAM 7", place, cv2.FONT_HERSHEY_PLAIN, 2.6, (255,) * 3, 2)
        return image

    told = {}
    for name, mask in (
        ("bare", None),
        ("masked", Mask([[(0.0, 0.0), (1.0, 0.0), (1.0, 0.36), (0.0, 0.36)]])),
    ):
        camera = Camera(mask)
        camera.see(clock(room()), CALM)
        camera.see(clock(soft(room(), 3.0)), 200.0)
        told[name] = list(camera.health.defects)
    assert told == {"bare": [], "masked": ["defocused"]}


def test_a_noisy_night_does_not_make_the_day_look_soft() -> None:
    camera = Camera(noise=8.0)
    camera.see(lit(room(), 0.25), 600.0)
    assert camera.see(room(), 300.0) == []


@pytest.mark.parametrize("seed", [9, 13, 17])
def test_a_crowd_is_no_move(seed: int) -> None:
    """Six people cover a third of the view, and the shift that would explain it best is none."""
    rng, moved, now = np.random.default_rng(seed), Moved(), 0.0
    for _ in range(40):
        crowd = room()
        for _ in range(6):
            x, y, size = (int(rng.integers(low, high)) for low, high in ((-50, 600), (-50, 430), (80, 220)))
            crowd = with_square(crowd, x, y, size, int(rng.integers(0, 255)))
        for view in (room(), crowd):
            for _ in range(10 if not now else 5):
                assert not moved.look(luma_of_pixels(view), now)
                now += THOROUGH_SECONDS


def test_what_lies_under_a_mask_moves_nothing() -> None:
    mask = Mask([[(0.0, 0.0), (0.85, 0.0), (0.85, 1.0), (0.0, 1.0)]])
    busy = room().copy()
    busy[:, :536] = turned(room(), 40)[:, :536]
    told = []
    for moved in (Moved(), Moved(mask)):
        views = [room()] * 10 + [busy] * 10
        told.append([moved.look(luma_of_pixels(v), n * THOROUGH_SECONDS) for n, v in enumerate(views)][-1])
    assert told == [True, False]


def test_a_camera_that_is_masked_all_over_has_no_defect() -> None:
    camera = Camera(Mask([[(0, 0), (1, 0), (1, 1), (0, 1)]]))
    for image in (room(), room(2), np.zeros_like(room())):
        assert camera.see(image, 100.0) == []


def test_one_odd_picture_at_the_start_is_not_the_cameras_view() -> None:
    moved, views = Moved(), [room(2)] + [room()] * 30
    assert not any(moved.look(luma_of_pixels(v), n * THOROUGH_SECONDS) for n, v in enumerate(views))


def test_the_levels_are_those_of_the_unmasked_part() -> None:
    half = Mask([[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]])
    luma = luma_of_pixels(room()).copy()
    before = levels_of(luma, half)
    luma[:, :38] = np.random.default_rng(1).integers(0, 256, (60, 38))
    assert levels_of(luma, half) == before
    assert levels_of(luma) != before


@pytest.mark.parametrize("height", [44, 45])
def test_a_view_that_stays_has_no_shift(height: int) -> None:
    moved, view = Moved(), luma_of_pixels(np.ascontiguousarray(room()[: height * 8]), SMALL)
    assert view.shape == (height, 80)
    for n in range(10):
        moved.look(view, n * THOROUGH_SECONDS)
    assert moved.shift < 0.001


def test_thorough_looks_are_few() -> None:
    camera = Camera()
    due = 0
    for _ in range(100):
        camera.now += 1.0
        thorough = camera.health.due(camera.now)
        due += thorough
        small = luma_of_pixels(room())
        camera.health.look(small, camera.now, luma_of_pixels(room(), DETAIL) if thorough else None)
    assert due == 100 / THOROUGH_SECONDS


def test_another_resolution_is_no_move(camera: Camera) -> None:
    assert camera.see(np.ascontiguousarray(room()[60:420]), 300.0) == []
