"""Send one picture as a JSON task, the form that every AMQP client can write.

pip install pika
AMQP_URL=amqp://… python examples/python/send_json.py face.jpg [camera]
"""

import base64
import json
import os
import sys
import time
from pathlib import Path

import pika

picture = Path(sys.argv[1]).read_bytes()
camera = sys.argv[2] if len(sys.argv) > 2 else "example"
task = {
    "frame": base64.b64encode(picture).decode(),  # a JPEG or PNG as it is
    "timestamp": time.time(),  # when it was captured: live frames older than two seconds are not computed
    "camera_id": camera,
}

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()  # basic_publish then returns once the broker has it on disk
# No queue_declare: frame_queue is there already, with arguments of its own.
channel.basic_publish(
    exchange="",
    routing_key="frame_queue",
    body=json.dumps(task),
    properties=pika.BasicProperties(content_type="application/json"),
    mandatory=True,  # UnroutableError instead of silence if there is no such queue; NackError if it is full
)
connection.close()
print("confirmed")
