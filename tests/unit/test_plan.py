"""`framefleet plan`: the arithmetic, what it warns of, and what it says. Measuring is tested with real processes."""

import argparse
import inspect
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from cli.plan.arithmetic import (
    LARGEST_WINDOW,
    TARGET_SECONDS,
    UTILISATION,
    Footprint,
    Plan,
    held,
    plan,
    traffic,
)
from cli.plan.costs import BROKER, YARDSTICK, BrokerMeasured, Costs, costs_of
from cli.plan.demand import Demand, demand_of
from cli.plan.limits import warnings
from cli.plan.machine import Machine, this_machine
from cli.plan.measurement import Measured
from cli.plan.pictures import pictures
from cli.plan.report import Report, json_of, text_of
from contract.task import Task, TaskForm, encode_task
from contract.topology import TASK_QUEUE, TOPOLOGY
from producer.lane.window import Window

DEMAND = Demand(1000, 0.2, (640, 480), 40_000, TaskForm.BASE64, "yunet", 0.0)
COSTS = Costs(picture=0.1, producer=0.3, broker=0.8, worker=3.0, gateway=0.2)
FOOTPRINT = Footprint(worker=120_000_000, producer=100_000_000)
MEASURED = Measured(
    model="yunet@ebafce4e",
    fallback=None,
    worker_frame=2.0,
    worker_bytes=125_000_000,
    fetch=0.05,
    gate=0.5,
    yardstick=YARDSTICK,
    producer_bytes=100_000_000,
    picture_bytes=38_000,
)


def planned(**changes: object) -> Plan:
    return plan(replace(DEMAND, **changes), COSTS, FOOTPRINT)  # type: ignore[arg-type]


def asked(**given: object) -> argparse.Namespace:
    usual = {"cameras": 10, "fps": 1.0, "size": "640x480", "bytes": None, "form": "base64", "model": "auto"}
    return argparse.Namespace(**{**usual, "motion": 0.0, **given})


def test_cores_are_frames_times_milliseconds() -> None:
    cores = {part.name: part.cores for part in planned().parts}
    assert cores["workers"] == pytest.approx(200 * 3.0 / 1000)
    assert cores["RabbitMQ"] == pytest.approx(200 * 0.8 / 1000)
    assert cores["gateway"] == pytest.approx(200 * 0.2 / 1000)
    assert cores["producer"] == pytest.approx(200 * (0.1 + 0.3) / 1000)


@pytest.mark.parametrize("cameras", [1, 7, 100, 999, 5_000, 20_000])
def test_no_worker_and_no_core_is_busier_than_meant_and_one_less_would_be(cameras: int) -> None:
    made = planned(cameras=cameras)
    busy = made.demand.frames * (COSTS.worker + COSTS.wait) / 1000
    assert busy / made.workers <= UTILISATION
    assert made.workers == 1 or busy / (made.workers - 1) > UTILISATION
    assert made.cores / made.cores_needed <= UTILISATION
    assert made.part("producer").cores / made.producers <= UTILISATION


def test_skipped_pictures_are_looked_at_but_cost_nobody_else() -> None:
    all_, some = planned(), planned(skipped=0.75)
    for name in ("RabbitMQ", "workers", "gateway"):
        assert some.part(name).cores == pytest.approx(all_.part(name).cores / 4)
    assert some.part("producer").cores == pytest.approx(200 * 0.1 / 1000 + 50 * 0.3 / 1000)
    assert some.traffic.cameras == all_.traffic.cameras
    assert some.traffic.broker_in == pytest.approx(all_.traffic.broker_in / 4)


def test_memory_grows_with_cameras_and_processes() -> None:
    made, twice = planned(), planned(cameras=2000)
    assert made.part("workers").memory == made.workers * FOOTPRINT.worker
    assert twice.part("producer").memory - made.part("producer").memory >= 1000 * 3 * DEMAND.picture_bytes
    assert made.memory == sum(part.memory for part in made.parts)


@pytest.mark.parametrize("form", TaskForm)
def test_traffic_counts_the_tasks_bytes_as_they_travel(form: TaskForm) -> None:
    demand = replace(DEMAND, form=form)
    task = encode_task(
        Task(
            image=b"\xff\xd8\xff" + bytes(39_997),
            timestamp=1795216000.123,
            camera_id="c" * 20,
            frame_id="f" * 40,
        ),
        form,
    )
    assert demand.body_bytes == pytest.approx(len(task.body), abs=200)
    flows = traffic(demand)
    assert flows.broker_in > 200 * len(task.body)
    assert flows.broker_in == pytest.approx(200 * len(task.body), rel=0.06)
    assert flows.broker_out > flows.broker_in > flows.disk > 0


def test_the_machine_holds_what_its_cores_can_do_at_the_margin() -> None:
    cameras = held(DEMAND, COSTS, cores=4)
    assert planned(cameras=cameras).cores_needed == 4
    assert planned(cameras=cameras + 10).cores_needed == 5
    assert held(DEMAND, replace(COSTS, worker=1e6), cores=1) == 0


def test_a_window_that_frames_outgrow_means_more_producers() -> None:
    cheap = replace(COSTS, producer=0.0, picture=0.0)
    frames = 3 * LARGEST_WINDOW / TARGET_SECONDS
    assert plan(replace(DEMAND, cameras=int(frames), fps=1.0), cheap, FOOTPRINT).producers == 3


def test_the_window_is_the_producers() -> None:
    window = inspect.signature(Window).parameters
    assert (window["target"].default, window["largest"].default) == (TARGET_SECONDS, LARGEST_WINDOW)


def test_what_is_measured_goes_before_what_is_assumed() -> None:
    assumed = costs_of(MEASURED, DEMAND)
    assert assumed.worker > MEASURED.worker_frame
    assert assumed.picture == MEASURED.fetch
    assert costs_of(MEASURED, replace(DEMAND, skipped=0.5)).picture == MEASURED.fetch + MEASURED.gate
    assert costs_of(MEASURED, DEMAND, BrokerMeasured(0.5, "b:5672")).broker == 0.5
    assert costs_of(MEASURED, DEMAND, BrokerMeasured(None, "b:5672")) == assumed


def test_a_machine_half_as_fast_is_assumed_to_take_twice_as_long() -> None:
    small = replace(DEMAND, picture_bytes=30_000)
    usual, slow = costs_of(MEASURED, small), costs_of(replace(MEASURED, yardstick=2 * YARDSTICK), small)
    assert usual.broker == BROKER[TaskForm.BASE64]
    assert (slow.broker, slow.gateway, slow.producer) == (
        2 * usual.broker,
        2 * usual.gateway,
        2 * usual.producer,
    )
    assert slow.worker - usual.worker == pytest.approx(usual.worker - MEASURED.worker_frame)
    assert costs_of(MEASURED, replace(DEMAND, picture_bytes=150_000)).broker > usual.broker


def test_an_ordinary_plan_warns_of_nothing() -> None:
    assert warnings(planned()) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cameras": 6_000, "fps": 0.01}, f"{TASK_QUEUE} holds 5,000"),
        ({"picture_bytes": 4_000_000, "cameras": 200, "fps": 0.01}, f"{TASK_QUEUE} holds"),
        ({"cameras": 2, "fps": 25.0}, "so a camera then sends 5 a second and not 25"),
        ({"cameras": 40_000}, "one quorum queue"),
        ({"cameras": 20_000}, "The gateway is one process"),
        ({"cameras": 4_000, "picture_bytes": 200_000}, "1 Gbit/s"),
        ({"cameras": 3_000}, "minutes without a gateway"),
    ],
)
def test_a_limit_that_is_passed_is_told(changes: dict[str, object], says: str) -> None:
    assert any(says in sentence for sentence in warnings(planned(**changes)))


def test_the_queue_that_is_too_small_is_judged_by_its_real_bounds() -> None:
    (queue,) = (each for each in TOPOLOGY.queues if each.name == TASK_QUEUE)
    most = int(queue.arguments["x-max-length"])
    assert not any("holds" in sentence for sentence in warnings(planned(cameras=most, fps=0.01)))
    assert any("holds" in sentence for sentence in warnings(planned(cameras=most + 1, fps=0.01)))


def test_what_is_asked_is_checked_with_a_sentence() -> None:
    assert demand_of(asked()).picture_bytes == 40_000
    assert demand_of(asked(size="1280x960")).picture_bytes == 160_000
    assert demand_of(asked(size="1920x1080", bytes=90_000)).size == (1920, 1080)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"size": "large"}, "as 640x480"),
        ({"cameras": 0}, "--cameras 0"),
        ({"fps": 0.0}, "--fps 0"),
        ({"fps": math.nan}, "--fps nan"),
        ({"motion": 1.0}, "--motion 1"),
        ({"bytes": 12}, "--bytes 12"),
        ({"bytes": 10_000_000}, "larger than the broker takes"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        demand_of(asked(**given))


@pytest.mark.parametrize(
    ("size", "count"), [((640, 480), 20_000), ((640, 480), 120_000), ((1920, 1080), 200_000)]
)
def test_pictures_are_as_heavy_as_asked_for(size: tuple[int, int], count: int) -> None:
    drawn = pictures(size, count, 4)
    assert sum(map(len, drawn)) / 4 == pytest.approx(count, rel=0.25)


def test_the_container_is_the_machine(tmp_path: Path) -> None:
    whole = this_machine(tmp_path)
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text("536870912\n")
    assert this_machine(tmp_path) == Machine(1, 512 * 2**20)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert this_machine(tmp_path) == whole


def test_the_report_says_what_is_measured_and_what_is_assumed() -> None:
    report = Report(planned(skipped=0.5), COSTS, MEASURED, None, Machine(2, 2**34))
    text = text_of(report)
    assert "100.0 frames/s to analyse (50% skipped" in text
    assert f"make up WORKERS={report.plan.workers}" in text
    assert f"--scale cv-worker={report.plan.workers} --scale producer=1" in text
    measured, assumed = text.split("Measured ")[1].split("Assumed ")
    assert "motion gate and health 0.50" in measured
    assert "RabbitMQ 0.80" in assumed
    with_broker = text_of(replace(report, broker=BrokerMeasured(0.8, "b:5672")))
    assert "RabbitMQ at b:5672: 0.80" in with_broker.split("Assumed ")[0]


def test_a_model_that_is_not_the_best_is_told() -> None:
    fallen = replace(MEASURED, model="haar@1", fallback="no YuNet model here")
    report = Report(planned(), COSTS, fallen, None, Machine(2, 2**34))
    assert "Warning     Planned with haar@1" in text_of(report)
    assert "Planned with" not in text_of(replace(report, measured=MEASURED))


def test_more_than_one_producer_is_no_matter_for_make_up() -> None:
    report = Report(planned(cameras=20_000), COSTS, MEASURED, None, Machine(2, 2**40))
    assert report.plan.producers > 1
    assert any("starts one producer" in sentence for sentence in report.warnings)


def test_the_json_says_the_same_as_the_text() -> None:
    report = Report(planned(form=TaskForm.COMPACT), COSTS, MEASURED, None, Machine(2, 2**20))
    said = json.loads(json.dumps(json_of(report)))
    assert (said["workers"], said["cores_needed"]) == (report.plan.workers, report.plan.cores_needed)
    assert said["demand"]["form"] == "compact"
    assert "PRODUCER_FORM=compact" in said["commands"][0]
    assert any("of memory are needed" in sentence for sentence in said["warnings"])
    assert said["cpu_ms"]["worker"] == COSTS.worker
