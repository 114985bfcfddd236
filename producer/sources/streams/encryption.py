"""Takes AES-128 off the segments of an HLS playlist. FFmpeg does it, given nothing but their bytes."""

import os

import av

from producer.errors import PlaylistError


def decrypted(body: bytes, key: str, iv: str) -> bytes:
    """A whole segment without its encryption (RFC 8216 §5.2); key and IV are hexadecimal. Raises PlaylistError."""
    options = {"key": key, "iv": iv, "protocol_whitelist": "crypto,pipe", "format_whitelist": "data"}
    with os.fdopen(os.memfd_create("segment"), "w+b") as file:
        file.write(body)
        file.flush()
        file.seek(0)
        try:
            with av.open(f"crypto:pipe:{file.fileno()}", format="data", options=options) as container:
                return b"".join(bytes(packet) for packet in container.demux())
        except (av.FFmpegError, OSError, ValueError):
            raise PlaylistError("has segments that cannot be decrypted") from None
