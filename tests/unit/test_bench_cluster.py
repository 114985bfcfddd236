"""What the measurement of the whole cluster makes of counters: a wrong percentile would be believed."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cluster_figures import AIMS, Figures, figures
from bench.cluster_processes import Look
from bench.machine import family, idle_seconds, resident
from bench.metrics import Metrics, grown, jain, quantile, under
from gateway.metrics import AGE_BUCKETS
from tests.helpers.eventually import eventually

AGES = """
# TYPE age histogram
age_bucket{{le="0.1"}} {0}
age_bucket{{le="0.5"}} {1}
age_bucket{{le="+Inf"}} {2}
age_count {2}
"""


def test_a_sum_takes_the_samples_with_the_labels_and_no_other_metric() -> None:
    metrics = Metrics('a_total{x="1",y="2"} 3\na_total{x="2",y="2"} 4\na_total_more 9\nb 1\n')
    assert (metrics.total("a_total"), metrics.total("a_total", x="1"), metrics.total("c")) == (7, 3, 0)
    assert metrics.by("x", "a_total") == {"1": 3, "2": 4}


def test_percentiles_are_of_the_time_between_two_readings() -> None:
    before, after = Metrics(AGES.format(100, 100, 100)), Metrics(AGES.format(150, 190, 200))
    ages = grown(before.below("age"), after.below("age"))
    assert ages == {0.1: 50, 0.5: 90, math.inf: 100}
    assert quantile(ages, 0.5) == pytest.approx(0.1)
    assert quantile(ages, 0.7) == pytest.approx(0.3)
    assert quantile(ages, 0.99) == 0.5  # beyond the last edge nothing is known
    assert under(ages, 0.5) == 0.9
    assert math.isnan(quantile(grown(after.below("age"), after.below("age")), 0.95))


def test_fairness_is_one_for_equal_shares_and_one_nth_for_one_that_has_all() -> None:
    assert jain([3, 3, 3]) == 1
    assert jain([5, 0, 0, 0]) == 0.25


def test_the_gateway_counts_the_age_that_is_aimed_at() -> None:
    assert 0.5 in AGE_BUCKETS
    assert sorted(set(AGE_BUCKETS)) == list(AGE_BUCKETS)


def look(seconds: float, frames: int, **counts: float) -> Look:
    """After so many frames, half of them of each of two cameras, nine in ten of them in time."""
    dropped = "".join(
        f'producer_frames_dropped_total{{camera_id="a",reason="{why}"}} {count}\n'
        for why, count in counts.items()
    )
    sent = "".join(f'producer_frames_sent_total{{camera_id="{c}"}} {frames / 2}\n' for c in "ab")
    ages = AGES.format(frames * 0.5, frames * 0.9, frames).replace("age", "gateway_result_age_seconds")
    cpu = {"producer": frames * 0.001, "workers": frames * 0.003}
    return Look(
        time=seconds,
        rig=Metrics(f'rig_answers_total{{kind="picture"}} {2 * frames}\n'),
        producer=Metrics(sent + dropped),
        workers=[Metrics(f'cv_frames_failed_total{{reason="empty"}} {frames / 1000}\n')],
        gateway=Metrics(ages),
        cpu=cpu,
        idle=seconds * ((os.cpu_count() or 1) - 0.7),
    )


def test_figures_are_of_the_time_between_two_looks() -> None:
    found = figures(
        2, look(100.0, 1000, replaced=10, stale=7), look(110.0, 2000, replaced=60, stale=10), 512.0
    )
    assert (found.asked, found.analysed, found.replaced) == (200, 100, 5)
    assert found.under_half_second == pytest.approx(0.9)
    assert found.reasons == {"dropped: stale": 3, "failed": 1}  # what a newer frame replaced is not an error
    assert found.errors == pytest.approx(4 / 2000)
    assert found.cost == pytest.approx({"producer": 1.0, "workers": 3.0})
    assert (found.fairness, found.resident) == (1, 512)
    assert (found.busy, found.others) == pytest.approx((0.7, 0.3))


def test_a_camera_that_sends_nothing_is_unfair() -> None:
    assert figures(4, look(0.0, 0), look(1.0, 100), 0.0).fairness == 0.5


def good() -> Figures:
    return Figures(200, 150, 0, (0.1, 0.2, 0.3), 0.95, 0.0009, {}, 1.0, 1999, {}, 1.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "aim"),
    [
        ({}, None),
        ({"analysed": 149.9}, 0),
        ({"under_half_second": 0.949}, 1),
        ({"errors": 0.001}, 2),
        ({"resident": 2000}, 3),
    ],
)
def test_each_aim_is_missed_by_what_misses_it(wrong: dict[str, float], aim: int | None) -> None:
    found = Figures(**{**vars(good()), **wrong})
    assert [n for n, each in enumerate(AIMS) if not each.met(found)] == ([] if aim is None else [aim])
    assert [each.verdict(found).startswith("MISSED") for each in AIMS].count(True) == len(wrong)


def test_a_process_its_children_and_theirs_are_one_family() -> None:
    program = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    child = subprocess.Popen([sys.executable, "-c", program])
    try:
        eventually("the child has a child", lambda: family(child.pid))
        ours = family(os.getpid())
        assert {child.pid, *family(child.pid)} <= set(ours)
        assert os.getpid() not in ours
        assert resident(child.pid) > 1
        grandchild = family(child.pid)[0]
    finally:
        child.kill()
        child.wait()
    os.kill(grandchild, 9)
    assert resident(child.pid) == 0


def test_idle_time_is_that_of_the_machine() -> None:
    up = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < idle_seconds() <= 1.05 * up * (os.cpu_count() or 1)
