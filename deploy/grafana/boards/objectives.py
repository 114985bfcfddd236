"""Objectives: what is promised, what is left of the error budgets, and how fast they burn. By Sloth's names."""

from deploy.grafana.boards.parts import RED, YELLOW, above, below, board, panel, query, row, stat

OURS = 'sloth_service="framefleet"'

BOARD = board(
    "objectives",
    "Objectives",
    "What is promised, how much of each error budget is left, and how fast it burns.",
    row(
        "The budgets",
        *(
            stat(
                f"{title}: budget left",
                f"{promise} What is left of the failures that are allowed in the period; below zero it is missed.",
                "percentunit",
                query(f'slo:period_error_budget_remaining:ratio{{{OURS},sloth_slo="{slo}"}}', "left"),
                width=6,
                thresholds=below((0, RED), (0.25, YELLOW)),
                runbook=f"Framefleet{title}Burning",
            )
            for slo, title, promise in (
                ("freshness", "Freshness", "Results at the gateway at most one second after capture."),
                ("paint", "Paint", "Results on a viewer's screen at most one second after capture."),
                ("availability", "Availability", "Frames that were computed, of all that were taken on."),
                ("canary", "Canary", "The canary's frames in which all known faces were found."),
            )
        ),
        panel(
            "Budget left",
            "Over the objective's whole period; below zero the objective is missed.",
            "percentunit",
            query(f"slo:period_error_budget_remaining:ratio{{{OURS}}}", "{{sloth_slo}}"),
            width=12,
            least=None,
        ),
        panel(
            "Burn rate",
            "1: the budget lasts exactly as long as the period. A page comes at 14.4 and 6, a ticket at 3 and 1, "
            "each over a long and a short window.",
            "short",
            query(f"slo:current_burn_rate:ratio{{{OURS}}}", "{{sloth_slo}}"),
            width=12,
            thresholds=above((1, YELLOW), (6, RED)),
        ),
    ),
    row(
        "What the alerts look at",
        *(
            panel(
                f"Failures, over {window}",
                "Share of bad events, by objective.",
                "percentunit",
                query(f"slo:sli_error:ratio_rate{window}{{{OURS}}}", "{{sloth_slo}}"),
                width=6,
            )
            for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
        ),
    ),
    row(
        "The promise",
        panel(
            "Objective",
            "Share of good events that is promised, and what may fail.",
            "percentunit",
            query(f"slo:objective:ratio{{{OURS}}}", "{{sloth_slo}}: promised"),
            query(f"slo:error_budget:ratio{{{OURS}}}", "{{sloth_slo}}: may fail"),
            width=24,
        ),
    ),
    row(
        "The canary",
        panel(
            "Frames, by outcome",
            "Frames of the synthetic camera a second: found, missed, lost, or refused by the broker.",
            "cps",
            query(
                'sum by (outcome) (rate(framefleet_canary_frames_total{job=~".+"}[$__rate_interval]))',
                "{{outcome}}",
            ),
            runbook="FramefleetCanaryFailing",
        ),
        panel(
            "Faces found, and how far off",
            "The share of its known faces that was found, and how far the boxes were from them (0: exactly there).",
            "percentunit",
            query('min(framefleet_canary_recall{job=~".+"})', "found"),
            query('max(framefleet_canary_box_error{job=~".+"})', "box error"),
            runbook="FramefleetCanaryFailing",
        ),
        panel(
            "Latency, p95",
            "From the canary's capture to its result.",
            "s",
            query(
                "histogram_quantile(0.95, sum by (le) "
                '(rate(framefleet_canary_latency_seconds_bucket{job=~".+"}[$__rate_interval])))',
                "p95",
            ),
            thresholds=above((1, RED)),
            runbook="FramefleetCanaryMissing",
        ),
    ),
    jobs=None,
)
