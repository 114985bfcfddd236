"""Which pictures of a video are analysed, of videos written on the spot: times, sizes, windows, and damage."""

import itertools
import os
import random
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from batch.video.errors import VideoError
from batch.video.growing import GrowingFile
from batch.video.report import VideoReport
from batch.video.samples import Sample, samples
from batch.video.settings import VideoSettings, video_settings
from tests.helpers.video_files import run
from tests.helpers.videos import scene, write, write_sound

EVERYTHING = VideoSettings(skip_still=False, skip_repeated=False)


def read(path: Path, settings: VideoSettings | None = None) -> tuple[list[Sample], VideoReport]:
    report = VideoReport()
    return list(samples(path, settings, report)), report


@pytest.mark.parametrize(
    ("every", "fps"), [(None, 30), (0, 0), (0.2, 5), (1 / 240, 240), (0.001, 0), (1e-38, 0)]
)
def test_who_wants_pictures_oftener_than_there_are_gets_all(every: float | None, fps: float) -> None:
    assert video_settings(every, "fixed", skip=True).fps == fps


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi", "flv", "webm"])
def test_each_container_gives_its_pictures_in_their_order(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"video.{suffix}", [scene(n) for n in range(20)])
    found, report = read(path)
    assert [sample.index for sample in found] == list(range(20))
    assert [round(sample.time, 1) for sample in found] == [n / 10 for n in range(20)]
    assert (report.analysed, report.decoded, report.complete) == (20, 20, True)
    for sample in found:
        assert sample.image is not None
        differs = np.abs(sample.image.astype(int) - scene(sample.index)).mean()
        assert differs < 12  # it is that picture, as far as its codec can draw it


def test_a_still_picture_is_analysed_once_and_now_and_then_again(tmp_path: Path) -> None:
    path = write(tmp_path / "still.mp4", [scene(1)] * 60)
    found, report = read(path, VideoSettings(refresh=2.5))
    assert [(s.index, s.why) for s in found if s.reuse_of is None] == [
        (0, "first"),
        (25, "refresh"),
        (50, "refresh"),
    ]
    assert {s.reuse_of for s in found[1:25]} == {0}
    assert all(s.image is None for s in found if s.reuse_of is not None)
    assert (report.still, report.looked_at) == (57, 60)
    assert report.skipped_share == pytest.approx(0.95)


def test_a_scene_that_comes_again_has_the_result_of_its_first_time(tmp_path: Path) -> None:
    pictures = [scene(n) for n in (1, 1, 1, 2, 2, 3, 1, 1, 2)]
    found, report = read(write(tmp_path / "again.mp4", pictures))
    assert [(s.why, s.reuse_of) for s in found] == [
        ("first", None),
        ("still", 0),
        ("still", 0),
        ("changed", None),
        ("still", 3),
        ("changed", None),
        ("repeated", 0),
        ("still", 0),
        ("repeated", 3),
    ]
    assert report.repeated == 2


def test_a_small_thing_that_appears_in_a_known_scene_is_analysed(tmp_path: Path) -> None:
    # 14 pixels of 384 are the smallest face that is found: here 18 of 480.
    plain = scene(1, 480, 360)
    with_face = plain.copy()
    with_face[100:120, 200:218] = 255 - with_face[100:120, 200:218]
    found, _ = read(write(tmp_path / "face.mp4", [plain, plain, scene(2, 480, 360), with_face, plain]))
    assert [(s.why, s.reuse_of) for s in found] == [
        ("first", None),
        ("still", 0),
        ("changed", None),
        ("changed", None),
        ("repeated", 0),
    ]


def test_what_moves_too_slowly_to_be_seen_from_one_picture_to_the_next_is_seen_in_the_end(
    tmp_path: Path,
) -> None:
    pictures = [np.full((120, 160, 3), 60 + n, np.uint8) for n in range(40)]
    found, _ = read(write(tmp_path / "slow.mp4", pictures), VideoSettings(refresh=0, skip_repeated=False))
    assert 4 <= sum(s.reuse_of is None for s in found) <= 8


def test_skipping_can_be_switched_off(tmp_path: Path) -> None:
    _, report = read(write(tmp_path / "still.mp4", [scene(1)] * 10), EVERYTHING)
    assert (report.analysed, report.still, report.repeated) == (10, 0, 0)


def test_more_than_thirty_pictures_a_second_are_thinned_evenly(tmp_path: Path) -> None:
    path = write(tmp_path / "fast.mp4", [scene(n) for n in range(50)], fps=50)
    found, report = read(path)
    assert len(found) == 30
    assert (report.decoded, report.thinned) == (50, 20)
    gaps = np.diff([s.time for s in found])
    assert gaps.min() > 0.015
    assert gaps.max() < 0.05


def test_changing_rates_keep_their_times_and_lose_nothing(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 5.0, 5.01, 5.5, 60.0]
    path = write(tmp_path / "odd.mkv", [scene(n) for n in range(7)], times=times)
    found, report = read(path, VideoSettings(fps=0))
    assert [s.time for s in found] == pytest.approx(times, abs=0.002)
    assert report.mended_times == 0


def test_a_large_picture_is_made_smaller_and_knows_its_size(tmp_path: Path) -> None:
    [sample], _ = read(write(tmp_path / "large.mp4", [scene(1, 1920, 1080)]))
    assert sample.image is not None
    assert sample.image.shape == (720, 1280, 3)
    assert sample.size == (1920, 1080)


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_telephone_held_upright_gives_upright_pictures(tmp_path: Path, degrees: int, turns: int) -> None:
    # It notes by how much it was turned; here the picture lies as its chip saw it.
    [sample], _ = read(write(tmp_path / "turned.mp4", [scene(1)], rotation=degrees))
    assert sample.image is not None
    wanted = np.rot90(scene(1), turns)
    assert sample.image.shape == wanted.shape
    assert sample.size == (wanted.shape[1], wanted.shape[0])
    assert np.abs(sample.image.astype(int) - wanted).mean() < 12


def test_pixels_that_are_not_square_become_so(tmp_path: Path) -> None:
    flat, wide = tmp_path / "flat.mp4", tmp_path / "wide.mkv"
    write(flat, [scene(1, 160, 120)])
    run("-i", str(flat), "-c:v", "mpeg4", "-vf", "setsar=2/1", str(wide))
    [sample], _ = read(wide)
    assert sample.size == (320, 120)


def test_pictures_may_change_their_size(tmp_path: Path) -> None:
    for name, size in (("a", (160, 120)), ("b", (320, 240))):
        write(tmp_path / f"{name}.h264", [scene(1, *size)] * 5)
    both = tmp_path / "both.h264"
    both.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    with both.open("rb") as file:
        report = VideoReport()
        found = list(samples(file, VideoSettings(fps=0, windows="scene"), report))
    assert {s.size for s in found} == {(160, 120), (320, 240)}
    assert report.sizes == 2
    assert [s.why for s in found if s.reuse_of is None] == ["first", "changed"]


def test_a_video_without_times_gets_some(tmp_path: Path) -> None:
    path = write(tmp_path / "raw.h264", [scene(n) for n in range(10)])
    with path.open("rb") as file:
        report = VideoReport()
        found = list(samples(file, VideoSettings(fps=0), report))
    assert len(found) == 10
    assert all(b.time > a.time for a, b in itertools.pairwise(found))


def test_windows_overlap_and_say_what_they_hold(tmp_path: Path) -> None:
    path = write(tmp_path / "long.mp4", [scene(1)] * 60, fps=2)
    found, report = read(path)
    assert found[0].windows == (0,)
    assert found[25].time == pytest.approx(12.5)
    assert found[25].windows == (0, 1)
    assert [(w.number, w.started, w.ended, w.samples) for w in report.windows] == [
        (0, 0.0, 14.5, 30),
        (1, 12.0, 26.5, 30),
        (2, 24.0, 29.5, 12),
    ]


def test_a_cut_ends_a_window(tmp_path: Path) -> None:
    pictures = [scene(1)] * 20 + [scene(2)] * 20 + [scene(3)] * 10
    found, report = read(write(tmp_path / "cuts.mp4", pictures), VideoSettings(windows="scene"))
    assert [found[n].windows for n in (0, 19, 20, 39, 40)] == [(0,), (0,), (1,), (1,), (2,)]
    assert [w.samples for w in report.windows] == [20, 20, 10]


def broken(path: Path, at: float, size: int) -> Path:
    """The same file with so many bytes of nonsense from `at`, a share of its length."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * at)
    data[start : start + size] = random.Random(7).randbytes(size)
    damaged = path.with_stem("damaged")
    damaged.write_bytes(data)
    return damaged


@pytest.mark.parametrize("suffix", ["mkv", "avi", "flv", "mp4"])
def test_damage_in_the_middle_costs_what_it_hit(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole.{suffix}", [scene(n) for n in range(100)])
    found, report = read(broken(whole, 0.4, 2000), EVERYTHING)
    assert report.complete
    assert len(found) >= 60
    assert found[-1].time > 8.5  # what lies behind the damage is there
    assert all(b.time > a.time for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("suffix", ["mkv", "avi", "flv"])
def test_a_file_that_was_cut_off_gives_what_it_has(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole.{suffix}", [scene(n) for n in range(100)])
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found, _ = read(cut, EVERYTHING)
    assert 30 <= len(found) <= 70


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv", "webm", "ts"])
@pytest.mark.parametrize("faststart", [False, True])
def test_wherever_a_file_is_cut_off_the_reason_is_its_own(
    tmp_path: Path, suffix: str, faststart: bool
) -> None:
    """Not the disk's, and not what a library raises at the half of a head."""
    options = {"movflags": "faststart"} if faststart else {}
    whole = write(tmp_path / f"whole.{suffix}", [scene(1), scene(2)], options=options).read_bytes()
    cuts = [*range(1, min(1_500, len(whole)), 23), *range(1_500, len(whole), max(1, len(whole) // 20))]
    reasons = {why(written(tmp_path / f"cut.{suffix}", whole[:cut])) for cut in cuts}
    assert {"not_a_video"} <= reasons <= {"", "not_a_video", "no_video", "no_frames"}


def why(path: Path) -> str:
    """The reason for which a video cannot be read; empty if it can."""
    try:
        read(path)
    except VideoError as error:
        return error.reason
    return ""


def test_a_faststart_file_that_was_cut_off_says_so(tmp_path: Path) -> None:
    whole = write(tmp_path / "w.mp4", [scene(n) for n in range(100)], options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found, report = read(cut, EVERYTHING)
    assert 30 <= len(found) <= 70
    assert report.cut_off
    assert not read(whole)[1].cut_off


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_is_no_video_is_told_in_a_word_and_a_sentence(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mp4", [scene(n) for n in range(50)])
    listed = written(tmp_path / "list.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for path, reason in (
        (written(tmp_path / "empty.mp4", b""), "empty"),
        (written(tmp_path / "text.mp4", b"no video at all\n" * 500), "not_a_video"),
        (written(tmp_path / "noise.mkv", random.Random(1).randbytes(100_000)), "not_a_video"),
        (written(tmp_path / "cut.mp4", whole.read_bytes()[: whole.stat().st_size // 2]), "not_a_video"),
        (listed, "not_a_video"),
        (written(tmp_path / "hls.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), "not_a_video"),
        (write_sound(tmp_path / "sound.mp4"), "no_video"),
        (tmp_path / "nowhere.mp4", "missing"),
        (tmp_path / "pipe.mp4", "not_a_video"),
        (tmp_path / "folder.mp4", "not_a_video"),
        (tmp_path / ("x" * 300), "io_error"),
    ):
        with pytest.raises(VideoError) as raised:
            read(path)
        assert (path.name, raised.value.reason) == (path.name, reason)
        assert path.name[:20] in str(raised.value)


def _pause(over: threading.Event) -> None:
    over.wait(0.01)


def grown(path: Path, whole: bytes, options: VideoSettings | None = None) -> tuple[float, int]:
    """Read a file that is written piece by piece: the share that was there at its first sample, and the samples."""
    path.write_bytes(b"")
    over, first, came = threading.Event(), threading.Event(), threading.Event()
    there: list[float] = []
    count = 0

    def upload() -> None:
        with path.open("ab") as file:
            for begin in range(0, len(whole), len(whole) // 20):
                file.write(whole[begin : begin + len(whole) // 20])
                file.flush()
                came.set()
                first.wait(0.15)  # its reader looks in the meantime, until it has had its first
        over.set()

    uploading = threading.Thread(target=upload)
    uploading.start()
    came.wait()
    with path.open("rb") as file:
        for _ in samples(GrowingFile(file, over.is_set, sleep=lambda seconds: _pause(over)), options):
            if not count:
                there.append(path.stat().st_size / len(whole))
                first.set()
            count += 1
    uploading.join()
    return there[0], count


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fast.mp4", {"movflags": "faststart"}),
        ("fragments.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("film.mkv", {}),
        ("film.flv", {}),
        ("film.avi", {}),
    ],
)
def test_an_upload_is_read_while_it_goes_on(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    pictures = [np.random.default_rng(n).integers(0, 256, (120, 160, 3), np.uint8) for n in range(200)]
    whole = write(
        tmp_path / f"whole-{name}", pictures, options=options, sound=name == "fast.mp4"
    ).read_bytes()
    share, count = grown(tmp_path / name, whole, EVERYTHING)
    assert count == 200
    assert share < 0.9


def test_an_upload_with_its_index_at_the_end_is_read_at_its_end(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mp4", [scene(n) for n in range(100)]).read_bytes()
    share, count = grown(tmp_path / "late.mp4", whole, EVERYTHING)
    assert (share, count) == (1.0, 100)


def test_an_hour_of_a_still_picture_takes_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "hour.mkv", (scene(1, 64, 48) for _ in range(3600)), fps=1, gop=600)
    report = VideoReport()
    for sample in samples(path, report=report):
        assert sample.index == report.decoded - 1  # nothing is read ahead
    assert report.analysed == pytest.approx(1800, abs=5)
    assert len(report.windows) == 300


def test_six_hours_at_a_picture_a_minute(tmp_path: Path) -> None:
    pictures = (scene(number // 60, 64, 48) for number in range(360))
    path = write(tmp_path / "day.mkv", pictures, fps=Fraction(1, 60), gop=60)
    found, report = read(path, VideoSettings(skip_repeated=False, refresh=0))
    assert (report.decoded, report.damaged, report.mended_times) == (360, 0, 0)
    assert [sample.time for sample in found if sample.reuse_of is None] == [
        3600.0 * hour for hour in range(6)
    ]
    assert report.seconds == pytest.approx(6 * 3600, abs=61)
    assert not report.cut_off


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in ({"fps": -1.0}, {"overlap_seconds": 10.0}, {"longest_side": 5}, {"threshold": 300}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            VideoSettings(**wrong)


def test_av_is_not_told_of_files_beside_the_one_it_was_given(tmp_path: Path) -> None:
    """The allow-list is what FFmpeg calls its readers: a name that it does not know would allow nothing."""
    from batch.video.container import FORMATS

    known = {name for each in av.formats_available for name in each.split(",")}
    assert set(FORMATS.split(",")) - known <= {"live_flv"}
