"""A worker that computes nothing: our AMQP client's share of a frame.

It consumes `frame_queue`, publishes a result of the usual size, waits for its confirm and acknowledges, on a
thread of its own, as a worker does (docs/guarantees.md).
"""

import os
import queue
import signal

from bench.command import quiet
from broker import Delivery, Link, Message, Outcome, ThreadLoop
from contract.topology import RESULTS_EXCHANGE, TASK_QUEUE

RESULT = b"." * 420
"""As long as a result with one face."""


def main() -> None:
    quiet()
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.put(None))
    loop = ThreadLoop(lambda _reason: ended.put(None))
    link = Link(loop, [os.environ["AMQP_URL"]], "bench")
    publisher = link.publisher()

    def received(delivery: Delivery) -> None:
        def done(outcome: Outcome) -> None:
            assert outcome is Outcome.CONFIRMED, outcome
            delivery.ack()

        publisher.publish(Message(RESULTS_EXCHANGE, "c-0", RESULT, message_id=delivery.message_id), done)

    link.consume(TASK_QUEUE, received, prefetch=int(os.environ["PREFETCH"]))
    loop.start()
    link.start()
    ended.get()


if __name__ == "__main__":
    main()
