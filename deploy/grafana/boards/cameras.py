"""Cameras: which send, which have results, how old these are, and what is wrong with the pictures."""

from deploy.grafana.boards.parts import RED, YELLOW, above, board, panel, query, row, stat, table

BOARD = board(
    "cameras",
    "Cameras",
    "Which cameras send and have results, and what is wrong with those that do not.",
    row(
        "Now",
        stat(
            "Cameras live",
            "Cameras whose frames come in.",
            "short",
            query("sum(producer_camera_up{@})", "live"),
        ),
        stat(
            "Cameras down",
            "Cameras that a producer serves, that are not switched off, and that send nothing.",
            "short",
            query(
                "count((max by (camera_id) (producer_camera_up{@}) == 0) unless on (camera_id) "
                "producer_camera_disabled{@}) or vector(0)",
                "down",
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetCameraDown",
        ),
        stat(
            "Cameras with a defect",
            "Cameras whose pictures are frozen, black, blinded, defocused or moved.",
            "short",
            query("count(max by (camera_id) (producer_camera_defect{@}) == 1) or vector(0)", "with a defect"),
            thresholds=above((1, YELLOW)),
            runbook="FramefleetCameraDefect",
        ),
        stat(
            "Longest without a result",
            "Since the last result of the camera that has waited the longest.",
            "s",
            query("max(time() - framefleet_camera_last_result_timestamp_seconds{@})", "longest"),
            thresholds=above((10, YELLOW), (60, RED)),
            runbook="FramefleetCamerasBringNoResults",
        ),
        stat(
            "Problems in the file of cameras",
            "What the producer could not use of it.",
            "short",
            query("max(producer_camera_file_problems{@})", "problems"),
            thresholds=above((1, RED)),
            runbook="FramefleetCameraFileBroken",
        ),
        stat(
            "Frames under way",
            "Sent, and their result is awaited.",
            "short",
            query("sum(producer_outstanding_frames{@})", "frames"),
        ),
    ),
    row(
        "All cameras",
        panel(
            "Cameras, by state",
            "As the gateway knows them.",
            "short",
            query("max by (state) (gateway_cameras{@})", "{{state}}"),
            runbook="FramefleetManyCamerasFailing",
        ),
        panel(
            "Frames not sent, by reason",
            "Dropped on the way to the queue, or skipped: unreadable, or nothing new in them.",
            "cps",
            query(
                "sum by (reason) (rate(producer_frames_dropped_total{@}[$__rate_interval])) > 0",
                "dropped: {{reason}}",
            ),
            query(
                "sum by (reason) (rate(producer_frames_skipped_total{@}[$__rate_interval])) > 0",
                "skipped: {{reason}}",
            ),
        ),
        panel(
            "Failures of sources, by reason",
            "A camera that did not answer, refused, or sent what is not a picture.",
            "cps",
            query(
                "sum by (reason) (rate(producer_camera_errors_total{@}[$__rate_interval])) > 0", "{{reason}}"
            ),
            runbook="FramefleetCameraDown",
        ),
        panel(
            "Frames under way and their limit",
            "The window follows the queueing time: it is what the producer may have under way at once.",
            "short",
            query("sum by (instance) (producer_outstanding_frames{@})", "{{instance}} under way"),
            query("sum by (instance) (producer_window_frames{@})", "{{instance}} limit"),
        ),
        panel(
            "Results missing",
            "Frames whose result was not heard of in time.",
            "cps",
            query("sum(rate(producer_replies_missing_total{@}[$__rate_interval]))", "missing"),
        ),
        panel(
            "Mean age of results, by camera",
            "From capture to the gateway: the ten cameras whose results are the oldest.",
            "s",
            query(
                "topk(10, sum by (camera_id) (rate(framefleet_camera_result_age_seconds_sum{@}[$__rate_interval]))"
                " / sum by (camera_id) (rate(framefleet_camera_result_age_seconds_count{@}[$__rate_interval])))",
                "{{camera_id}}",
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetFreshnessBurning",
        ),
    ),
    row(
        "The worst",
        table(
            "Longest without a frame",
            "Seconds since the camera's last frame: the 25 that have been silent for the longest.",
            "s",
            query(
                "topk(25, time() - max by (camera_id) (framefleet_camera_last_frame_timestamp_seconds{@}))",
                "{{camera_id}}",
            ),
        ),
        table(
            "Longest without a result",
            "Seconds since the gateway had the camera's last result: the 25 longest.",
            "s",
            query(
                "topk(25, time() - max by (camera_id) (framefleet_camera_last_result_timestamp_seconds{@}))",
                "{{camera_id}}",
            ),
        ),
        table(
            "Defects",
            "Cameras whose pictures have a defect now.",
            "short",
            query("max by (camera_id, defect) (producer_camera_defect{@}) == 1", "{{camera_id}} {{defect}}"),
        ),
        table(
            "Certificates",
            "Seconds until the TLS certificate of a camera ends, the soonest first.",
            "s",
            query(
                "bottomk(25, min by (camera_id) (framefleet_certificate_expiry_timestamp_seconds{@}) - time())",
                "{{camera_id}}",
            ),
        ),
    ),
    jobs='{__name__=~"producer_camera_up|gateway_cameras"}',
)
