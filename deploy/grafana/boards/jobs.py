"""Jobs: how many there are, how fast their items are done, what fails, and what need not be computed."""

from deploy.grafana.boards.parts import RED, YELLOW, above, board, panel, query, row, stat

BOARD = board(
    "jobs",
    "Jobs",
    "Jobs of pictures and videos: how far they are, what fails, and what need not be computed.",
    row(
        "Now",
        stat(
            "Jobs under way",
            "Jobs whose clients are heard, those of command lines and of gateways.",
            "short",
            query('max(framefleet_jobs{@,state="running"})', "running"),
        ),
        stat(
            "Jobs that stand still",
            "Items are under way, and none was settled for two minutes.",
            "short",
            query('max(framefleet_jobs{@,state="stalled"})', "stalled"),
            thresholds=above((1, RED)),
            runbook="FramefleetJobStalled",
        ),
        stat(
            "Items that wait",
            "Of jobs that are heard: found, and not settled yet.",
            "short",
            query("max(framefleet_job_items_waiting{@})", "items"),
        ),
        stat(
            "Items per second",
            "Answered by workers, well or not.",
            "cps",
            query("sum(rate(framefleet_job_items_total{@}[$__rate_interval]))", "items/s"),
        ),
        stat(
            "Share that fails",
            "Of the items that workers answered.",
            "percentunit",
            query(
                '(sum(rate(framefleet_job_items_total{@,outcome!="ok"}[$__rate_interval])) or vector(0))'
                " / sum(rate(framefleet_job_items_total{@}[$__rate_interval]))",
                "failed",
            ),
            thresholds=above((0.01, YELLOW), (0.05, RED)),
            runbook="FramefleetJobItemsFailing",
        ),
        stat(
            "Room that uploads take",
            "Uploads and what is kept of ended jobs, of all chosen gateways; GATEWAY_UPLOADS_MB is each one's limit.",
            "bytes",
            query("sum(framefleet_uploads_held_bytes{@})", "held"),
        ),
    ),
    row(
        "Over time",
        panel(
            "Jobs, by state",
            "As their clients tell it; with several gateways each hears all, and the most that one heard is shown.",
            "short",
            query("max by (state) (framefleet_jobs{@})", "{{state}}"),
            runbook="FramefleetJobStalled",
        ),
        panel(
            "Jobs of gateways",
            "Jobs that gateways took uploads for: computed now, and waiting for their turn (GATEWAY_JOBS).",
            "short",
            query("sum by (state) (framefleet_gateway_jobs{@})", "{{state}}"),
        ),
        panel(
            "Items answered, by outcome",
            "By workers of the batch lane, all of them.",
            "cps",
            query(
                "sum by (outcome) (rate(framefleet_job_items_total{@}[$__rate_interval])) > 0", "{{outcome}}"
            ),
            runbook="FramefleetJobItemsFailing",
        ),
        panel(
            "From sending to answer",
            "Of items, p50, p95 and p99.",
            "s",
            *(
                query(
                    f"histogram_quantile({share}, sum by (le) "
                    "(rate(framefleet_job_item_seconds_bucket{@}[$__rate_interval])))",
                    word,
                )
                for share, word in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
        ),
        panel(
            "Pictures sent to workers",
            "Bytes of the items that were answered.",
            "Bps",
            query("sum(rate(framefleet_job_item_bytes_total{@}[$__rate_interval]))", "bytes/s"),
        ),
    ),
    row(
        "What need not be computed",
        panel(
            "Known already",
            "The share of pictures whose results were kept from before, of those that were looked up.",
            "percentunit",
            query(
                'max(rate(framefleet_job_lookups_total{@,outcome="hit"}[$__rate_interval]))'
                " / max(sum by (instance) (rate(framefleet_job_lookups_total{@}[$__rate_interval])))",
                "known",
            ),
        ),
        panel(
            "Pictures of videos, by outcome",
            "Analysed, or not: still, repeated, thinned out.",
            "cps",
            query("max by (outcome) (rate(framefleet_job_frames_total{@}[$__rate_interval]))", "{{outcome}}"),
        ),
        panel(
            "Windows of videos",
            "That were read to their end.",
            "cps",
            query("max(rate(framefleet_job_windows_total{@}[$__rate_interval]))", "windows/s"),
        ),
    ),
    row(
        "Uploads",
        panel(
            "Bytes that come",
            "Of all uploads.",
            "Bps",
            query("sum(rate(framefleet_upload_bytes_total{@}[$__rate_interval]))", "bytes/s"),
        ),
        panel(
            "Uploads, by outcome",
            "Files that came whole, and those that did not.",
            "cps",
            query("sum by (outcome) (rate(framefleet_uploads_total{@}[$__rate_interval]))", "{{outcome}}"),
        ),
        panel(
            "Room that is taken",
            "Uploads, announced ones too, and what is kept of ended jobs.",
            "bytes",
            query("sum by (instance) (framefleet_uploads_held_bytes{@})", "{{instance}}"),
        ),
    ),
    jobs='{__name__=~"framefleet_jobs|framefleet_job_item_bytes_total"}',
)
