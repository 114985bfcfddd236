"""The gate: nothing new is skipped, with its reason; whatever is new is sent."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from producer.inspection.gate import REFRESH, Gate
from producer.inspection.masks import Mask
from producer.inspection.motion import Motion
from tests.helpers.images import astronaut, jpeg
from tests.helpers.scenes import HEIGHT, WIDTH, Image, Sensor, lit, noisy, pixels, room, with_square

HEAD = 32  # pixels of 640: the smallest that YuNet can be expected to find, hair and all


def reasons(
    frames: Callable[[int], Image],
    *,
    count: int = 40,
    interval: float = 0.1,
    gate: Gate | None = None,
    sigma: float = 4.0,
) -> list[str]:
    """The verdict on each of the frames, taken by a noisy sensor."""
    gate, sensor = gate or Gate(Motion()), Sensor(sigma)
    return [str(gate.encoded(sensor.shot(frames(n)), n * interval).reason) for n in range(count)]


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_a_still_scene_is_sent_once_whatever_the_noise(sigma: float) -> None:
    assert reasons(lambda n: room(), sigma=sigma) == ["first"] + ["still"] * 39


def test_a_still_scene_is_sent_again_after_the_refresh_interval() -> None:
    seen = reasons(lambda n: room(), interval=1.0)
    assert [n for n, reason in enumerate(seen) if reason == "refresh"] == [10, 20, 30]
    assert REFRESH == 10.0


def test_the_smallest_head_that_moves_is_sent_each_time() -> None:
    seen = reasons(lambda n: with_square(room(), 20 + 12 * n, 200, HEAD))
    assert seen == ["first"] + ["changed"] * 39


def test_somebody_comes_stands_and_goes() -> None:
    def scene(n: int) -> Image:
        return with_square(room(), 300, 100, 120) if 10 <= n < 30 else room()

    seen = reasons(scene)
    assert [n for n, reason in enumerate(seen) if reason == "changed"] == [10, 30]


def test_nobody_creeps_past() -> None:
    """A pixel a frame never differs much from the frame before, but does from the last one that was sent."""
    seen = reasons(lambda n: with_square(room(), 100 + n, 200, 2 * HEAD), count=60)
    assert 2 <= seen.count("changed") <= 30
    assert max(len(run) for run in " ".join(r[0] for r in seen).replace(" ", "").split("c")) <= 2 * HEAD


def test_light_that_fades_costs_few_frames() -> None:
    assert reasons(lambda n: lit(room(), 1 - 0.01 * n)).count("changed") <= 2


@pytest.mark.parametrize("gain", [0.75, 0.9, 1.1])
def test_light_that_flickers_costs_none(gain: float) -> None:
    dim = lit(room(), 0.7)  # so that nothing is saturated by the brighter light
    seen = reasons(lambda n: lit(dim, gain) if n % 2 else dim)
    assert seen == ["first"] + ["still"] * 39


def test_somebody_in_flickering_light_is_sent() -> None:
    def scene(n: int) -> Image:
        view = room() if n < 20 else with_square(room(), 300, 100, 80, grey=120)
        return lit(view, 0.8 if n % 2 else 1.0)

    assert reasons(scene).index("changed") == 20


def test_somebody_before_the_whole_lens_is_sent() -> None:
    """The light as a whole changes too then: that must not even it out."""
    for grey in (0, 60, 130, 255):
        seen = reasons(lambda n, grey=grey: np.full_like(room(), grey) if n >= 5 else room(), count=7)  # type: ignore[misc]
        assert seen[5] == "changed", grey


def test_a_tiny_noisy_picture_is_judged_by_its_own_noise() -> None:
    """One pixel of a thermal camera is one pixel of the small picture: no mean over 64 takes its noise away."""
    gate, rng = Gate(Motion()), np.random.default_rng(1)
    tiny = np.ascontiguousarray(room()[::8, ::8])
    seen = [gate.pixels(noisy(tiny, 15.0, rng), n * 0.1).reason for n in range(20)]
    assert seen == ["first"] + ["still"] * 19
    somebody = tiny.copy()
    somebody[20:50, 30:45] = 255 - somebody[20:50, 30:45]
    assert gate.pixels(noisy(somebody, 15.0, rng), 3.0).reason == "changed"


def test_another_scene_is_sent_however_noisy() -> None:
    assert reasons(lambda n: room(1 + n), count=6, sigma=20.0) == ["first"] + ["changed"] * 5


def test_identical_bytes_are_skipped_without_decoding() -> None:
    gate, picture = Gate(Motion()), Sensor().shot(room())
    looks = [gate.encoded(picture, n * 0.1) for n in range(5)]
    assert [(look.send, look.reason) for look in looks] == [(True, "first")] + [(False, "identical")] * 4
    assert all(look.luma is None and look.repeated for look in looks[1:])


def test_identical_bytes_are_sent_after_the_refresh_interval() -> None:
    gate, picture = Gate(Motion(), refresh=2.0), Sensor().shot(room())
    sent = [n for n in range(50) if gate.encoded(picture, n * 0.1).send]
    assert sent == [0, 20, 40]


def test_after_a_refresh_with_identical_bytes_those_are_what_frames_are_compared_with() -> None:
    sensor = Sensor(0.5)
    empty, crept, next_one = (sensor.shot(with_square(room(), 300, 200, size)) for size in (0, 12, 24))

    def motion(refreshed: bool) -> float:
        gate = Gate(Motion(), refresh=2.0)
        assert [gate.encoded(empty, 0.0).reason, gate.encoded(crept, 1.0).reason] == ["first", "still"]
        if refreshed:
            assert gate.encoded(crept, 2.0).reason == "refresh"
        return gate.encoded(next_one, 2.1).motion

    assert motion(refreshed=True) < motion(refreshed=False)


def test_without_motion_only_identical_pictures_are_skipped() -> None:
    gate, sensor = Gate(None), Sensor()
    pictures = [sensor.shot(room()) for _ in range(3)]
    assert [gate.encoded(p, 0.0).reason for p in (*pictures, pictures[-1])] == [
        "first",
        "changed",
        "changed",
        "identical",
    ]


def test_a_frame_that_was_lost_is_made_good_by_the_next() -> None:
    gate, sensor = Gate(Motion()), Sensor()
    assert gate.encoded(sensor.shot(room()), 0.0).send
    assert gate.encoded(sensor.shot(with_square(room(), 100, 100, 100)), 0.1).send
    gate.send_next()
    same = sensor.shot(with_square(room(), 100, 100, 100))
    assert gate.encoded(same, 0.2).reason == "first"
    gate.send_next()
    assert gate.encoded(same, 0.3).reason == "first", "even the same bytes"


def test_motion_under_a_mask_is_nobodys_business() -> None:
    mask = Mask([[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]])
    inside = reasons(lambda n: with_square(room(), 6 * n, 200, 64), gate=Gate(Motion(mask=mask)))
    assert inside == ["first"] + ["still"] * 39
    outside = reasons(lambda n: with_square(room(), 330 + 6 * n, 200, 64), gate=Gate(Motion(mask=mask)))
    assert outside.count("changed") > 10


def test_masks_all_over_leave_only_the_refresh() -> None:
    mask = Mask([[(0, 0), (1, 0), (1, 1), (0, 1)]])
    seen = reasons(lambda n: room(n + 1), count=15, interval=1.0, gate=Gate(Motion(mask=mask)))
    assert Counter(seen) == {"first": 1, "still": 13, "refresh": 1}


def test_another_resolution_is_a_change() -> None:
    gate = Gate(Motion())
    gate.encoded(jpeg(room()), 0.0)
    assert gate.encoded(jpeg(np.ascontiguousarray(room()[:360])), 0.1).reason == "changed"


def test_what_cannot_be_looked_at_is_skipped_and_stays_so() -> None:
    gate = Gate(Motion(), refresh=1.0)
    good = Sensor().shot(room())
    assert gate.encoded(good, 0.0).send
    broken = b"\xff\xd8\xff nothing of a picture"
    assert [gate.encoded(broken, t).reason for t in (0.1, 0.2, 5.0)] == ["corrupt"] * 3
    assert [gate.encoded(good, t).reason for t in (0.8, 0.9)] == ["still", "identical"], "judged as ever"


@pytest.mark.parametrize("grey", [False, True])
def test_decoded_frames_are_judged_the_same(grey: bool) -> None:
    gate, rng = Gate(Motion()), np.random.default_rng(1)

    def shot(image: Image) -> Image:
        taken = pixels(image + rng.normal(0, 4, image.shape))
        return taken[:, :, 1] if grey else taken

    assert gate.pixels(shot(room()), 0.0).reason == "first"
    still = shot(room())
    assert gate.pixels(still, 0.1).reason == "still"
    assert gate.pixels(still.copy(), 0.2).reason == "identical"
    assert gate.pixels(shot(with_square(room(), 200, 200, HEAD)), 0.3).reason == "changed"


def test_a_face_that_appears_in_a_photograph_is_sent() -> None:
    canvas = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    seen = canvas.copy()
    seen[100:132, 300:332] = astronaut()[58:186:4, 160:288:4]  # her face, 32 pixels wide
    assert reasons(lambda n: seen if n >= 3 else canvas, count=5)[3] == "changed"


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_settings_that_make_no_sense_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="area"):
        Gate(Motion(), area=value)
    with pytest.raises(ValueError, match="grey levels"):
        Motion(threshold=value * 255)
