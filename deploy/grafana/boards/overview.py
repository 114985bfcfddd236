"""The first look: whether frames come through in time, what burns, and how the processes and machines are."""

from deploy.grafana.boards.parts import RED, YELLOW, above, below, board, panel, query, row, stat

SERVICES = "cv-worker|cv-worker-batch|producer|gateway"
FRAMES = r"frame_queue|frame_queue\\.(batch|gpu)"

BOARD = board(
    "overview",
    "Overview",
    "Whether frames come through in time, and what is wrong if they do not.",
    row(
        "Now",
        stat(
            "Frames analysed per second",
            "Frames with a confirmed result, over all workers.",
            "cps",
            query("sum(rate(cv_frames_processed_total{@}[$__rate_interval]))", "frames/s"),
        ),
        stat(
            "From capture to result, p95",
            "Age of a frame when its result is confirmed: 95 of 100 are younger.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) (rate(cv_frame_age_seconds_bucket{@}[$__rate_interval])))",
                "p95",
            ),
            thresholds=above((0.5, YELLOW), (1, RED)),
            runbook="FramefleetLatencyHigh",
        ),
        stat(
            "Frames waiting",
            "Ready in the lanes' queues. RabbitMQ counts every few seconds.",
            "short",
            query(
                f'sum(max by (queue) (rabbitmq_detailed_queue_messages_ready{{@,queue=~"{FRAMES}"}}))',
                "frames",
            ),
            thresholds=above((300, RED)),
            runbook="FramefleetQueueGrowing",
        ),
        stat(
            "Workers",
            "Workers that Prometheus reaches.",
            "short",
            query('sum(up{@,job="cv-worker"}) or vector(0)', "workers"),
            thresholds=below((1, RED)),
            runbook="FramefleetNoWorkers",
        ),
        stat(
            "Canary's faces found",
            "Share of the known faces in the canary's last frame that were found: 100 % unless detection is blind.",
            "percentunit",
            query("min(framefleet_canary_recall{@})", "found"),
            thresholds=below((0.99, RED)),
            runbook="FramefleetCanaryFailing",
        ),
        stat(
            "Alerts firing",
            "Alerts that ask somebody to do something: without those of severity info.",
            "short",
            query('count(ALERTS{alertstate="firing",severity!="info"}) or vector(0)', "alerts"),
            thresholds=above((1, RED)),
        ),
    ),
    row(
        "Frames",
        panel(
            "Rate",
            "Frames that producers sent, left out because they showed nothing new, and that workers analysed.",
            "cps",
            query("sum(rate(cv_frames_processed_total{@}[$__rate_interval]))", "analysed"),
            query("sum(rate(producer_frames_sent_total{@}[$__rate_interval]))", "sent"),
            query("sum(rate(producer_frames_skipped_total{@}[$__rate_interval]))", "skipped: nothing new"),
        ),
        panel(
            "Latency",
            "From capture to the confirmed result, over all workers.",
            "s",
            *(
                query(
                    f"histogram_quantile({share}, sum by (le) "
                    "(rate(cv_frame_age_seconds_bucket{@}[$__rate_interval])))",
                    name,
                )
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetLatencyHigh",
        ),
        panel(
            "Queue depth",
            "Messages ready, by queue.",
            "short",
            query(
                'max by (queue) (rabbitmq_detailed_queue_messages_ready{@,queue=~"frame_queue.*|result_queue"})',
                "{{queue}}",
            ),
            runbook="FramefleetQueueGrowing",
        ),
        panel(
            "Dropped or expired, by reason",
            "Frames that did not reach a queue, were too old when their turn came, or failed.",
            "cps",
            query(
                "sum by (reason) (rate(producer_frames_dropped_total{@}[$__rate_interval])) > 0",
                "dropped: {{reason}}",
            ),
            query("sum(rate(cv_frames_expired_total{@}[$__rate_interval])) > 0", "expired: too old"),
            query(
                "sum by (reason) (rate(cv_frames_failed_total{@}[$__rate_interval])) > 0",
                "failed: {{reason}}",
            ),
            runbook="FramefleetFramesNotComputed",
        ),
        panel(
            "Age at each step, p95",
            "How old frames are when a worker takes them, when their result is confirmed, when the gateway has it "
            "and when a browser paints it.",
            "s",
            *(
                query(
                    f"histogram_quantile(0.95, sum by (le) (rate({metric}_bucket{{@}}[$__rate_interval])))",
                    name,
                )
                for metric, name in (
                    ("framefleet_dequeue_age_seconds", "taken by a worker"),
                    ("cv_frame_age_seconds", "confirmed"),
                    ("gateway_result_age_seconds", "at the gateway"),
                    ("gateway_paint_age_seconds", "painted"),
                )
            ),
            thresholds=above((1, RED)),
        ),
        panel(
            "Cameras, by state",
            "As the gateway knows them.",
            "short",
            query("max by (state) (gateway_cameras{@})", "{{state}}"),
            runbook="FramefleetManyCamerasFailing",
        ),
    ),
    row(
        "Processes",
        panel(
            "Targets that do not answer",
            "What Prometheus cannot reach.",
            "short",
            query("sum by (job) (1 - up{@})", "{{job}}"),
            runbook="FramefleetTargetDown",
        ),
        panel(
            "CPU",
            "Cores in use, by process.",
            "short",
            query(
                f'rate(process_cpu_seconds_total{{@,job=~"{SERVICES}"}}[$__rate_interval])',
                "{{job}} {{instance}}",
            ),
        ),
        panel(
            "Memory",
            "Resident memory, by process.",
            "bytes",
            query(f'process_resident_memory_bytes{{@,job=~"{SERVICES}"}}', "{{job}} {{instance}}"),
        ),
        panel(
            "File descriptors in use",
            "Share of those that the process may open.",
            "percentunit",
            query(
                f'process_open_fds{{@,job=~"{SERVICES}"}} / process_max_fds{{@,job=~"{SERVICES}"}}',
                "{{job}} {{instance}}",
            ),
            thresholds=above((0.8, RED)),
            runbook="FramefleetFileDescriptorsLow",
        ),
        panel(
            "Event loop lag, p99",
            "How late a process comes to what is due: its loop was busy with something else.",
            "s",
            query(
                "histogram_quantile(0.99, sum by (le, job, loop) "
                "(rate(framefleet_event_loop_lag_seconds_bucket{@}[$__rate_interval])))",
                "{{job}} {{loop}}",
            ),
        ),
        panel(
            "Threads",
            "Threads of each process.",
            "short",
            query("framefleet_threads{@}", "{{job}} {{instance}}"),
        ),
        panel(
            "Garbage collection",
            "Collections of the oldest generation a second, which are those that take long.",
            "cps",
            query(
                'rate(python_gc_collections_total{@,generation="2"}[$__rate_interval])',
                "{{job}} {{instance}}",
            ),
        ),
        panel(
            "Bytes to and from the broker",
            "By service and direction.",
            "Bps",
            query(
                "sum by (job, direction) (rate(framefleet_amqp_bytes_total{@}[$__rate_interval]))",
                "{{job}} {{direction}}",
            ),
        ),
        panel(
            "Warnings and errors in logs",
            "Lines a second by service and level.",
            "cps",
            query(
                "sum by (job, level) (rate(framefleet_log_messages_total{@}[$__rate_interval]))",
                "{{job}} {{level}}",
            ),
        ),
        panel(
            "Written to disk",
            "Bytes a second that each process has written.",
            "Bps",
            query("rate(framefleet_disk_written_bytes_total{@}[$__rate_interval])", "{{job}} {{instance}}"),
        ),
        panel(
            "Spans, by outcome",
            "Spans of traced frames: exported, or dropped because nobody took them. No data where tracing is off.",
            "cps",
            query(
                "sum by (job, outcome) (rate(framefleet_spans_total{@}[$__rate_interval]))",
                "{{job}} {{outcome}}",
            ),
            runbook="FramefleetTracesDropped",
        ),
        panel(
            "Versions",
            "Processes by service and version: two of one service are an upgrade that has not ended.",
            "short",
            query("count by (service, version) (framefleet_build_info{@})", "{{service}} {{version}}"),
            runbook="FramefleetServiceVersionsMixed",
        ),
    ),
    row(
        "Machines (with deploy/compose.monitoring.yml)",
        panel(
            "CPU of the machine",
            "Share of all cores that is in use.",
            "percentunit",
            query(
                '1 - avg by (instance) (rate(node_cpu_seconds_total{@,mode="idle"}[$__rate_interval]))',
                "{{instance}}",
            ),
            width=6,
        ),
        panel(
            "Memory of the machine",
            "Share that is in use; caches count as free.",
            "percentunit",
            query("1 - node_memory_MemAvailable_bytes{@} / node_memory_MemTotal_bytes{@}", "{{instance}}"),
            width=6,
        ),
        panel(
            "Disk space left",
            "Of every file system of the machine, in bytes.",
            "bytes",
            query(
                "min by (instance, mountpoint) (node_filesystem_avail_bytes{@})",
                "{{instance}} {{mountpoint}}",
            ),
            width=6,
            runbook="FramefleetDiskFillingUp",
        ),
        panel(
            "Disk writes",
            "Bytes a second, by device.",
            "Bps",
            query("rate(node_disk_written_bytes_total{@}[$__rate_interval])", "{{instance}} {{device}}"),
            width=6,
        ),
    ),
    jobs="up",
)
