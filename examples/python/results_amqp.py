"""Print every result of some cameras, over AMQP, from a queue of one's own.

pip install pika
AMQP_URL=amqp://… python examples/python/results_amqp.py [camera …]
"""

import json
import os
import sys
from typing import Any

import pika


def show(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    """Print one result, then acknowledge it."""
    result = json.loads(body)
    print(result["camera_id"], result["frame_id"], result["status"], len(result["detections"]), flush=True)
    channel.basic_ack(method.delivery_tag)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
# Named by the server, gone with this connection, bounded. Never consume `result_queue`: it is the history's.
queue = channel.queue_declare("", exclusive=True, arguments={"x-max-length": 10_000}).method.queue
for camera in sys.argv[1:] or ["#"]:  # the routing key is the camera; # is all of them
    channel.queue_bind(queue, exchange="results", routing_key=camera)
channel.basic_qos(prefetch_count=100)
channel.basic_consume(queue, show)
try:
    channel.start_consuming()
except KeyboardInterrupt:
    connection.close()
