"""What an HLS playlist names, and how it is written anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import PlaylistError
from producer.sources.streams import playlist
from producer.sources.streams.playlist import read_playlist

BASE = "https://cam.example/live/all.m3u8?token=1"
HEAD = "#EXTM3U\n"


def written(text: str) -> str:
    return read_playlist(text.encode(), BASE).text.decode()


def test_addresses_become_whole() -> None:
    text = (
        '#EXTM3U\r\n#EXT-X-KEY:METHOD=AES-128,URI="k?a=b",IV=0x1\n#EXT-X-MAP:URI="/init.mp4"\n#EXTINF:2,\n'
        "seg 1é.ts\n#EXTINF:2,\n../other/2.ts\n#EXTINF:2\n//cdn.example/3.ts\nfile:///etc/passwd\n"
    )
    assert written(text).splitlines() == [
        "#EXTM3U",
        '#EXT-X-KEY:METHOD=AES-128,URI="https://cam.example/live/k?a=b",IV=0x1',
        '#EXT-X-MAP:URI="https://cam.example/init.mp4"',
        "#EXTINF:2,",
        "https://cam.example/live/seg%201%C3%A9.ts",
        "#EXTINF:2,",
        "https://cam.example/other/2.ts",
        "#EXTINF:2",
        "https://cdn.example/3.ts",
        "file:///etc/passwd",
    ]


def test_signed_addresses_stay_as_they_are_signed() -> None:
    signed = "https://cdn.example/a%2Fb%7e/1.ts?sig=a%2Bb%3D&p=(1,2)*~"
    assert written(f"{HEAD}#EXTINF:1,\n{signed}\n").splitlines()[-1] == signed


def test_playlists_that_it_names_are_known() -> None:
    text = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="sound.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsmall.m3u8\n'
        '#EXT-X-I-FRAME-STREAM-INF:URI="frames.m3u8"\n#EXTINF:1,\n1.ts\n'
    )
    names = {each.rpartition("/")[2] for each in read_playlist(text.encode(), BASE).playlists}
    assert names == {"sound.m3u8", "small.m3u8", "frames.m3u8"}


def test_what_stands_before_the_beginning_and_between_is_left_out() -> None:
    assert written("\ufeff\r\n#EXTM3U\n\n#EXTINF:1,\x00\n1.\x07ts\x1b").endswith(
        "#EXTINF:1,\nhttps://cam.example/live/1.ts\n"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<MPD/>", "is not an HLS playlist"),
        ("ffconcat version 1.0\nfile a.ts\n", "is not an HLS playlist"),
        (HEAD + "#EXTINF:1,\na.ts\n" * 10_001, "more than 10,000 addresses"),
        (HEAD + "".join(f"#EXT-X-STREAM-INF:\n{n}.m3u8\n" for n in range(51)), "more than 50 others"),
        (HEAD + "a" * 2_001, "more than 2,000 characters"),
        (HEAD + "#EXT-X-X:" + 'URI="a",' * 10_001, "more than 10,000 addresses"),
        (HEAD + "http://[::1/x.ts\n", "cannot be taken apart"),
    ],
)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(PlaylistError, match=told):
        written(text)


def test_what_is_written_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist, "MOST_WRITTEN", 10_000)
    with pytest.raises(PlaylistError):
        read_playlist((HEAD + "a\n" * 20).encode(), "https://cam.example/" + "b" * 1_000 + "/x")


@given(st.binary(max_size=300), st.sampled_from([b"", b"#EXT-X-STREAM-INF\n", b'#EXT-X-KEY:URI="']))
def test_any_bytes_are_written_as_lines_of_printable_ascii(rest: bytes, before: bytes) -> None:
    try:
        text = read_playlist(b"#EXTM3U\n" + before + rest, BASE).text
    except PlaylistError:
        return
    for line in text.decode("ascii").splitlines():
        assert line.isprintable()
        assert line.startswith("#") or ":" in line
