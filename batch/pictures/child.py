"""`python -m batch.pictures.child`: answers wishes for pictures, one after the other, confined."""

import faulthandler
import os
import signal
import sys

import cv2
import msgspec
import numpy as np

from batch.pictures.messages import LENGTH_BYTES, PictureAnswer, PictureWish, send
from runtime.confinement import confine

NICE = 10
MEMORY = 1_500_000_000
COLOUR = 255, 194, 76  # BGR: the accent of the page, --box in tokens.css
ROOM_FOR_WORDS = 320  # pixels; smaller pictures have boxes alone


def main() -> int:
    """Answer until nobody asks."""
    os.nice(NICE)
    for failed in confine(memory=MEMORY, network=False):
        print(f"the process that works on pictures is not confined by {failed}", file=sys.stderr)
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # are for whoever started it, who ends it
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(1)
    wishes, words = sys.stdin.buffer, sys.stdout.fileno()
    while len(head := wishes.read(LENGTH_BYTES)) == LENGTH_BYTES:
        wish = msgspec.msgpack.decode(wishes.read(int.from_bytes(head)), type=PictureWish)
        try:
            answer = answered(wish)
        except (cv2.error, MemoryError, ValueError):
            answer = PictureAnswer(error="the picture does not decode: it is damaged, or too large")
        send(words, answer)
    return 0


def answered(wish: PictureWish) -> PictureAnswer:
    """The picture as it is wanted, upright. Raises cv2.error, MemoryError."""
    image = cv2.imdecode(np.frombuffer(wish.picture, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return PictureAnswer(error="the picture does not decode: it is damaged, or of another format")
    scale = min(1.0, wish.width / image.shape[1]) if wish.width else 1.0
    if scale < 1:
        size = wish.width, max(1, round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    line = max(1, round(max(image.shape) / 400))
    for box in wish.boxes:
        left, top, right, bottom = (
            round(each * scale) for each in (box.x, box.y, box.x + box.w, box.y + box.h)
        )
        cv2.rectangle(image, (left, top), (right, bottom), COLOUR, line)
        if image.shape[1] >= ROOM_FOR_WORDS:
            place = left, max(12, top - 4)
            cv2.putText(image, box.text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * line, COLOUR, line)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, wish.quality])
    return (
        PictureAnswer(jpeg.tobytes())
        if done
        else PictureAnswer(error="the picture cannot be written as JPEG")
    )


if __name__ == "__main__":
    sys.exit(main())
