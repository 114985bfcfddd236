"""Send pictures in the compact form: the picture is the body, the rest is in the headers. No base64, no JSON.

pip install pika
AMQP_URL=amqp://… python examples/python/send_compact.py camera one.jpg two.png …
"""

import os
import sys
import time
from pathlib import Path

import pika

camera, *pictures = sys.argv[1:]
started = time.time()

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()
for number, picture in enumerate(map(Path, pictures)):
    channel.basic_publish(
        exchange="",
        routing_key="frame_queue",
        body=picture.read_bytes(),
        properties=pika.BasicProperties(
            content_type="image/png" if picture.suffix == ".png" else "image/jpeg",
            headers={
                "timestamp": str(time.time()),  # as text: every client writes it without loss
                "camera_id": camera,
                # Names this frame for ever, over all cameras and restarts. May be left out.
                "frame_id": f"{camera}:{started:.0f}:{number}",
            },
        ),
        mandatory=True,
    )
connection.close()
print(f"{len(pictures)} confirmed")
