"""`framefleet doctor`: each area told of what is broken, by inputs that are broken."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from broker.compare import Difference
from cli.doctor import (
    broker,
    certificates,
    clocks,
    disk,
    files,
    gateway,
    memory,
    models,
    ports,
    processes,
    prometheus,
    queues,
    versions,
    workers,
)
from cli.doctor.errors import NoAnswer
from cli.doctor.examination import examine
from cli.doctor.exposition import Samples, native_targets
from cli.doctor.finding import LONGEST, AreaFinding, Findings, Level
from cli.doctor.http import HttpAnswer, ask, shown
from cli.doctor.place import Place, find_place
from cli.doctor.report import json_of, summary, text_of
from cli.layout import Layout
from cli.models.shelf import ModelShelf
from cli.ports import own_port
from cli.queues.upgrade import FoundQueue
from cli.subcommands import IMAGE
from cli.survivors import Started, start_time
from contract.topology import TOPOLOGY
from gateway.tokens.file import add_token
from runtime.version import VERSION
from tests.helpers.processes import ROOT
from worker.models import Registry

GB = 1_000_000_000
DAY = 86_400.0


def noted(note: Callable[[Findings], Any]) -> list[tuple[str, str]]:
    """Level and name of what `note` notes, all that is well left out."""
    return [(each.level.value, each.name) for each in of(note) if each.level is not Level.OK]


def of(note: Callable[[Findings], Any]) -> list[AreaFinding]:
    findings = Findings("area")
    note(findings)
    # What is wrong says what to do.
    assert all(each.todo for each in findings.all if each.level is not Level.OK)
    return findings.all


def me() -> Started:
    started = start_time(os.getpid())
    assert started is not None
    return Started("gateway", os.getpid(), started)


# --- the frame around the checks ------------------------------------------------------------------------


def test_a_check_that_raises_or_hangs_is_a_finding_and_takes_no_other_along(tmp_path: Path) -> None:
    never = threading.Event()

    def hangs(_place: Place, findings: Findings) -> None:
        findings.error("before", "noted", "do")
        never.wait(30)

    def raises(_place: Place, _findings: Findings) -> None:
        raise ValueError("amqp://user:secret@host/")

    def well(_place: Place, findings: Findings) -> None:
        findings.ok("well", "it is")

    begun = time.monotonic()
    found = examine(Place(Layout(tmp_path)), {"hangs": hangs, "raises": raises, "well": well}, seconds=0.3)
    assert time.monotonic() - begun < 2
    never.set()
    assert [(each.area, each.level.value, each.name) for each in found] == [
        ("hangs", "error", "before"),
        ("hangs", "unknown", "time"),
        ("raises", "unknown", "check"),
        ("well", "ok", "well"),
    ]
    assert "ValueError in raises" in found[2].found
    assert "secret" not in found[2].found


def test_the_report_folds_what_is_well_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        AreaFinding("broker", "alarms", Level.OK, "none"),
        AreaFinding("broker", "files", Level.OK, "1 %"),
        AreaFinding("queues", "frame_queue", Level.ERROR, "no worker", "start one"),
        AreaFinding("clocks", "own", Level.UNKNOWN, "?", "look"),
        AreaFinding("disk", "run", Level.WARNING, "little", "make room"),
    ]
    assert text_of(found, verbose=False).splitlines() == [
        "broker  ok       alarms, files",
        "queues  error    frame_queue: no worker",
        "                 -> start one",
        "clocks  unknown  own: ?",
        "                 -> look",
        "disk    warning  run: little",
        "                 -> make room",
        "",
        "1 error, 1 unknown, 1 warning, 2 ok",
    ]
    assert "broker  ok       files: 1 %" in text_of(found, verbose=True)
    monkeypatch.setattr("cli.doctor.report.is_plain", lambda _out: False)
    assert "\x1b[1;31merror  \x1b[0m" in text_of(found, verbose=False)
    read = json.loads(json.dumps(json_of(found, 1.5)))
    assert read["counts"] == {"ok": 2, "warning": 1, "error": 1, "unknown": 1}
    assert read["failed"] is True
    assert read["findings"][2] == {
        "area": "queues",
        "name": "frame_queue",
        "level": "error",
        "found": "no worker",
        "todo": "start one",
    }
    assert not json_of(found[-1:], 0)["failed"]  # a warning stops no script
    assert summary([]) == ""


def test_a_stranger_s_words_neither_command_the_terminal_nor_fill_it() -> None:
    (found,) = of(lambda f: f.error("x", "\x1b[2J\x07evil\r\n" + "y" * 100_000, "do\x00 it"))
    assert found.found.startswith("[2J evil y")
    assert len(found.found) <= LONGEST + 1
    assert found.todo == "do it"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("prometheus:9090", "it looks like http://host:port"),
        ("", "it looks like http://host:port"),
        ("ftp://host/", "it looks like http://host:port"),
        ("http://host:many/", "host and port"),
        ("http://host/a b", "a space"),
        ("http://user:se@cret@host/", "an @ too many"),
    ],
)
def test_an_address_that_is_none_is_not_asked(url: str, why: str) -> None:
    with pytest.raises(NoAnswer, match=why) as raised:
        ask(url)
    assert "cret" not in str(raised.value)
    assert "cret" not in shown(url)


# --- the place ------------------------------------------------------------------------------------------


def layout_with(root: Path, **files: str) -> Layout:
    layout = Layout(root)
    layout.create()
    for name, text in files.items():
        (layout.run / f"{name}.json").write_text(text)
    return layout


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "<html>", '{"workers": 3, "gateway": ["x"]}', "[" * 100_000]
)
def test_files_that_make_up_did_not_write_are_a_finding(text: str, tmp_path: Path) -> None:
    place = find_place({}, layout_with(tmp_path, endpoints=text, processes=text))
    assert (place.gateway, place.workers, place.processes) == ("", (), ())
    assert [todo for _, todo in place.troubles if not todo] == []
    assert ("error", "files") in noted(lambda f: processes.check(place, f))


def test_a_file_that_this_user_cannot_read_is_a_finding(tmp_path: Path) -> None:
    layout = layout_with(tmp_path)
    layout.endpoints.mkdir()  # as good as without the right to read it, which root always has
    place = find_place({}, layout)
    found = of(lambda f: processes.check(place, f))
    assert "as the user who started the system" in found[0].todo


def test_no_system_at_all_is_an_error_that_says_how_to_start_one(tmp_path: Path) -> None:
    place = find_place({}, Layout(tmp_path))
    assert place.urls == ()
    assert "make up" in place.no_urls
    (found,) = of(lambda f: processes.check(place, f))
    assert (found.level, found.found) == (Level.ERROR, "no system runs in this checkout")
    named = find_place({}, Layout(tmp_path), amqp_url="amqp://host/", prometheus="http://host:9090")
    assert noted(lambda f: processes.check(named, f)) == []
    for area in (broker, queues, gateway, workers, prometheus):
        assert noted(partial(area.check, place)) == []  # told once is enough


def test_an_amqp_url_that_cannot_be_one_is_named_without_its_password(tmp_path: Path) -> None:
    place = find_place({"AMQP_URL": "amqp://user:se#cret@host/"}, Layout(tmp_path))
    (found,) = of(lambda f: broker.check(place, f))
    assert found.level is Level.ERROR
    assert "AMQP_URL" in found.found
    assert "cret" not in found.found


def test_in_the_gateway_s_container_its_own_settings_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("a-token-of-the-test-suite\n")
    environment = {
        IMAGE: "gateway",
        "AMQP_URL": "amqp://framefleet:x@rabbitmq:5672/",
        "PROMETHEUS_URL": "http://prometheus:9090",
        "GATEWAY_DATA_DIR": str(tmp_path),
        "GATEWAY_HOST": "::",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    place = find_place(os.environ, Layout(tmp_path))
    assert (place.gateway, place.token) == ("http://127.0.0.1:8080", "a-token-of-the-test-suite")
    assert (place.prometheus, place.native) == ("http://prometheus:9090", False)
    assert "a-token" not in repr(place)
    monkeypatch.setenv("GATEWAY_PORT", "many")
    wrong = find_place(os.environ, Layout(tmp_path))
    assert ("error", "files") in noted(lambda f: processes.check(wrong, f))


IN_THE_IMAGE = """
import sys
sys.modules["worker"] = sys.modules["producer"] = None  # they are not in it
from cli.__main__ import run
sys.exit(run(["doctor", "--json", "--amqp-url", "amqp://u:secret@127.0.0.1:1/", "--prometheus", "http://127.0.0.1:1"]))
"""


def test_the_gateway_s_image_has_all_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", IN_THE_IMAGE],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            IMAGE: "gateway",
            "GATEWAY_DATA_DIR": str(tmp_path),
            "GATEWAY_PORT": str(own_port()),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert [each for each in report["findings"] if "this check itself failed" in each["found"]] == []
    wrong = {(each["area"], each["name"]) for each in report["findings"] if each["level"] == "error"}
    assert {("broker", "connection"), ("prometheus", "answer"), ("gateway", "answer")} <= wrong
    assert "secret" not in done.stdout


def test_processes_that_ended_or_are_left_over_are_named(tmp_path: Path) -> None:
    gone = Started("worker-1", 2**22 - 7, 1)
    running = Place(Layout(tmp_path), gateway="http://x", processes=(me(), gone), supervisor=1)
    assert noted(lambda f: processes.check(running, f)) == [("error", "worker-1")]
    left = Place(Layout(tmp_path), processes=(me(), gone))
    assert noted(lambda f: processes.check(left, f)) == [("error", "left over")]
    starting = Place(Layout(tmp_path), processes=(me(),), supervisor=1)
    assert noted(lambda f: processes.check(starting, f)) == [("warning", "start")]
    (running.layout.root / ".run").mkdir()
    running.layout.endpoints.write_text('{"gateway": "http://127.0.0.1:8080", "amqp": "amqp://host/"}')
    killed = find_place({}, running.layout)
    assert (killed.gateway, killed.urls) == ("", ())  # nothing is asked of what is no more
    assert noted(lambda f: processes.check(killed, f)) == [("error", "killed")]
    copied = Place(Layout(tmp_path), original=Path("/elsewhere"))
    assert noted(lambda f: processes.check(copied, f)) == [("error", "copy")]


def test_native_targets_are_read_from_what_prometheus_was_told(tmp_path: Path) -> None:
    layout = layout_with(tmp_path)
    place = Place(layout, gateway="http://127.0.0.1:1", supervisor=1)
    for text in (
        "",
        "[]",
        '{"scrape_configs": [{}]}',
        '{"scrape_configs": [{"job_name": "a", "static_configs": []}]}',
    ):
        (layout.prometheus / "prometheus.yml").write_text(text)
        assert native_targets(place) == {}
    (layout.prometheus / "prometheus.yml").write_text(
        '{"scrape_configs": [{"job_name": "rabbitmq", "static_configs": [{"targets": ["127.0.0.1:15692"]}]}]}'
    )
    assert native_targets(place) == {"rabbitmq": ["127.0.0.1:15692"]}


# --- the areas ------------------------------------------------------------------------------------------


def samples(**values: float) -> Samples:
    return {f"rabbitmq_{name}": [({}, value)] for name, value in values.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"alarms_memory_used_watermark": 0.0}, []),
        ({"alarms_memory_used_watermark": 1.0}, [("error", "memory alarm")]),
        ({"alarms_free_disk_space_watermark": 1.0}, [("error", "disk alarm")]),
        (
            {"disk_space_available_bytes": 0.9 * GB, "disk_space_available_limit_bytes": 0.5 * GB},
            [("warning", "disk")],
        ),
        ({"disk_space_available_bytes": 9 * GB, "disk_space_available_limit_bytes": 0.5 * GB}, []),
        ({"process_open_fds": 900.0, "process_max_fds": 1000.0}, [("warning", "files")]),
        ({"process_open_fds": 900.0, "process_max_fds": 0.0}, []),
    ],
)
def test_the_broker_s_alarms_and_limits(values: dict[str, float], expected: list[tuple[str, str]]) -> None:
    assert noted(lambda f: broker.judge("http://broker", samples(**values), f)) == expected


def test_metrics_that_are_not_rabbitmq_s_are_somebody_else_s() -> None:
    assert noted(lambda f: broker.judge("x", {"go_goroutines": [({}, 3.0)]}, f)) == [("warning", "metrics")]


def state(name: str, messages: int | None = 0, consumers: int = 1) -> FoundQueue:
    queue = next(queue for queue in TOPOLOGY.queues if queue.name == name)
    made = FoundQueue(queue)
    made.messages, made.consumers = messages, consumers
    return made


def differing() -> FoundQueue:
    made = state("result_queue")
    made.differences = (Difference("x-max-length", 1_000_000, 5),)
    return made


def interrupted() -> FoundQueue:
    made = state("frame_queue")
    made.set_aside = 3
    return made


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([state("frame_queue"), state("result_queue")], []),
        ([state("frame_queue", None), state("result_queue", None)], [("error", "queues")]),
        ([state("frame_queue", None), state("result_queue")], [("warning", "missing")]),
        ([differing()], [("error", "result_queue")]),
        ([interrupted()], [("error", "frame_queue")]),
        ([state("frame_queue", consumers=0)], [("warning", "frame_queue")]),
        ([state("frame_queue", 7, consumers=0)], [("error", "frame_queue")]),
        ([state("frame_queue", 2_600)], [("warning", "frame_queue")]),
        ([state("frame_queue", 4_500)], [("error", "frame_queue")]),
        ([state("result_queue", consumers=0)], [("error", "result_queue")]),
        ([state("frame_queue.dlq", 1)], [("warning", "frame_queue.dlq")]),
        ([state("frame_queue.dlq", 5_001)], [("error", "frame_queue.dlq")]),
        ([state("frame_queue.batch", 9, consumers=0)], []),  # no worker has to be there for it
    ],
)
def test_queues(states: list[FoundQueue], expected: list[tuple[str, str]]) -> None:
    assert noted(lambda f: queues.judge(states, f)) == expected


def test_a_queue_whose_workers_are_all_drained_wants_them_back_and_no_more_of_them() -> None:
    (found,) = [
        each
        for each in of(lambda f: queues.judge([state("frame_queue", 7, consumers=0)], f, ["vm-1", "vm-2"]))
        if each.level is Level.ERROR
    ]
    assert found.todo == "framefleet nodes undrain vm-1 vm-2"


def test_somebody_else_s_consumer_is_accused_after_a_minute(tmp_path: Path) -> None:
    """A worker that was stopped or drained looks like one for some seconds."""
    samples_ = [("old", "1x40"), ("lately", "0x28 1x10")]
    (tmp_path / "t.yml").write_text(
        json.dumps(
            {
                "evaluation_interval": "5s",
                "tests": [
                    {
                        "interval": "5s",
                        "input_series": [
                            {"series": f'gateway_queue_foreign_consumers{{queue="{name}"}}', "values": values}
                            for name, values in samples_
                        ],
                        "promql_expr_test": [
                            {
                                "expr": queues.FOREIGN,
                                "eval_time": "160s",
                                "exp_samples": [{"labels": '{queue="old"}', "value": 1}],
                            },
                            {"expr": queues.FOREIGN, "eval_time": "20s", "exp_samples": []},
                        ],
                    }
                ],
            }
        )
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "t.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_members_of_queues_in_a_cluster() -> None:
    def broker_with(*names: str) -> Samples:
        return {queues.MEMBER: [({"queue": name}, 7.0) for name in names]}

    whole = broker_with("frame_queue", "result_queue", "somebody_else_s")
    assert noted(lambda f: queues.judge_members([whole] * 3, 3, f)) == []
    less = [whole, whole, broker_with("frame_queue")]
    assert noted(lambda f: queues.judge_members(less, 3, f)) == [("error", "result_queue")]
    assert of(lambda f: queues.judge_members([], 3, f)) == []  # nobody answered: `broker` says so


def target(job: str, health: str = "up", **more: str) -> dict[str, Any]:
    return {"labels": {"job": job, "instance": "i"}, "health": health, **more}


JOBS = [target(job) for job in prometheus.JOBS]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (JOBS, []),
        ([*JOBS, target("producer", "down", lastError="refused")], [("error", "target producer")]),
        (JOBS[1:], [("warning", "job cv-worker")]),
        (
            [*JOBS, *[target("cv-worker", "down")] * 9],
            [("error", "target cv-worker")] * 5 + [("error", "targets")],
        ),
        ([*JOBS, target("cv-worker", "unknown")], []),  # not looked at yet
    ],
)
def test_prometheus_targets(targets: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert noted(lambda f: prometheus.judge_targets({"activeTargets": targets}, f)) == expected


def test_prometheus_rules() -> None:
    good, bad = {"name": "A", "health": "ok"}, {"name": "B", "health": "err", "lastError": "many-to-many"}
    assert noted(lambda f: prometheus.judge_rules({"groups": [{"rules": [good]}]}, f)) == []
    assert noted(lambda f: prometheus.judge_rules({"groups": []}, f)) == [("error", "rules")]
    assert noted(lambda f: prometheus.judge_rules({"groups": [{"rules": [good, bad]}]}, f)) == [
        ("error", "rule B")
    ]


def test_the_gateway_s_alerts() -> None:
    def alert(severity: str, state: str = "firing", **more: Any) -> dict[str, Any]:
        return {"name": "FramefleetX", "severity": severity, "state": state, "summary": "s", **more}

    def said(*items: dict[str, Any], source: str = "prometheus") -> dict[str, Any]:
        return {"items": list(items), "source": source, "error": "Prometheus cannot be reached"}

    judge = gateway.judge_alerts
    assert noted(lambda f: judge(said(), f)) == []
    assert noted(lambda f: judge(said(alert("critical"), alert("warning")), f)) == [
        ("error", "alert FramefleetX"),
        ("warning", "alert FramefleetX"),
    ]
    assert noted(lambda f: judge(said(alert("info"), alert("critical", "pending")), f)) == []
    assert noted(lambda f: judge(said(source="none"), f)) == [("unknown", "alerts")]
    own = alert("warning", runbook="https://wiki/x", labels={"job": "cv-worker", "instance": "vm:8001"})
    (first, second, silenced) = of(
        lambda f: judge(
            said(
                own,
                alert("warning", description="look", labels={"camera_id": "gate"}),
                alert("critical", silenced_by=["7"]),
            ),
            f,
        )
    )
    assert (first.found, first.todo) == ("s (cv-worker at vm:8001)", "https://wiki/x")
    assert (second.found, second.todo) == ("s (gate)", "look")
    assert (silenced.level, silenced.name) == (Level.OK, "silenced")
    others: list[Any] = [[], {"source": "prometheus"}, "text", None]
    for other in others:
        with pytest.raises(NoAnswer, match="not as this version"):
            judge(other, Findings("gateway"))


def test_a_gateway_that_runs_and_is_slow_is_not_to_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent: list[str] = []

    def answer(url: str, **_how: Any) -> HttpAnswer:
        if any(url.endswith(each) for each in silent):
            raise NoAnswer("has not answered within 3 s")
        body: dict[str, Any] = {
            "status": "ready",
            "role": "operator",
            "items": [],
            "source": "prometheus",
            "error": None,
        }
        return HttpAnswer(url, 200, {}, json.dumps(body).encode(), 0, 0)

    monkeypatch.setattr(gateway, "ask", answer)

    def found(*processes_: Started) -> AreaFinding:
        place = Place(Layout(tmp_path), gateway="http://x", token="t", processes=processes_)
        return next(each for each in of(lambda f: gateway.check(place, f)) if each.level is not Level.OK)

    silent[:] = ["/api/alerts"]
    assert (found().name, found().level) == ("alerts", Level.UNKNOWN)
    assert "see prometheus" in found().todo
    silent[:] = ["/api/session"]
    assert "answers /readyz" in found().found
    assert "start it" not in found().todo
    silent[:] = ["/readyz"]
    assert "start it" in found().todo
    assert f"pid {os.getpid()}" in found(me()).found
    assert "start it" not in found(me()).todo


def test_a_prometheus_that_stands_still_is_not_to_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_question: Any) -> Any:
        raise NoAnswer("has not answered within 3 s")

    monkeypatch.setattr(prometheus, "data_of", silent)
    mine = Started("prometheus", me().pid, me().start_time)
    for processes_, starts in (((), True), ((mine,), False)):
        place = Place(Layout(tmp_path), prometheus="http://x", processes=processes_)
        (found,) = of(partial(prometheus.check, place))
        assert (found.level, "start it" in found.todo) == (Level.ERROR, starts)


def test_tokens_that_end_soon_and_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    place = Place(Layout(tmp_path), tokens=file)
    now = time.time()
    assert noted(lambda f: gateway.check(place, f)) == []
    add_token(file, "wall", "viewer", now, now + 3 * DAY)
    add_token(file, "phone", "viewer", now, now + 30 * DAY)
    add_token(file, "gone", "viewer", now - 9 * DAY, now - DAY)
    found = of(lambda f: gateway.check(place, f))
    assert [each.found for each in found] == ["the token wall ends in 3.0 days"]
    file.write_text("<html>")
    assert noted(lambda f: gateway.check(place, f)) == [("error", "tokens")]


def test_workers() -> None:
    def node(**changed: Any) -> dict[str, Any]:
        return {"node_id": "n", "state": "running", "detector": "yunet", "fallback": None, **changed}

    def said(*nodes: dict[str, Any], expected: int | None = None) -> dict[str, Any]:
        return {"items": list(nodes), "expected": expected}

    def judged(nodes: Any, expected: int | None = None) -> list[tuple[str, str]]:
        return noted(lambda f: workers.judge(nodes, expected, f))

    assert judged(said(node())) == []
    assert judged(said()) == [("error", "running")]
    assert judged(said(), 0) == []  # WORKERS=0 is meant
    assert judged(said(node(), expected=2)) == [("warning", "running")]
    assert judged(said(node(), node(state="lost"))) == [("warning", "n")]
    assert judged(said(node(model_error="no file"))) == [("error", "n")]
    out = {"state": "drained", "drain": {"since": 1.0, "by": "main"}}
    assert judged(said(node(), node(node_id="vm-2", **out), expected=2)) == [("warning", "drained")]
    all_out = said(node(node_id="vm-1", **out), node(node_id="vm-2", **{**out, "state": "running"}))
    (every,) = of(lambda f: workers.judge(all_out, 2, f))
    assert (every.level, every.todo) == (Level.ERROR, "framefleet nodes undrain vm-1 vm-2")
    assert judged(said(node(fallback="yunet is not here"))) == [("warning", "n")]
    with pytest.raises(NoAnswer):
        judged({"items": [{}]})


def test_model_files(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    registry = Registry.load(None)
    shelf = ModelShelf(registry, None, tmp_path / "cache")
    assert noted(lambda f: models.judge(shelf, "auto", f)) == [("warning", "yunet")]
    assert noted(lambda f: models.judge(shelf, "haar", f)) == []
    filename = registry.entry("yunet").filename
    assert filename is not None
    (tmp_path / "cache" / filename).write_bytes(b"half a downl")
    found = of(lambda f: models.judge(shelf, "auto", f))
    assert [each.name for each in found if each.level is Level.ERROR] == ["yunet"]
    assert "has another SHA-256" in found[0].found


def answered(date: str | None, asked: float, took: float = 0.2) -> HttpAnswer:
    return HttpAnswer("u", 200, {} if date is None else {"date": date}, b"", asked, asked + took)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0.0, []), (-1.0, []), (1.5, []), (3600.0, [("error", "gateway")]), (-3600.0, [("error", "gateway")])],
)
def test_clocks(ahead: float, expected: list[tuple[str, str]]) -> None:
    now = 1_795_216_000.4
    off = clocks.offset(answered(formatdate(now + ahead, usegmt=True), now))
    assert noted(lambda f: clocks.judge("gateway", off, f)) == expected


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 99999 99:99:99 GMT", "0"])
def test_a_date_that_is_none_is_no_clock(date: str | None) -> None:
    assert clocks.offset(answered(date, 1e9)) is None


def test_a_clock_that_was_put_back(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, endpoints="{}")
    os.utime(layout.endpoints, (time.time() + 3600,) * 2)
    assert noted(lambda f: clocks.check(Place(layout), f)) == [("error", "own")]


@pytest.mark.parametrize(
    ("free", "expected"),
    [(100 * GB, []), (int(1.5 * GB), [("warning", "system")]), (GB // 10, [("error", "system")])],
)
def test_disk(free: int, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    assert noted(lambda f: disk.judge("system", tmp_path, free, f)) == expected


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    place = Place(Layout(tmp_path), image="gateway", data=tmp_path / "unmounted")
    assert ("error", "gateway") in noted(lambda f: disk.check(place, f))


@pytest.mark.parametrize(
    ("available", "expected"),
    [(50, []), (9, [("warning", "machine")]), (3, [("error", "machine")]), (-5, [("error", "machine")])],
)
def test_memory(available: int, expected: list[tuple[str, str]]) -> None:
    assert noted(lambda f: memory.judge("machine", available * GB, 100 * GB, f)) == expected


def test_a_container_s_memory_and_whom_the_kernel_killed(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("990000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 20000\n")
    (tmp_path / "memory.events").write_text("oom 3\noom_kill 2\n")
    found = noted(lambda f: memory.check(Place(Layout()), f, tmp_path))
    assert [each for each in found if each[1] != "machine"] == [("error", "container"), ("warning", "killed")]


def test_file_limits(tmp_path: Path) -> None:
    assert noted(lambda f: files.judge("gateway", 900, 1000, f)) == [("error", "gateway")]
    assert noted(lambda f: files.judge("gateway", 900, -1, f)) == []  # no limit
    place = Place(Layout(tmp_path), processes=(me(), Started("gone", 2**22 - 7, 1)), supervisor=1)
    assert any(each.found == "1 looked at" for each in of(lambda f: files.check(place, f)))


def test_a_port_that_nobody_or_somebody_else_has(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = listening.getsockname()[1]
        place = Place(
            Layout(tmp_path),
            gateway=f"http://127.0.0.1:{taken}",
            prometheus=f"http://127.0.0.1:{own_port()}",
            supervisor=1,
        )
        found = of(lambda f: ports.check(place, f))
        assert [(each.level.value, each.name) for each in found[:2]] == [
            ("error", "gateway"),
            ("error", "prometheus"),
        ]
        assert f"pid {os.getpid()}" in found[0].found
        assert "nobody listens" in found[1].found
        mine = Place(Layout(tmp_path), gateway=place.gateway, processes=(me(),), supervisor=1)
        assert noted(lambda f: ports.check(mine, f)) == []


def test_versions_that_do_not_agree() -> None:
    def judged(versions_: dict[str, set[str]]) -> list[tuple[str, str]]:
        return noted(lambda f: versions.judge(versions_, f))

    assert judged({"gateway": {VERSION}, "worker": {VERSION}}) == []
    assert judged({"worker": {VERSION, "0.0.1"}}) == [("warning", "worker")]
    assert judged({"worker": {"0.0.1"}}) == [("warning", "worker")]


def test_certificates_that_end() -> None:
    assert noted(lambda f: certificates.judge("host:443", 30 * DAY, f)) == []
    assert noted(lambda f: certificates.judge("host:443", 3 * DAY, f)) == [("warning", "host:443")]


def test_a_stopped_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "status", lambda _self: psutil.STATUS_STOPPED)
    place = Place(Layout(tmp_path), gateway="http://x", processes=(me(),), supervisor=1)
    (found, *_) = of(lambda f: processes.check(place, f))
    assert f"kill -CONT {os.getpid()}" in found.todo
