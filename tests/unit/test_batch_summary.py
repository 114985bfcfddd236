"""What is read at the end of `framefleet batch`."""

from pathlib import Path

from batch.report import BatchReport
from cli.batch.summary import summary


def report(*, ok: int = 0, failures: tuple[tuple[str, str], ...] = (), failed: int = 0) -> BatchReport:
    return BatchReport(
        job_id="j",
        books=Path("items.sqlite3"),
        finished=True,
        items=ok + failed,
        ok=ok,
        failed=failed,
        waiting=0,
        retries=1,
        seconds=1.0,
        rate=1.0,
        sent_bytes=0,
        quantiles=(0.1, 0.2, 0.3),
        reasons={"missing": failed} if failed else {},
        slowest=[],
        failures=failures,
    )


def test_nothing_to_do_is_told_and_is_no_success() -> None:
    nothing = report()
    assert nothing.exit_code == 1
    assert "There was nothing to compute" in summary(nothing, [], None)
    assert report(ok=1).exit_code == 0
    assert "nothing to compute" not in summary(report(ok=1), [], None)


def test_failures_are_named_and_where_the_others_are() -> None:
    few = summary(report(failed=1, failures=(("photo", "missing"),)), [], None)
    assert "failed: 1 missing\n    photo: missing\n" in few
    assert "…" not in few
    many = report(failed=4, failures=tuple((f"{n}.jpg", "missing") for n in range(3)))
    assert "--output faces.csv" in summary(many, [], None)
    assert "--output" not in summary(many, [Path("o.csv")], None)
    assert "1 retry" in few
