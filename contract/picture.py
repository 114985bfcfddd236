"""How large a picture will be, from its header alone: before a small file can become gigabytes of pixels. Pure."""

import struct

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_SCAN = 0xDA
_TABLES = (0xC4, 0xC8, 0xCC)  # among the markers of frames (SOF), but none


class PictureError(ValueError):
    """Bytes that are no usable JPEG or PNG."""


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a JPEG (ITU-T T.81, B.2.2) or PNG (RFC 2083, 4.1.1).

    EXIF orientation is not considered. Raises PictureError if the bytes are neither, or end too soon.
    """
    if data.startswith(PNG_SIGNATURE):
        if len(data) < 24 or data[12:16] != b"IHDR":
            raise PictureError("the PNG ends within its header")
        width, height = struct.unpack(">II", data[16:24])
    elif data.startswith(JPEG_SIGNATURE):
        width, height = _jpeg_size(data)
    else:
        raise PictureError("the bytes are neither JPEG nor PNG")
    if not width or not height:
        raise PictureError("the image has no pixels")
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise PictureError("the JPEG's header is corrupt")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _TABLES:  # a start of frame
            if position + 9 > len(data):
                break
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            position += 2
            continue
        if marker == _SCAN:
            break
        position += 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
    raise PictureError("the JPEG ends before its size")
