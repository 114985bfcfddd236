"""Send one picture and wait for its own result, by RabbitMQ's direct reply-to: no queue of one's own is needed.

pip install pika
AMQP_URL=amqp://… python examples/python/request_reply.py face.jpg
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pika

DIRECT = "amq.rabbitmq.reply-to"

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
asked = str(uuid.uuid4())

replies: dict[str, bytes] = {}


def keep(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    """Keep a reply by the request that it belongs to."""
    replies[properties.correlation_id] = body


# The order matters: listen first, on the same channel, and without acknowledgements.
channel.basic_consume(DIRECT, keep, auto_ack=True)
channel.basic_publish(
    exchange="",
    routing_key="frame_queue",
    body=Path(sys.argv[1]).read_bytes(),
    properties=pika.BasicProperties(
        content_type="image/jpeg",
        headers={"timestamp": str(time.time()), "camera_id": "example"},
        reply_to=DIRECT,
        correlation_id=asked,
    ),
    mandatory=True,
)
deadline = time.monotonic() + 10
while asked not in replies:
    if time.monotonic() > deadline:
        sys.exit("no answer within 10 seconds: is the queue long, does a worker run?")
    connection.process_data_events(time_limit=1)
result = json.loads(replies[asked])
if result["status"] != "ok":  # failed: a dead letter, and what to write instead; expired: too old
    sys.exit(f"{result['status']}, {result['reason']}: {result.get('error', 'send newer frames')}")
for found in result["detections"]:
    print(
        f"{found['label']} {found['confidence']:.2f} at {found['x']},{found['y']} {found['w']}x{found['h']}"
    )
print(
    f"{len(result['detections'])} found by {result['model']} in {result['processing_seconds'] * 1000:.1f} ms"
)
connection.close()
