"""Reads an HLS playlist (RFC 8216) as far as it names others, and writes it anew with whole addresses. Pure.

FFmpeg plays what is written here. Whether an address may be asked is decided when it is.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from producer.errors import PlaylistError

BEGINNING = b"#EXTM3U"
LEAD = b"\xef\xbb\xbf \t\r\n"  # a byte-order mark and blanks, which may stand before it
WEB = ("http://", "https://")
MOST_BYTES = 1024 * 1024
MOST_ADDRESSES = 10_000  # five hours of segments of two seconds
MOST_PLAYLISTS = 50  # sizes, languages, and both again for each backup
LONGEST = 2_000  # characters of an address
MOST_WRITTEN = 8 * MOST_BYTES

_URI = re.compile(r'URI="([^"]*)"')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SAFE = "%!#$&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist whose addresses are whole, and those of the further playlists that it names.

    `strange` is an address that is not of http(s), if there is one: FFmpeg leaves most of them out without a word.
    """

    text: bytes
    playlists: frozenset[str]
    strange: str | None


def is_playlist(beginning: bytes) -> bool:
    """Whether a body that begins like this is meant as a playlist."""
    return beginning.lstrip(LEAD).startswith(BEGINNING)


def read_playlist(body: bytes, base: str) -> Playlist:
    """The playlist in `body`, which came from the address `base`. Raises PlaylistError, which tells what is wrong."""
    if not is_playlist(body):
        raise PlaylistError("is not an HLS playlist: one begins with #EXTM3U")
    written: list[str] = []
    playlists: set[str] = set()
    addresses = size = 0
    variant = False
    strange = None
    for raw in body.lstrip(LEAD).decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        line = _CONTROLS.sub("", raw).strip()
        if not line:
            continue
        if not line.startswith("#"):
            line = _whole(line, base)
            addresses += 1
            strange = strange or _strange(line)
            if variant:
                playlists.add(line)
            variant = False
        elif 'URI="' in line:
            named = [_whole(each, base) for each in _URI.findall(line)]
            addresses += len(named)
            strange = strange or next(filter(None, map(_strange, named)), None)
            if line.startswith(("#EXT-X-MEDIA:", "#EXT-X-I-FRAME-STREAM-INF:")):
                playlists.update(named)
            whole = iter(named)
            line = _URI.sub(lambda _: f'URI="{next(whole)}"', line)  # noqa: B023 - used before the next turn
        if line.startswith("#EXT-X-STREAM-INF"):
            variant = True
        size += len(line) + 1
        if addresses > MOST_ADDRESSES or size > MOST_WRITTEN:
            raise PlaylistError(f"has a playlist of more than {MOST_ADDRESSES:,} addresses")
        written.append(line)
    if len(playlists) > MOST_PLAYLISTS:
        raise PlaylistError(f"has a playlist that names more than {MOST_PLAYLISTS} others")
    return Playlist("\n".join([*written, ""]).encode("ascii", "replace"), frozenset(playlists), strange)


def _strange(address: str) -> str | None:
    return None if address.lower().startswith(WEB) else address


def _whole(address: str, base: str) -> str:
    if len(address) > LONGEST:
        raise PlaylistError(f"has a playlist with an address of more than {LONGEST:,} characters")
    try:
        return quote(urljoin(base, address), safe=_SAFE)
    except ValueError:
        raise PlaylistError("has a playlist with an address that cannot be taken apart") from None
