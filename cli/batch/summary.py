"""What the operator reads when a job has ended."""

from collections.abc import Sequence
from pathlib import Path

from batch.report import BatchReport
from cli.batch.showing import clock

KINDS_SHOWN = 5


def summary(report: BatchReport, outputs: Sequence[Path], jobs: Path | None) -> str:
    """The report as lines."""
    p50, p95, p99 = report.quantiles
    videos = report.videos
    lines = [
        f"{report.items:,} items: {report.ok:,} ok, {report.failed:,} failed"
        + (f", {report.waiting:,} still waiting" if report.waiting else "")
        + f"; {clock(report.seconds)}, {report.rate:.1f} a second in this run"
    ]
    if report.finished and not report.items:
        lines.append(
            "  There was nothing to compute: no picture and no video is there, or is called like the pattern."
        )
    if report.cached:
        lines.append(f"  {report.cached:,} were known and not computed (--no-cache computes all)")
    if videos.videos:
        shared = f", in {videos.windows:,} windows" if videos.windows else ""
        lines.append(
            f"  videos: {videos.videos:,} of {clock(videos.seconds)}, {videos.decoded:,} pictures, of which "
            f"{videos.analysed:,} were analysed{shared}; {100 * videos.skipped_share:.0f} % of those looked at show "
            "nothing new"
        )
    if p50 is not None and p95 is not None and p99 is not None:
        lines.append(
            f"  from sending to answer: p50 {_ms(p50)}, p95 {_ms(p95)}, p99 {_ms(p99)}"
            + (
                f"; {report.retries:,} {'retry' if report.retries == 1 else 'retries'}"
                if report.retries
                else ""
            )
        )
    if report.cost is not None:
        lines.append(
            f"  cost: ${report.cost:,.4f} by the answers that came (framefleet remote status: all calls)"
        )
    if report.reasons:
        lines.append("  failed: " + ", ".join(f"{n:,} {reason}" for reason, n in report.reasons.items()))
        lines += [f"    {path}: {reason}" for path, reason in report.failures]
        if report.failed > len(report.failures):
            lines.append(
                "    …" if outputs else "    … (--output faces.csv writes all of them, and what was found)"
            )
    if report.slowest:
        lines.append("  slowest: " + ", ".join(f"{path} ({_ms(took)})" for path, took in report.slowest[:3]))
    if report.left_out:
        kinds = sorted(report.left_out.items(), key=lambda each: -each[1])
        shown = ", ".join(f"{n:,} {kind}" for kind, n in kinds[:KINDS_SHOWN])
        more = ", …" if len(kinds) > KINDS_SHOWN else ""
        lines.append(f"  left out, since their names are not those of pictures or videos: {shown}{more}")
    lines += [f"  {path}" for path in outputs]
    where = f" --jobs {jobs}" if jobs else ""
    if not report.finished:
        lines.append(f"To go on: framefleet batch --job {report.job_id}{where}")
    elif report.failed:
        lines.append(
            f"To try again what failed: framefleet batch --job {report.job_id}{where} --retry-failed"
        )
    return "\n".join(lines)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
