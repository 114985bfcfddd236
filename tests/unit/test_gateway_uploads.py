"""What is made of uploads before anything is computed: names, kinds, arrivals, pictures that are kept."""

import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch import reasons
from batch.arrivals import STALLED_SECONDS, Arrivals
from batch.inputs.found import Found
from batch.kept_frames import FrameKeeper, KeptFrame, kept_frame, nearest
from contract.failures import FailureReason
from gateway.jobs import kinds
from gateway.jobs.names import clean_path, metadata, numbered
from gateway.jobs.remedies import REMEDIES, what_to_do
from tests.helpers.images import astronaut, jpeg


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.jpg", "a.jpg"),
        ("photos/2024/a.jpg", "photos/2024/a.jpg"),
        ("..\\..\\a.jpg", "a.jpg"),
        ("/etc/passwd", "etc/passwd"),
        ("./../. /x", "x"),
        ("a\x00b\n.jpg", "a\ufffdb\ufffd.jpg"),
        ("", "unnamed"),
        ("...", "unnamed"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
    ],
)
def test_a_name_becomes_a_path_that_leads_nowhere_else(name: str, path: str) -> None:
    assert clean_path(name) == path


@given(st.text(max_size=300), st.integers(1, 10_000))
def test_whatever_it_is_called_a_disk_takes_it(name: str, number: int) -> None:
    path = numbered(clean_path(name), number)
    parts = path.split("/")
    assert all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
    assert path.isprintable()
    assert not os.path.isabs(path)


def test_the_second_of_a_name_gets_a_number() -> None:
    assert numbered("a/b.jpg", 1) == "a/b.jpg"
    assert numbered("a/b.jpg", 2) == "a/b (2).jpg"
    assert numbered("a.b/c", 3) == "a.b/c (3)"
    assert numbered(".hidden", 2) == ".hidden (2)"


def test_metadata_are_names_with_base64() -> None:
    assert metadata("filename YS5qcGc=,type aW1hZ2U=,empty") == {
        "filename": "a.jpg",
        "type": "image",
        "empty": "",
    }
    assert metadata("") == {}
    with pytest.raises(ValueError, match="filename is not base64"):
        metadata("filename a.jpg")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "picture"),
        (b"RIFF\x10\0\0\0AVI LIST", "video"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x14ftypqt  ", "video"),
        (b"\0\0\0\x20ftypheic", None),
        (b"\0\0\0\x20ftypavif", None),
        (b"\x1a\x45\xdf\xa3", "video"),
        (b"FLV\x01\x05", "video"),
        (b"\x47" + b"\0" * 187 + b"\x47", "video"),
        (b"GIF89a", None),
        (b"%PDF-1.7", None),
        ((b"\0\0\0\0\x47" + bytes(187)) * 2, "video"),
        (b"", None),
    ],
)
def test_first_bytes_tell_the_kind(head: bytes, kind: str | None) -> None:
    assert kinds.kind_of(head) == kind


def test_what_is_not_taken_is_named() -> None:
    assert "it is PDF" in kinds.refusal(b"%PDF-1.7")
    assert "it is text; JPEG" in kinds.refusal(b"hello")
    assert "it is text" in kinds.refusal(("Grüße " * 80).encode()[: kinds.ENOUGH - 1])
    assert "begins like no picture" in kinds.refusal(b"\x00\x01\x02\xff" * 100)
    for packed in (b"PK\x03\x04\x14", b"\x1f\x8b\x08\x00", b"x" * 257 + b"ustar"):
        assert "it is an archive: unpack it" in kinds.refusal(packed)


def test_every_reason_has_a_remedy() -> None:
    video = ("not_a_video", "no_video", "no_frames", "too_many_pixels")
    ours = {value for name, value in vars(reasons).items() if name.isupper()}
    archives = {reasons.CORRUPT_ARCHIVE, reasons.ENCRYPTED, reasons.ARCHIVE_BOMB, reasons.NOT_A_FILE}
    for reason in (ours - archives) | set(video) | {FailureReason.NOT_AN_IMAGE, FailureReason.CRASHED}:
        assert reason in REMEDIES, reason
    assert what_to_do("never heard of")


# --- arrivals ------------------------------------------------------------------------------------------------


def test_arrivals_are_taken_once_until_nothing_more_comes(tmp_path: Path) -> None:
    arrivals = Arrivals(tmp_path)
    assert arrivals.take(0) == []
    arrivals.arrive(Found(b"a"), finished=True)
    arrivals.arrive(Found(b"b"), finished=True)
    assert arrivals.take(0) == [Found(b"a"), Found(b"b")]
    arrivals.arrive(Found(b"c"), finished=True)
    arrivals.complete()
    assert arrivals.take(0) == [Found(b"c")]
    assert arrivals.take(0) is None


def test_whoever_waits_hears_of_an_arrival(tmp_path: Path) -> None:
    arrivals = Arrivals(tmp_path)
    taken: list[list[Found] | None] = []
    thread = threading.Thread(target=lambda: taken.append(arrivals.take(20)))
    thread.start()
    arrivals.arrive(Found(b"a"), finished=True)
    thread.join(10)
    assert taken == [[Found(b"a")]]


def test_a_file_that_does_not_grow_is_put_aside_until_it_does(tmp_path: Path) -> None:
    now = 1000.0
    arrivals = Arrivals(tmp_path, lambda: now)
    (tmp_path / "a").write_bytes(b"x")
    os.utime(tmp_path / "a", (now, now))
    arrivals.arrive(Found(b"a"), finished=False)
    assert arrivals.growing(b"a")
    assert not arrivals.stalled(b"a")
    now += STALLED_SECONDS + 1
    assert arrivals.stalled(b"a")
    os.utime(tmp_path / "a", (now, now))
    assert not arrivals.stalled(b"a")
    arrivals.finish(b"a")
    now += 1000
    assert not arrivals.growing(b"a")
    assert not arrivals.stalled(b"a")


def test_the_beginning_that_is_heard_of_last_changes_nothing(tmp_path: Path) -> None:
    arrivals = Arrivals(tmp_path)
    arrivals.finish(b"a")
    arrivals.arrive(Found(b"a"), finished=False)
    assert not arrivals.growing(b"a")
    arrivals.withdraw(b"b", "it was cancelled")
    assert arrivals.withdrawn(b"b") == "it was cancelled"
    assert arrivals.withdrawn(b"a") is None


# --- pictures that are kept ----------------------------------------------------------------------------------


def kept(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "7"))


def test_of_each_second_the_best_picture_is_kept(tmp_path: Path) -> None:
    keeper = FrameKeeper(tmp_path)
    keeper.offer(7, KeptFrame(0, 0.0), b"nobody", 0, 0.0)
    assert kept(tmp_path) == ["000000000000-0.jpg"]
    keeper.offer(7, KeptFrame(30, 1.0), b"nobody either", 0, 0.0)
    keeper.offer(7, KeptFrame(40, 1.2), b"one", 1, 0.6)
    keeper.offer(7, KeptFrame(41, 1.3), b"surer", 1, 0.9)
    keeper.offer(7, KeptFrame(42, 1.4), b"less sure", 1, 0.7)
    assert kept(tmp_path) == ["000000000000-0.jpg", "000000001300-41.jpg"]
    assert (tmp_path / "7/000000001300-41.jpg").read_bytes() == b"surer"
    # Another run keeps what there is.
    again = FrameKeeper(tmp_path)
    again.offer(7, KeptFrame(43, 1.5), b"two", 2, 0.9)
    again.offer(7, KeptFrame(70, 2.5), b"later", 1, 0.9)
    assert kept(tmp_path) == ["000000000000-0.jpg", "000000001300-41.jpg", "000000002500-70.jpg"]


def test_the_nearest_picture_is_found() -> None:
    frames = [KeptFrame(0, 0.0), KeptFrame(40, 1.3), KeptFrame(70, 2.5)]
    assert [kept_frame(each.name) for each in frames] == frames
    assert kept_frame("x.jpg") is None
    assert kept_frame(".new") is None
    assert nearest(frames, 0.7) == frames[1]
    assert nearest(frames, 99.0) == frames[2]
    assert nearest([], 1.0) is None


def test_a_face_is_in_its_webp_too(tmp_path: Path) -> None:
    from batch.inputs.loading import is_webp

    webp = cv2.imencode(".webp", astronaut())[1].tobytes()
    assert is_webp(webp)
    assert not is_webp(jpeg(astronaut()))
    assert kinds.kind_of(webp) == "picture"
    assert np.frombuffer(webp, np.uint8).size
