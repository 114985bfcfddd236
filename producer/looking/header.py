"""How large a picture will be, from its header alone: before a small file can become gigabytes of pixels."""

import struct

from producer.looking.unreadable import Unreadable

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {
    0xC4,
    0xC8,
    0xCC,
}  # SOF markers; the others of that range are tables
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_SCAN = 0xDA


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a JPEG (ITU-T T.81, B.2.2) or PNG (RFC 2083, 4.1.1), EXIF not considered.

    Raises Unreadable for anything else.
    """
    if data.startswith(PNG) and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
    elif data.startswith(JPEG):
        width, height = _jpeg_size(data)
    else:
        width = height = 0
    if not width or not height:
        raise Unreadable("corrupt", "the bytes are no JPEG or PNG with a size")
    return int(width), int(height)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return 0, 0
