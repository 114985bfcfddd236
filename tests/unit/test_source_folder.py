"""Folders of images."""

import asyncio
import os
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources import folder as folder_module
from producer.sources.folder import Folder
from tests.helpers.media import image, jpeg, png


async def read(folder: Folder, most: int = 1000) -> list[Captured | Skipped]:
    seen: list[Captured | Skipped] = []
    async with aclosing(folder.frames()) as frames:
        async for frame in frames:
            seen.append(frame)
            if len(seen) == most:
                break
    return seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two intact images, one of another format, three broken ones, and a file that is not an image."""
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.JPG").write_bytes(jpeg(2)[:-40])
    (tmp_path / "c.png").write_bytes(png(3))
    (tmp_path / "d.png").write_bytes(png(4)[:60])
    (tmp_path / "e.jpeg").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "f.bmp"), image(6))
    (tmp_path / "g.txt").write_text("not looked at")
    aged(tmp_path)
    return tmp_path


def aged(folder: Path) -> None:
    """Nobody is writing these any more."""
    for path in folder.rglob("*"):
        os.utime(path, (1_790_000_000, 1_790_000_000), follow_symlinks=False)


def names(seen: list[Captured | Skipped], folder: Path) -> list[str]:
    """The files whose bytes these frames are."""
    known = {path.read_bytes(): str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return [known[frame.picture.encoded(85).data] for frame in seen if isinstance(frame, Captured)]


async def test_in_the_order_of_names_untouched_and_around_what_is_broken(folder: Path) -> None:
    seen = await read(Folder(folder, loop=False, paced=False))
    kinds = [frame.reason if isinstance(frame, Skipped) else "ok" for frame in seen]
    assert kinds == ["passed_over", "ok", "corrupt", "ok", "corrupt", "corrupt", "ok"]
    encoded = [frame.picture.encoded(85) for frame in seen if isinstance(frame, Captured)]
    assert encoded[0].data == (folder / "a.jpg").read_bytes()
    assert encoded[1].data == (folder / "c.png").read_bytes()
    assert [e.content_type for e in encoded] == ["image/jpeg", "image/png", "image/jpeg"]
    details = [frame.detail for frame in seen if isinstance(frame, Skipped)]
    assert details.pop(0) == f"passed over in {folder}: 1 of other kinds (.txt)"
    assert all(name in detail for name, detail in zip(("b.JPG", "d.png", "e.jpeg"), details, strict=True))


async def test_it_loops_reads_anew_and_looks_again_at_a_mended_file(folder: Path) -> None:
    frames = Folder(folder, paced=False).frames()
    assert isinstance(await anext(frames), Skipped)  # told once, and not the second time round
    first = [await anext(frames) for _ in range(6)]
    (folder / "b.JPG").write_bytes(jpeg(2))
    second = [await anext(frames) for _ in range(6)]
    await frames.aclose()
    assert isinstance(first[1], Skipped)
    assert isinstance(second[1], Captured)
    assert isinstance(second[3], Skipped)


async def test_an_intact_file_is_decoded_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    decoded = Mock(wraps=cv2.imdecode)
    monkeypatch.setattr(cv2, "imdecode", decoded)
    frames = Folder(tmp_path, paced=False).frames()
    first = [await anext(frames) for _ in range(3)]
    assert decoded.call_count == 1
    (tmp_path / "a.jpg").write_bytes(jpeg(2) + b"padding")
    other = await anext(frames)
    await frames.aclose()
    assert decoded.call_count == 2
    assert isinstance(other, Captured)
    assert other.picture.encoded(85).data == jpeg(2)
    assert [f.picture.encoded(85).data for f in first if isinstance(f, Captured)] == [jpeg(1)] * 3


async def test_it_is_paced(folder: Path) -> None:
    began = time.monotonic()
    await read(Folder(folder, fps=50, loop=False))
    assert time.monotonic() - began >= 0.09


async def test_a_single_image_is_a_folder_of_one(folder: Path) -> None:
    assert len(await read(Folder(folder / "a.jpg", fps=100), most=3)) == 3


async def test_a_folder_without_a_good_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no image"):
        await read(Folder(tmp_path))
    with pytest.raises(SourceError, match="does not exist"):
        await read(Folder(tmp_path / "absent"))
    (tmp_path / "x.jpg").write_bytes(b"rubbish")
    aged(tmp_path)
    with pytest.raises(SourceError, match="none of the images"):
        await read(Folder(tmp_path, paced=False))


async def test_by_date_and_in_every_spelling(tmp_path: Path) -> None:
    """Folders in folders, in the order of all their names."""
    for number, name in enumerate(
        ("2026-11-02/08/a.JPG", "2026-11-01/b.jfif", "2026-11-10/c.JPEG", "d.jpe", "2026-11-02/z.Png")
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number) if name.endswith("Png") else jpeg(number))
    seen = await read(Folder(tmp_path, loop=False, paced=False))
    assert names(seen, tmp_path) == [
        "2026-11-01/b.jfif", "2026-11-02/08/a.JPG", "2026-11-02/z.Png", "2026-11-10/c.JPEG", "d.jpe",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".webp", ".WEBP", ".bmp", ".tiff", ".jp2", ".avif"])
async def test_other_kinds_are_sent_as_jpeg(tmp_path: Path, suffix: str) -> None:
    ok, data = cv2.imencode(suffix.lower(), image(3))
    assert ok
    (tmp_path / f"a{suffix}").write_bytes(data.tobytes())
    (frame,) = await read(Folder(tmp_path, loop=False, paced=False))
    assert isinstance(frame, Captured)
    encoded = frame.picture.encoded(90)
    assert encoded.content_type == "image/jpeg"
    back = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert np.abs(back.astype(int) - image(3)).mean() < 8


async def test_what_is_passed_over_is_told_once_with_numbers_by_reason(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for name in (
        "a.jpg",
        ".DS_Store",
        "._a.jpg",
        ".thumbnails/a.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        "sub/@eaDir/b.jpg",
        "__MACOSX/c.jpg",
        "Thumbs.db",
        "film.mp4",
        "a.jpg.part",
        "README",
    ):
        path = pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(1))
    (pictures / "sub" / "again").symlink_to(pictures)
    (pictures / "itself.jpg").symlink_to("itself.jpg")
    (pictures / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(pictures / "pipe.jpg")
    seen = await read(Folder(pictures, paced=False), most=4)
    told, *frames = seen
    assert told == Skipped(
        "passed_over",
        f"passed over in {pictures}: 3 hidden, 3 in folders of the system, 1 links to where it was already, "
        "1 no files, 4 of other kinds (.db, .mp4, .part, without an ending), 2 unreadable",
        count=0,
    )
    assert all(isinstance(frame, Captured) for frame in frames)  # told once


async def test_links_are_followed_and_each_folder_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.jpg").write_bytes(jpeg(1))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("one", "two"):
        (pictures / name).symlink_to(tmp_path / "disk")
    frames = [f for f in await read(Folder(pictures, loop=False, paced=False)) if isinstance(f, Captured)]
    assert len(frames) == 1


async def test_names_of_any_bytes_can_be_told(tmp_path: Path) -> None:
    for name in (b"caf\xe9.jpg", b"line\nbreak\x1b[31m.jpg"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"rubbish")
    (tmp_path / "good.jpg").write_bytes(jpeg(1))
    aged(tmp_path)
    seen = await read(Folder(tmp_path, loop=False, paced=False))
    details = [frame.detail for frame in seen if isinstance(frame, Skipped)]
    assert [detail.split(" is not an image")[0] for detail in details] == [
        "caf\ufffd.jpg",
        "line\ufffdbreak\ufffd[31m.jpg",
    ]
    assert all(detail.isprintable() and detail.encode() for detail in details)


async def test_an_empty_folder_is_looked_at_again_until_it_has_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.01)
    pictures = tmp_path / "not" / "yet"
    source = Folder(pictures)
    assert source.retries
    for _ in range(folder_module.TELL):
        with pytest.raises(SourceError, match=r"does not exist: .*looked at again every second"):
            await read(source)
    waiting = asyncio.create_task(read(source, most=1))  # silently now
    pictures.mkdir(parents=True)
    with pytest.raises(SourceError, match=r"holds no image .*looked at again every second"):
        await waiting  # something else: told
    (pictures / "film.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"holds no image .*passed over: 1 of other kinds \(\.mp4\)"):
        await read(source)
    for _ in range(folder_module.TELL - 1):
        with pytest.raises(SourceError):
            await read(source)
    waiting = asyncio.create_task(read(source, most=2))
    (pictures / "a.jpg").write_bytes(jpeg(1))
    (_, frame) = await waiting
    assert isinstance(frame, Captured)


async def test_with_an_end_a_folder_that_is_not_there_is_final(tmp_path: Path) -> None:
    assert not Folder(tmp_path / "absent", loop=False).retries


async def test_an_image_that_is_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.01)
    (tmp_path / "a.jpg").write_bytes(jpeg(1)[:100])
    (tmp_path / "b.jpg").write_bytes(jpeg(2))
    frames = Folder(tmp_path, loop=False, paced=False).frames()
    first = await anext(frames)
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    second = await anext(frames)
    await frames.aclose()
    assert names([first, second], tmp_path) == ["b.jpg", "a.jpg"]


async def test_new_images_come_before_the_round_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "LIST_SECONDS", 0.0)
    monkeypatch.setattr(folder_module, "LIST_SHARE", 0)
    for name in ("a", "c", "e"):
        (tmp_path / f"{name}.jpg").write_bytes(jpeg(ord(name)))
    frames = Folder(tmp_path, loop=False, paced=False).frames()
    seen = [await anext(frames), await anext(frames)]
    (tmp_path / "b.jpg").write_bytes(jpeg(ord("b")))  # its turn is over
    (tmp_path / "d.jpg").write_bytes(jpeg(ord("d")))
    seen += [frame async for frame in frames]
    assert names(seen, tmp_path) == ["a.jpg", "c.jpg", "d.jpg", "e.jpg"]


async def test_what_a_decoder_raises_costs_that_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.bmp").write_bytes(png(1))
    (tmp_path / "b.jpg").write_bytes(jpeg(2))
    aged(tmp_path)
    honest = cv2.imdecode

    def imdecode(data: Any, flags: int) -> Any:
        if bytes(data[:4]) == b"\x89PNG":
            raise cv2.error("OpenCV: pixels <= CV_IO_MAX_IMAGE_PIXELS")
        return honest(data, flags)

    monkeypatch.setattr(cv2, "imdecode", imdecode)
    seen = await read(Folder(tmp_path, loop=False, paced=False))
    assert [type(frame) for frame in seen] == [Skipped, Captured]


async def test_what_is_neither_an_image_nor_a_folder_is_told_as_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(SourceError, match="is a named pipe"):
        await read(Folder(tmp_path / "pipe.jpg"))
