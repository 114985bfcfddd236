"""Files through RabbitMQ as a careful script does it, for comparison: no books, no retries, no metrics.

`python -m bench.plain_job DETECTOR` is its worker. Quorum queues, persistent messages, confirms, prefetch 1, and an
acknowledgement after the answer is confirmed: what durability costs without anything of ours.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pika
from pika.adapters.blocking_connection import BlockingChannel

from worker.detection import decode
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard

TASKS, ANSWERS = "plain.tasks", "plain.answers"
PERSISTENT = 2


def load(detector: str) -> Callable[[bytes], int]:
    """What computes one picture, as a worker does."""
    switchboard = Switchboard(WorkerSettings(detector=detector), substituted=lambda: None)
    chosen = switchboard.choose(None, "c")
    return lambda data: len(chosen.detect(decode(data, chosen.wants, max_pixels=50_000_000)))


def plain_job(url: str, files: Sequence[Path], window: int) -> float:
    """Seconds until every file is answered, at most `window` under way at once."""
    places, unanswered = threading.Semaphore(window), len(files)
    began = time.monotonic()

    def send() -> None:
        channel = _channel(url)
        for file in files:
            places.acquire()
            _publish(channel, TASKS, str(file), file.read_bytes())
        channel.connection.close()

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    channel = _channel(url)
    for method, _, _ in channel.consume(ANSWERS, inactivity_timeout=None):
        assert method is not None
        channel.basic_ack(method.delivery_tag)
        places.release()
        unanswered -= 1
        if not unanswered:
            break
    channel.connection.close()
    sending.join()
    return time.monotonic() - began


def main() -> None:
    """Answer until killed."""
    detect = load(sys.argv[1])
    channel = _channel(os.environ["AMQP_URL"])
    channel.basic_qos(prefetch_count=1)
    for method, properties, body in channel.consume(TASKS):
        assert method is not None
        assert properties is not None
        _publish(channel, ANSWERS, properties.message_id or "", json.dumps({"faces": detect(body)}).encode())
        channel.basic_ack(method.delivery_tag)


def _channel(url: str) -> BlockingChannel:
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()
    for queue in (TASKS, ANSWERS):
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    return channel


def _publish(channel: BlockingChannel, queue: str, name: str, body: bytes) -> None:
    """Returns when it is confirmed."""
    properties = pika.BasicProperties(message_id=name, delivery_mode=PERSISTENT)
    channel.basic_publish("", queue, body, properties)


if __name__ == "__main__":
    main()
