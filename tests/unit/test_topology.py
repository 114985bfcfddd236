"""The guarantees (docs/guarantees.md) that are visible in the topology's arguments."""

from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TOPOLOGY, EphemeralQueue, Lane

QUEUES = {queue.name: queue for queue in TOPOLOGY.queues}


def test_every_name_of_the_design_is_declared() -> None:
    assert {exchange.name: exchange.type for exchange in TOPOLOGY.exchanges} == {
        "tasks": "topic",
        "retry": "direct",
        "results": "topic",
        "watch": "topic",
        "control": "fanout",
        "status": "topic",
    }
    assert set(QUEUES) >= {
        "frame_queue",
        "frame_queue.batch",
        "frame_queue.gpu",
        "frame_queue.dlq",
        "result_queue",
    }
    assert [lane.queue for lane in Lane] == [
        "frame_queue",
        "frame_queue.batch",
        "frame_queue.gpu",
        "frame_queue.remote",
    ]


def test_every_queue_is_quorum_bounded_and_limits_deliveries() -> None:
    for queue in TOPOLOGY.queues:
        assert queue.arguments["x-queue-type"] == "quorum"
        assert int(queue.arguments["x-delivery-limit"]) > 0
        assert int(queue.arguments["x-max-length"]) > 0
        assert int(queue.arguments["x-max-length-bytes"]) > 0


def test_lanes_dead_letter_at_least_once_and_reject_when_full() -> None:
    for lane in Lane:
        arguments = QUEUES[lane.queue].arguments
        # At-least-once needs reject-publish: with drop-head it silently becomes at-most-once.
        assert arguments["x-overflow"] == "reject-publish"
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert (arguments["x-dead-letter-exchange"], arguments["x-dead-letter-routing-key"]) == (
            "",
            DEAD_LETTER_QUEUE,
        )
        assert arguments["x-delivery-limit"] == 5
        assert QUEUES[lane.queue].bindings == (("tasks", lane.queue), ("retry", lane.queue))


def test_a_full_dead_letter_queue_drops_its_oldest_and_results_push_back() -> None:
    assert QUEUES[DEAD_LETTER_QUEUE].arguments["x-overflow"] == "drop-head"
    assert QUEUES[DEAD_LETTER_QUEUE].arguments["x-max-length"] == 10_000
    assert QUEUES[RESULT_QUEUE].arguments["x-overflow"] == "reject-publish"
    assert QUEUES[RESULT_QUEUE].arguments["x-max-length"] == 1_000_000
    assert QUEUES[RESULT_QUEUE].bindings == (("results", "#"),)


def test_an_ephemeral_queue_never_grows() -> None:
    arguments = EphemeralQueue().arguments
    assert arguments["x-overflow"] == "drop-head"
    assert int(arguments["x-max-length"]) > 0
