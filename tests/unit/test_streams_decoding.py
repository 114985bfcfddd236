"""Decoding itself, without a process around it: sizes, turned pictures, keyframes only, what is broken."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from producer.errors import SourceError
from producer.frames import Image, Skipped
from producer.sources.streams import decoder, failures
from producer.sources.streams.decoder import Decoded, decode, encoded
from producer.sources.streams.failures import failure, open_failure
from producer.sources.streams.keyframes import Keyframes
from producer.sources.streams.messages import DecodeRequest
from tests.helpers.media import write_video


def request(path: Path) -> DecodeRequest:
    return DecodeRequest(url=f"file:{path}", shown=path.name)


def pictures(path: Path, keyframes: Keyframes | None = None) -> list[Image]:
    jpegs = [
        encoded(item.frame, path.name, 95)
        for item in decode(request(path), keyframes or Keyframes())
        if isinstance(item, Decoded)
    ]
    return [np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1), np.uint8) for jpeg in jpegs]


def colour(n: int) -> tuple[int, int, int]:
    return (37 * n) % 200, (91 * n) % 200, 80


def h264(path: Path, frames: int, gop: int, bframes: int = 2) -> Path:
    """25 frames a second, one colour each."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": str(bframes), "g": str(gop), "sc_threshold": "0", "crf": "10"}
        for n in range(frames):
            image = np.full((48, 64, 3), colour(n), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def test_keyframes_only_decodes_a_fraction_and_none_of_them_comes_late(tmp_path: Path) -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    seen: list[int | None] = []  # numbers of frames, None for one left out
    for item in decode(request(h264(tmp_path / "v.mp4", 100, 10)), keyframes):
        if isinstance(item, Skipped):
            assert item.reason == "idle"
            seen.append(None)
        else:
            seen.append(round(item.media * 25))
            image = item.frame.to_ndarray(format="bgr24")
            assert np.abs(image.mean(axis=(0, 1)) - colour(seen[-1] or 0)).max() < 15
    # Frames refer to later ones here, so the decoder holds some back: a keyframe comes out before the next goes in.
    assert seen[-20:] == [80, *[None] * 9, 90, *[None] * 9]
    assert seen.count(None) > 75


def test_after_keyframes_only_every_picture_is_whole(tmp_path: Path) -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    seen = []
    for item in decode(request(h264(tmp_path / "v.mp4", 100, 10, bframes=0)), keyframes):
        if isinstance(item, Decoded):
            media = round(item.media * 25)
            image = item.frame.to_ndarray(format="bgr24")
            assert np.abs(image.mean(axis=(0, 1)) - colour(media)).max() < 15
            seen.append(media)
            if media == 50:
                keyframes.asked = False
    assert seen[-40:] == list(range(60, 100))


def test_the_size_may_change_on_the_way(tmp_path: Path) -> None:
    small = write_video(tmp_path / "a.ts", frames=5, codec="mpeg2video").read_bytes()
    large = tmp_path / "b.ts"
    with av.open(str(large), "w") as container:
        stream = container.add_stream("mpeg2video", rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for _ in range(5):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((96, 128, 3), np.uint8), "bgr24"))
            )
        container.mux(stream.encode())
    both = tmp_path / "both.ts"
    both.write_bytes(small + large.read_bytes() + small)
    sizes = [image.shape for image in pictures(both)]
    assert sizes[0] == sizes[-1] == (48, 64, 3)
    assert sizes.count((96, 128, 3)) >= 4


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_picture_that_lies_down_is_put_upright(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    """Mirrored: as the front cameras of telephones record."""
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32] = 255  # top left
    stored = upright[:, ::-1] if mirrored else upright  # turned first, then mirrored
    lying = np.ascontiguousarray(np.rot90(stored, -degrees // 90))
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = lying.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(degrees, hflip=mirrored)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(lying, format="bgr24")))
        container.mux(stream.encode())
    image = pictures(path)[0]
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).mean() < 10


def test_of_several_videos_the_smallest_that_is_large_enough(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    sizes = [(1280, 720), (320, 240), (640, 480)]
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in sizes]
        for stream, (width, height) in zip(streams, sizes, strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(4):
            for stream, (width, height) in zip(streams, sizes, strict=True):
                image = np.zeros((height, width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        for stream in streams:
            container.mux(stream.encode())
    assert [image.shape for image in pictures(path)] == [(480, 640, 3)] * 4


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(SourceError) as raised:
        pictures(path)
    assert raised.value.reason == "no_video"


def test_a_picture_of_unreasonable_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "v.mkv", frames=3)
    item = next(item for item in decode(request(path), Keyframes()) if isinstance(item, Decoded))
    monkeypatch.setattr(decoder, "MAX_PIXELS", 1_000)
    with pytest.raises(SourceError, match="64x48") as at_once:
        pictures(path)
    with pytest.raises(SourceError) as later:  # one that changed its size on the way
        encoded(item.frame, "v", 85)
    assert at_once.value.reason == later.value.reason == "too_many_pixels"


def test_a_stream_of_rubbish_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", frames=300, codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [i for i in range(len(data) - 1) if data[i : i + 3] == b"\xff\xd8\xff"]
    for at in starts[3:]:
        data[at : at + 600] = bytes(600)
    path.write_bytes(data)
    seen: list[Decoded | Skipped] = []
    with pytest.raises(SourceError) as raised:
        seen.extend(decode(request(path), Keyframes()))
    assert raised.value.reason == "corrupt"
    assert sum(isinstance(item, Skipped) for item in seen) == decoder.CORRUPT_IN_A_ROW - 1


def test_a_playlist_that_calls_itself_a_video_reaches_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n")
    with pytest.raises(SourceError) as raised:
        list(
            decode(
                DecodeRequest(url=f"file:{path}", shown="v.mkv", options={"protocol_whitelist": "file"}),
                Keyframes(),
            )
        )
    assert raised.value.reason in ("not_a_video", "protocol")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (av.error.TimeoutError(110, "x"), "timeout"),
        (av.error.HTTPForbiddenError(1, "x"), "unauthorised"),
        (av.error.HTTPOtherClientError(1, "x"), "http_4xx"),
        (av.error.HTTPServerError(1, "x"), "http_5xx"),
        (av.error.ConnectionResetError(104, "x"), "closed"),
        (av.error.PermissionError(13, "x"), "forbidden"),
        (OSError(113, "No route to host"), "unreachable"),
        (OSError(5, "Input/output error"), "io_error"),
        (MemoryError(), "memory"),
    ],
)
def test_errors_have_their_word(error: Exception, reason: str) -> None:
    failed = failure(error, "rtsp://h/s")
    assert failed.reason == reason
    assert "rtsp://h/s" in str(failed)


def test_a_host_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(5, "Input/output error")
    stream, file = (
        DecodeRequest(url="rtsp://h/s", shown="rtsp://h/s"),
        DecodeRequest(url="file:/a", shown="a"),
    )
    monkeypatch.setattr(failures, "ask", lambda url: None)
    monkeypatch.setattr(failures, "_known", lambda url: False)
    assert open_failure(error, stream).reason == "dns"
    assert open_failure(error, file).reason == "io_error"
    monkeypatch.setattr(failures, "_known", lambda url: True)
    assert open_failure(error, stream).reason == "io_error"
