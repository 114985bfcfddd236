"""The plain design, for comparison: BlockingConnection, JSON, full decode, Haar at scale 1.1 with 4 neighbours.

What every tutorial shows. It consumes `frame_queue` and publishes to `result_queue`, without confirms.
"""

import base64
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pika


def cascade() -> cv2.CascadeClassifier:
    """The frontal-face cascade that ships inside OpenCV."""
    return cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )


def boxes(classifier: cv2.CascadeClassifier, image: cv2.typing.MatLike) -> Sequence[Sequence[int]]:
    """x, y, width, height of the faces in a BGR picture."""
    return classifier.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 4)


def main() -> None:
    cv2.setNumThreads(1)
    classifier = cascade()
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=int(os.environ.get("PREFETCH", "1")))

    def received(channel, method, properties, body) -> None:  # type: ignore[no-untyped-def]
        task = json.loads(body)
        image = cv2.imdecode(np.frombuffer(base64.b64decode(task["frame"]), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        result = {
            "timestamp": time.time(),
            "node_id": "plain",
            "frame_id": task["frame_id"],
            "detections": [
                {"x": int(x), "y": int(y), "w": int(w), "h": int(h)}
                for x, y, w, h in boxes(classifier, image)
            ],
            "original_timestamp": task["timestamp"],
        }
        channel.basic_publish("", "result_queue", json.dumps(result))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("frame_queue", received)
    channel.start_consuming()


if __name__ == "__main__":
    main()
