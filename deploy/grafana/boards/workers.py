"""Workers: what each one computes, how long it takes, what fails, and what it finds."""

from deploy.grafana.boards.parts import RED, YELLOW, above, board, panel, query, row, stat, table, variable

NODE = '@,node_id=~"$node"'

BOARD = board(
    "workers",
    "Workers",
    "What each worker computes, how long that takes, and what fails.",
    row(
        "Now",
        stat(
            "Workers that compute",
            "Workers that finished a frame in the last minute.",
            "short",
            query(
                f"count(rate(cv_frames_processed_total{{{NODE}}}[$__rate_interval]) > 0) or vector(0)",
                "workers",
            ),
        ),
        stat(
            "Frames analysed per second",
            "Frames with a confirmed result.",
            "cps",
            query(f"sum(rate(cv_frames_processed_total{{{NODE}}}[$__rate_interval]))", "frames/s"),
        ),
        stat(
            "Busy",
            "Share of their time that workers compute, on average; at 100 % more workers are needed.",
            "percentunit",
            query(f"avg(rate(cv_busy_seconds_total{{{NODE}}}[$__rate_interval]))", "busy"),
            thresholds=above((0.85, YELLOW), (0.95, RED)),
        ),
        stat(
            "Share dropped or expired",
            "Frames that expired or failed, of all that workers took.",
            "percentunit",
            query(
                f"(sum(rate(cv_frames_expired_total{{{NODE}}}[$__rate_interval]))"
                f" + sum(rate(cv_frames_failed_total{{{NODE}}}[$__rate_interval])))"
                f" / (sum(rate(cv_frames_processed_total{{{NODE}}}[$__rate_interval]))"
                f" + sum(rate(cv_frames_expired_total{{{NODE}}}[$__rate_interval]))"
                f" + sum(rate(cv_frames_failed_total{{{NODE}}}[$__rate_interval])))",
                "not computed",
            ),
            thresholds=above((0.01, RED)),
            runbook="FramefleetFramesNotComputed",
        ),
        stat(
            "Detect and decode, p95",
            "Computing one frame: 95 of 100 take less.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) "
                f"(rate(cv_processing_seconds_bucket{{{NODE}}}[$__rate_interval])))",
                "p95",
            ),
        ),
        stat(
            "Age when taken, p95",
            "From capture to the moment when a worker takes the frame from its queue.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) "
                f"(rate(framefleet_dequeue_age_seconds_bucket{{{NODE}}}[$__rate_interval])))",
                "p95",
            ),
            thresholds=above((0.5, YELLOW), (1, RED)),
            runbook="FramefleetFramesWaitTooLong",
        ),
    ),
    row(
        "By node",
        panel(
            "Frames per second, by node",
            "Frames with a confirmed result.",
            "cps",
            query(
                f"sum by (node_id) (rate(cv_frames_processed_total{{{NODE}}}[$__rate_interval]))",
                "{{node_id}}",
            ),
        ),
        panel(
            "Busy, by node",
            "The share of its time that a worker computes.",
            "percentunit",
            query(
                f"sum by (node_id) (rate(cv_busy_seconds_total{{{NODE}}}[$__rate_interval]))", "{{node_id}}"
            ),
        ),
        panel(
            "Decode and detect, p95 by node",
            "Computing one frame; in a batch a frame's share of it.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le, node_id) "
                f"(rate(cv_processing_seconds_bucket{{{NODE}}}[$__rate_interval])))",
                "{{node_id}}",
            ),
        ),
        panel(
            "Age when taken, p95 by node",
            "From capture to the moment when a worker takes the frame from its queue, by the workers' clocks.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le, node_id) "
                f"(rate(framefleet_dequeue_age_seconds_bucket{{{NODE}}}[$__rate_interval])))",
                "{{node_id}}",
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetFramesWaitTooLong",
        ),
        panel(
            "Where the time goes, p95",
            "Each stage of a frame: waiting in the queue, decoding, detecting, publishing.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le, stage) "
                f"(rate(cv_stage_seconds_bucket{{{NODE}}}[$__rate_interval])))",
                "{{stage}}",
            ),
        ),
        panel(
            "Frames taken together",
            "The mean batch; workers on the CPU take one at a time.",
            "short",
            query(
                f"sum by (node_id) (rate(cv_batch_frames_sum{{{NODE}}}[$__rate_interval]))"
                f" / sum by (node_id) (rate(cv_batch_frames_count{{{NODE}}}[$__rate_interval]))",
                "{{node_id}}",
            ),
        ),
    ),
    row(
        "What goes wrong",
        panel(
            "Errors",
            "Frames that failed or were tried again, by node and reason.",
            "cps",
            query(
                f"sum by (node_id, reason) (rate(cv_frames_failed_total{{{NODE}}}[$__rate_interval])) > 0",
                "{{node_id}}: {{reason}}",
            ),
            query(
                f"sum by (reason) (rate(cv_frames_retried_total{{{NODE}}}[$__rate_interval])) > 0",
                "tried again: {{reason}}",
            ),
            runbook="FramefleetFramesFailing",
        ),
        panel(
            "Expired",
            "Live frames that were too old when a worker took them.",
            "cps",
            query(
                f"sum by (node_id) (rate(cv_frames_expired_total{{{NODE}}}[$__rate_interval]))", "{{node_id}}"
            ),
            runbook="FramefleetFramesNotComputed",
        ),
        panel(
            "Clocks and confirms that did not add up",
            "Frames whose sender's clock had to be corrected for, and publishing channels that were given up.",
            "cps",
            query(
                f"sum by (node_id) (rate(cv_clock_skew_total{{{NODE}}}[$__rate_interval])) > 0",
                "{{node_id}}: clock",
            ),
            query(
                f"sum by (node_id) (rate(cv_publishing_voided_total{{{NODE}}}[$__rate_interval])) > 0",
                "{{node_id}}: confirms",
            ),
        ),
    ),
    row(
        "What is found",
        panel(
            "Faces found",
            "Detections a second, by model and label.",
            "cps",
            query(
                f"sum by (model, label) (rate(framefleet_detections_total{{{NODE}}}[$__rate_interval]))",
                "{{model}} {{label}}",
            ),
        ),
        panel(
            "Confidence",
            "The median and the weakest tenth of the detections' scores, by model: a drift is seen here first.",
            "percentunit",
            *(
                query(
                    f"histogram_quantile({share}, sum by (le, model) "
                    "(rate(framefleet_detection_confidence_bucket{@}[$__rate_interval])))",
                    "{{model}} " + name,
                )
                for share, name in ((0.5, "p50"), (0.1, "p10"))
            ),
        ),
        panel(
            "Results that came from the cache",
            "Share of the pictures looked up that were already known.",
            "percentunit",
            query(
                "sum by (node_id) "
                f'(rate(cv_result_cache_lookups_total{{{NODE},result="hit"}}[$__rate_interval]))'
                f" / sum by (node_id) (rate(cv_result_cache_lookups_total{{{NODE}}}[$__rate_interval]))",
                "{{node_id}}",
            ),
        ),
        table(
            "Models in use",
            "Which model each worker computes with; `fallback` yes: not the one that it should.",
            "short",
            query(f"max by (node_id, model, detector, fallback) (cv_model_info{{{NODE}}})", "{{node_id}}"),
        ),
        table(
            "Time by sender",
            "Seconds of computing a second that went to each sender with a name.",
            "percentunit",
            query(
                f"sum by (sender) (rate(cv_sender_seconds_total{{{NODE}}}[$__rate_interval]))", "{{sender}}"
            ),
        ),
    ),
    jobs="cv_frames_processed_total",
    variables=[variable("node", "Node", "cv_frames_processed_total{@}", "node_id")],
)
