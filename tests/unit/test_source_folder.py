"""Folders of images."""

import time
from contextlib import aclosing
from pathlib import Path
from unittest.mock import Mock

import cv2
import pytest

from producer.frames import Captured, Skipped, SourceError
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
    """Two intact images, one of another format, three broken ones, and a file that is no image."""
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.JPG").write_bytes(jpeg(2)[:-40])
    (tmp_path / "c.png").write_bytes(png(3))
    (tmp_path / "d.png").write_bytes(png(4)[:60])
    (tmp_path / "e.jpeg").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "f.bmp"), image(6))
    (tmp_path / "g.txt").write_text("not looked at")
    return tmp_path


async def test_in_the_order_of_names_untouched_and_around_what_is_broken(folder: Path) -> None:
    seen = await read(Folder(folder, loop=False, paced=False))
    kinds = [frame.reason if isinstance(frame, Skipped) else "ok" for frame in seen]
    assert kinds == ["ok", "corrupt", "ok", "corrupt", "corrupt", "ok"]
    encoded = [frame.picture.encoded(85) for frame in seen if isinstance(frame, Captured)]
    assert encoded[0].data == (folder / "a.jpg").read_bytes()
    assert encoded[1].data == (folder / "c.png").read_bytes()
    assert [e.content_type for e in encoded] == ["image/jpeg", "image/png", "image/jpeg"]
    details = [frame.detail for frame in seen if isinstance(frame, Skipped)]
    assert all(name in detail for name, detail in zip(("b.JPG", "d.png", "e.jpeg"), details, strict=True))


async def test_it_loops_reads_anew_and_looks_again_at_a_mended_file(folder: Path) -> None:
    frames = Folder(folder, paced=False).frames()
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
    with pytest.raises(SourceError, match="none of the images"):
        await read(Folder(tmp_path, paced=False))
