"""The broker: its queues, what goes in and out, its memory and disk, and who is connected."""

from deploy.grafana.boards.parts import RED, above, below, board, panel, query, row, stat

OURS = 'queue=~"frame_queue.*|result_queue"'

BOARD = board(
    "broker",
    "Broker",
    "RabbitMQ: queues, what goes in and out, memory and disk, connections.",
    row(
        "Now",
        stat(
            "Nodes",
            "Nodes of the broker that Prometheus reaches.",
            "short",
            query('sum(up{@,job="rabbitmq"}) or vector(0)', "nodes"),
            thresholds=below((1, RED)),
            runbook="FramefleetTargetDown",
        ),
        stat(
            "Alarms",
            "Memory, disk or file descriptors are short: while one is on, nobody may publish.",
            "short",
            query(
                "sum(rabbitmq_alarms_memory_used_watermark{@} + rabbitmq_alarms_free_disk_space_watermark{@}"
                " + rabbitmq_alarms_file_descriptor_limit{@})",
                "alarms",
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetBrokerMemoryAlarm",
        ),
        stat(
            "Dead letters",
            "Messages that could not be computed; `framefleet dlq list` shows them.",
            "short",
            query('max(rabbitmq_detailed_queue_messages{@,queue="frame_queue.dlq"})', "dead letters"),
            thresholds=above((1, RED)),
            runbook="FramefleetDeadLetters",
        ),
        stat(
            "Results waiting for the history",
            "Messages in `result_queue`.",
            "short",
            query('max(rabbitmq_detailed_queue_messages{@,queue="result_queue"})', "results"),
            thresholds=above((500_000, RED)),
            runbook="FramefleetResultQueueHalfFull",
        ),
        stat(
            "Room on the disk",
            "Bytes free above the limit at which RabbitMQ stops taking messages: the node with the least.",
            "bytes",
            query(
                "min(rabbitmq_disk_space_available_bytes{@} - rabbitmq_disk_space_available_limit_bytes{@})",
                "free",
            ),
            thresholds=below((1_000_000_000, RED)),
            runbook="FramefleetDiskFillingUp",
        ),
        stat(
            "Memory",
            "Share of what RabbitMQ may use before it stops taking messages: the node with the most.",
            "percentunit",
            query(
                "max(rabbitmq_process_resident_memory_bytes{@} / rabbitmq_resident_memory_limit_bytes{@})",
                "used",
            ),
            thresholds=above((0.8, RED)),
            runbook="FramefleetBrokerMemoryAlarm",
        ),
    ),
    row(
        "Queues",
        panel(
            "Ready, by queue",
            "Messages that wait for a consumer.",
            "short",
            query(f"max by (queue) (rabbitmq_detailed_queue_messages_ready{{@,{OURS}}})", "{{queue}}"),
            runbook="FramefleetQueueGrowing",
        ),
        panel(
            "Delivered and not acknowledged, by queue",
            "Messages that a consumer has and has not finished.",
            "short",
            query(f"max by (queue) (rabbitmq_detailed_queue_messages_unacked{{@,{OURS}}})", "{{queue}}"),
        ),
        panel(
            "Consumers, by queue",
            "Who takes from a queue; one without any only grows.",
            "short",
            query(f"max by (queue) (rabbitmq_detailed_queue_consumers{{@,{OURS}}})", "{{queue}}"),
            runbook="FramefleetQueueWithoutConsumer",
        ),
        panel(
            "Members, by queue",
            "Nodes that hold a copy of the queue and run: three in a cluster, one without.",
            "short",
            query(f"count by (queue) (rabbitmq_detailed_raft_log_commit_index{{@,{OURS}}})", "{{queue}}"),
            runbook="FramefleetQueueMembersMissing",
        ),
        panel(
            "Messages in and out",
            "Of the whole broker: received, acknowledged, and delivered for a second time.",
            "cps",
            query("sum(rate(rabbitmq_global_messages_received_total{@}[$__rate_interval]))", "received"),
            query(
                "sum(rate(rabbitmq_global_messages_acknowledged_total{@}[$__rate_interval]))", "acknowledged"
            ),
            query(
                "sum(rate(rabbitmq_global_messages_redelivered_total{@}[$__rate_interval]))", "redelivered"
            ),
            runbook="FramefleetRetryStorm",
        ),
        panel(
            "Messages that no queue took",
            "Returned to their sender, or dropped because the sender did not ask to have them back.",
            "cps",
            query(
                "sum(rate(rabbitmq_global_messages_unroutable_returned_total{@}[$__rate_interval]))",
                "returned",
            ),
            query(
                "sum(rate(rabbitmq_global_messages_unroutable_dropped_total{@}[$__rate_interval]))", "dropped"
            ),
            runbook="FramefleetMessagesUnroutable",
        ),
    ),
    row(
        "As our services see it",
        panel(
            "Publishes, by outcome",
            "What became of messages that services published: anything but confirmed is counted and told there.",
            "cps",
            query(
                "sum by (job, outcome) (rate(framefleet_publishes_total{@}[$__rate_interval]))",
                "{{job}} {{outcome}}",
            ),
            runbook="FramefleetConfirmsNacked",
        ),
        panel(
            "Connections made",
            "Successful connects a second, by service and purpose: a steady rate means that they do not last.",
            "cps",
            query(
                "sum by (job, connection) (rate(framefleet_broker_connections_total{@}[$__rate_interval]))",
                "{{job}} {{connection}}",
            ),
            runbook="FramefleetConnectionChurn",
        ),
        panel(
            "Consumers that are not ours",
            "Somebody else takes messages that our services wait for.",
            "short",
            query("max by (queue) (gateway_queue_foreign_consumers{@}) > 0", "{{queue}}"),
            runbook="FramefleetFramesTakenByOthers",
        ),
    ),
    row(
        "The nodes",
        panel(
            "Memory, by node",
            "Resident memory, and the smallest limit of a node.",
            "bytes",
            query("rabbitmq_process_resident_memory_bytes{@}", "{{instance}}"),
            query("min(rabbitmq_resident_memory_limit_bytes{@})", "limit"),
            runbook="FramefleetBrokerMemoryAlarm",
        ),
        panel(
            "Free disk space, by node",
            "Bytes on the disk with the messages, and the limit below which nobody may publish.",
            "bytes",
            query("rabbitmq_disk_space_available_bytes{@}", "{{instance}}"),
            query("max(rabbitmq_disk_space_available_limit_bytes{@})", "limit"),
            runbook="FramefleetDiskFillingUp",
        ),
        panel(
            "File descriptors, by node",
            "Share of those that RabbitMQ may open.",
            "percentunit",
            query("rabbitmq_process_open_fds{@} / rabbitmq_process_max_fds{@}", "{{instance}}"),
            thresholds=above((0.8, RED)),
            runbook="FramefleetFileDescriptorsLow",
        ),
        panel(
            "Connections and channels",
            "Open ones, over all nodes.",
            "short",
            query("sum(rabbitmq_connections{@})", "connections"),
            query("sum(rabbitmq_channels{@})", "channels"),
        ),
        panel(
            "Connections opened and closed",
            "A second, over all nodes; each costs the broker a millisecond of a core.",
            "cps",
            query("sum(rate(rabbitmq_connections_opened_total{@}[$__rate_interval]))", "opened"),
            query("sum(rate(rabbitmq_connections_closed_total{@}[$__rate_interval]))", "closed"),
            runbook="FramefleetConnectionChurn",
        ),
        panel(
            "Versions",
            "Nodes by their version of RabbitMQ: more than one is an upgrade that has not ended.",
            "short",
            query("count by (rabbitmq_version) (rabbitmq_build_info{@})", "{{rabbitmq_version}}"),
            runbook="FramefleetBrokerVersionsMixed",
        ),
    ),
    jobs='{__name__=~"up|gateway_results_total",job!="node"}',
)
