"""A video that is read in a confined process: the same samples, and what a bad one costs."""

import os
import signal
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from batch.video.errors import VideoError
from batch.video.process import confined_samples
from batch.video.report import VideoReport
from batch.video.samples import samples
from batch.video.settings import VideoSettings
from tests.faults.patched import patch
from tests.helpers.videos import scene, write


def children() -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process().children()
        if each.status() != psutil.STATUS_ZOMBIE and "batch.video.child" in each.cmdline()
    ]


def test_its_samples_are_those_of_this_process_with_pictures_as_jpeg(tmp_path: Path) -> None:
    path = write(tmp_path / "video.mp4", [scene(n) for n in (1, 1, 2, 3, 1)])
    reports: list[VideoReport] = []
    settings = VideoSettings(windows="scene")
    found = list(confined_samples(path, settings, counted=reports.append))
    here = list(samples(path, settings, report := VideoReport()))
    assert [(f.index, f.time, f.windows, f.why, f.reuse_of, f.size) for f in found] == [
        (h.index, h.time, h.windows, h.why, h.reuse_of, h.size) for h in here
    ]
    assert reports == [report]
    for one in found:
        assert (one.jpeg is None) == (one.reuse_of is not None)
        if one.jpeg is not None:
            image = cv2.imdecode(np.frombuffer(one.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            assert image.shape == (one.height, one.width, 3)
    assert not children()


def test_what_is_no_video_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video" * 1000)
    with pytest.raises(VideoError, match=r"text\.mp4 is not a video") as raised:
        list(confined_samples(tmp_path / "text.mp4"))
    assert raised.value.reason == "not_a_video"
    assert not children()


def test_one_that_is_left_leaves_no_process(tmp_path: Path) -> None:
    path = write(tmp_path / "video.mp4", (scene(n) for n in range(300)))
    some = confined_samples(path)
    assert next(some).index == 0
    assert children()
    some.close()
    assert not children()


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGSEGV, "crashed"), (signal.SIGKILL, "memory")])
def test_a_crash_costs_this_video(tmp_path: Path, number: int, reason: str) -> None:
    path = write(tmp_path / "video.mp4", (scene(n) for n in range(2000)))
    some = confined_samples(path)
    next(some)
    os.kill(children()[0].pid, number)
    with pytest.raises(VideoError) as raised:
        list(some)
    assert raised.value.reason == reason


def test_a_library_that_raises_costs_this_video_and_is_not_called_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyAV did in the images, whose Python had another major version of it."""
    raising = patch(tmp_path / "raising", "import av\n\nav.open = lambda path: None")
    monkeypatch.setenv("PYTHONPATH", raising["PYTHONPATH"])
    with pytest.raises(VideoError, match=r"^video\.mp4 could not be read \(TypeError: .*keyword") as raised:
        list(confined_samples(write(tmp_path / "video.mp4", [scene(1)])))
    assert raised.value.reason == "reader_failed"
    assert not children()


def test_one_that_hangs_is_given_up(tmp_path: Path) -> None:
    path = write(tmp_path / "video.mp4", (scene(n) for n in range(2000)))
    some = confined_samples(path, stuck_seconds=20)
    next(some)
    [child] = children()
    child.suspend()
    with pytest.raises(VideoError, match="hang") as raised:
        list(some)
    assert raised.value.reason == "stuck"
    assert not children()


def test_an_upload_that_pauses_is_waited_for(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mkv", (scene(n) for n in range(100))).read_bytes()
    path, over = tmp_path / "upload.mkv", threading.Event()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    found = confined_samples(path, finished=over.is_set, stuck_seconds=20)
    first = next(found)  # before its end
    assert first.jpeg is not None
    got = [first]
    began = time.monotonic()

    def rest() -> None:
        with path.open("ab") as file:
            file.write(whole[len(whole) * 3 // 4 :])
        over.set()

    pause = threading.Timer(2.0, rest)
    pause.start()
    got += found
    pause.join()
    assert len(got) == 100
    assert time.monotonic() - began >= 2
