"""Pictures that cannot be decoded, and why."""

import re
import struct

from contract.picture import PictureError, picture_size
from producer.errors import Undecodable


def undecodable(data: bytes) -> Undecodable:
    """Say why a picture did not decode, as far as its header explains it (ITU-T T.81, B.2.2)."""
    try:
        width, height = picture_size(data)
    except PictureError as error:
        return Undecodable("corrupt", str(error))
    # With the picture's own size: a thumbnail has a header too.
    frame = re.search(
        rb"\xff([\xc0-\xcf])..(.)" + re.escape(struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)),
        data,
        re.DOTALL,
    )
    if data.startswith(b"\xff\xd8") and frame is not None:
        process, bits = frame[1][0], frame[2][0]
        if process & 3 == 3:
            return Undecodable(
                "corrupt", "lossless JPEG cannot be decoded here: set baseline JPEG in the camera"
            )
        if bits != 8:
            return Undecodable(
                "corrupt", f"JPEG of {bits} bits a sample cannot be decoded here: set 8 bits in the camera"
            )
        if process > 0xC2:
            return Undecodable(
                "corrupt", "JPEG of an unusual kind (hierarchical or arithmetic) cannot be decoded here"
            )
    return Undecodable("corrupt", "the picture is damaged: it does not decode")
