"""The gateway: viewers and what they get, the HTTP interface, and the history with its database."""

from deploy.grafana.boards.parts import RED, YELLOW, above, below, board, panel, query, row, stat

BOARD = board(
    "gateway",
    "Gateway",
    "Viewers, the HTTP interface, and the history.",
    row(
        "Now",
        stat(
            "Viewers",
            "Browsers and programs with a live connection.",
            "short",
            query("sum(gateway_clients{@})", "viewers"),
        ),
        stat(
            "Age when painted, p95",
            "From capture to the pixel on a viewer's screen, as browsers report it.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) (rate(gateway_paint_age_seconds_bucket{@}[$__rate_interval])))",
                "p95",
            ),
            thresholds=above((0.5, YELLOW), (1, RED)),
            runbook="FramefleetPaintBurning",
        ),
        stat(
            "Requests that failed",
            "Share of the answers that were the gateway's own fault (500 and above).",
            "percentunit",
            query(
                '(sum(rate(framefleet_http_requests_total{@,code=~"5.."}[$__rate_interval])) or vector(0))'
                " / sum(rate(framefleet_http_requests_total{@}[$__rate_interval]))",
                "failed",
            ),
            thresholds=above((0.01, RED)),
        ),
        stat(
            "Oldest result not written",
            "How long results have waited for the history.",
            "s",
            query("max(gateway_history_waiting_seconds{@})", "waiting"),
            thresholds=above((10, YELLOW), (60, RED)),
            runbook="FramefleetHistoryNotWritten",
        ),
        stat(
            "Room for the history",
            "Bytes free on its disk.",
            "bytes",
            query("min(framefleet_history_free_bytes{@})", "free"),
            thresholds=below((1_000_000_000, RED)),
            runbook="FramefleetDiskFillingUp",
        ),
        stat(
            "First token to end",
            "Until the earliest of the tokens that end; no data where none does.",
            "s",
            query("min(framefleet_token_expiry_timestamp_seconds{@}) - time()", "left"),
            thresholds=below((86_400, RED), (604_800, YELLOW)),
            runbook="FramefleetTokenExpiring",
        ),
    ),
    row(
        "Viewers",
        panel(
            "Results",
            "Received from the broker, and those of them that were late, superseded or stale.",
            "cps",
            query("sum(rate(gateway_results_total{@}[$__rate_interval]))", "received"),
            query("sum(rate(gateway_results_late_total{@}[$__rate_interval]))", "late"),
            query(
                "sum(rate(gateway_results_superseded_total{@}[$__rate_interval]))", "superseded by newer ones"
            ),
            query("sum(rate(gateway_results_stale_total{@}[$__rate_interval]))", "stale"),
        ),
        panel(
            "Who is here",
            "Users (tokens) and sessions within the session's window, 5 minutes by default. Off by 2 % at most.",
            "short",
            query('max(gateway_concurrent_users{@,window="session",device="all"})', "users"),
            query(
                'max by (device) (gateway_concurrent_sessions{@,window="session",device!="all"}) > 0',
                "sessions, {{device}}",
            ),
            query('max(gateway_concurrent_sessions{@,window="session",device="all"})', "sessions"),
            runbook="FramefleetViewersFell",
        ),
        panel(
            "How long sessions stay, p50 and p95",
            "Of those that ended, by device, at each gateway.",
            "s",
            *(
                query(
                    f"histogram_quantile({share}, sum by (le, device) "
                    "(rate(framefleet_time_on_app_seconds_bucket{@}[$__rate_interval])))",
                    f"{{{{device}}}}, {word}",
                )
                for share, word in ((0.5, "p50"), (0.95, "p95"))
            ),
        ),
        panel(
            "Age at the gateway and when painted",
            "From capture, p50 and p99.",
            "s",
            *(
                query(
                    f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{@}}[$__rate_interval])))",
                    f"{name}, {word}",
                )
                for metric, name in (
                    ("gateway_result_age_seconds", "at the gateway"),
                    ("gateway_paint_age_seconds", "painted"),
                )
                for share, word in ((0.5, "p50"), (0.99, "p99"))
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetFreshnessBurning",
        ),
        panel(
            "Viewers sent away, by reason",
            "Live connections that the gateway ended.",
            "cps",
            query(
                "sum by (reason) (rate(gateway_client_drops_total{@}[$__rate_interval])) > 0", "{{reason}}"
            ),
            runbook="FramefleetViewersLagging",
        ),
        panel(
            "Refused, by reason",
            "Requests and connections beyond a limit, and guesses of tokens.",
            "cps",
            query("sum by (reason) (rate(gateway_refused_total{@}[$__rate_interval])) > 0", "{{reason}}"),
            runbook="FramefleetGatewayConnectionsExhausted",
        ),
        panel(
            "Signing in, by outcome",
            "Logins a second.",
            "cps",
            query("sum by (outcome) (rate(gateway_logins_total{@}[$__rate_interval]))", "{{outcome}}"),
            runbook="FramefleetTokensGuessed",
        ),
        panel(
            "Messages not read",
            "Messages of the broker that the gateway could not understand, by source.",
            "cps",
            query(
                "sum by (source) (rate(gateway_invalid_messages_total{@}[$__rate_interval])) > 0",
                "{{source}}",
            ),
            runbook="FramefleetMessagesNotRead",
        ),
    ),
    row(
        "HTTP",
        panel(
            "Requests, by route",
            "A second.",
            "cps",
            query("sum by (route) (rate(framefleet_http_requests_total{@}[$__rate_interval]))", "{{route}}"),
        ),
        panel(
            "Answers, by code",
            "A second.",
            "cps",
            query("sum by (code) (rate(framefleet_http_requests_total{@}[$__rate_interval]))", "{{code}}"),
        ),
        panel(
            "Time to answer, p50",
            "By route.",
            "s",
            query(
                "histogram_quantile(0.5, sum by (le, route) "
                "(rate(framefleet_http_request_seconds_bucket{@}[$__rate_interval])))",
                "{{route}}",
            ),
        ),
        panel(
            "Time to answer, p95",
            "By route.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le, route) "
                "(rate(framefleet_http_request_seconds_bucket{@}[$__rate_interval])))",
                "{{route}}",
            ),
        ),
        panel(
            "Time to answer, p99",
            "By route.",
            "s",
            query(
                "histogram_quantile(0.99, sum by (le, route) "
                "(rate(framefleet_http_request_seconds_bucket{@}[$__rate_interval])))",
                "{{route}}",
            ),
        ),
        panel(
            "Event loop lag, p99",
            "How late the gateway comes to what is due, by loop.",
            "s",
            query(
                "histogram_quantile(0.99, sum by (le, loop) "
                "(rate(framefleet_event_loop_lag_seconds_bucket{@}[$__rate_interval])))",
                "{{loop}}",
            ),
        ),
    ),
    row(
        "History",
        panel(
            "Written",
            "Results written to the history, and batches that could not be written at first.",
            "cps",
            query("sum(rate(gateway_recorded_results_total{@}[$__rate_interval]))", "written"),
            query("sum(rate(gateway_recorder_errors_total{@}[$__rate_interval]))", "failed at first"),
            runbook="FramefleetHistoryLagging",
        ),
        panel(
            "Size and room",
            "Bytes of the history in its database, and free on its disk.",
            "bytes",
            query("max(gateway_history_size_bytes{@})", "size"),
            query("min(framefleet_history_free_bytes{@})", "free"),
            runbook="FramefleetDiskFillingUp",
        ),
        panel(
            "Writing a batch, p95",
            "Until the database has committed.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) "
                "(rate(gateway_history_batch_seconds_bucket{@}[$__rate_interval])))",
                "p95",
            ),
        ),
        panel(
            "Answering questions, p95",
            "By kind of question.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le, query) "
                "(rate(gateway_history_query_seconds_bucket{@}[$__rate_interval])))",
                "{{query}}",
            ),
        ),
        panel(
            "Questions not answered, by reason",
            "Busy, slow, or the database was away.",
            "cps",
            query(
                "sum by (reason) (rate(gateway_history_queries_refused_total{@}[$__rate_interval])) > 0",
                "{{reason}}",
            ),
            runbook="FramefleetHistoryQueriesRefused",
        ),
        panel(
            "Database connections",
            "Used and idle.",
            "short",
            query("sum by (state) (framefleet_database_connections{@})", "{{state}}"),
        ),
        panel(
            "Waiting for the database, p95",
            "Until a question had a connection and a thread.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) "
                "(rate(framefleet_database_wait_seconds_bucket{@}[$__rate_interval])))",
                "p95",
            ),
        ),
    ),
    jobs="gateway_results_total",
)
