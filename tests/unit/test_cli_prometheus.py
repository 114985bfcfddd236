"""The native configuration of Prometheus has the shape of prometheus.yml."""

import json
from pathlib import Path
from typing import Any

import yaml

from cli.layout import CHECKOUT, Layout
from cli.prometheus import command, configuration, write_producer, write_workers

TARGETS = {
    "producer": "127.0.0.1:8010",
    "gateway": "127.0.0.1:8020",
    "rabbitmq": "127.0.0.1:15692",
    "prometheus": "127.0.0.1:9090",
}
DISCOVERY = {"dns_sd_configs", "static_configs", "file_sd_configs"}


def shape(config: dict[str, Any]) -> dict[str, Any]:
    """Jobs without where their targets come from."""
    jobs = config["scrape_configs"]
    return {job["job_name"]: {k: v for k, v in job.items() if k not in DISCOVERY} for job in jobs}


def test_it_scrapes_the_same_jobs_in_the_same_way_as_compose(tmp_path: Path) -> None:
    native: dict[str, Any] = configuration(Layout(tmp_path), TARGETS)
    compose = yaml.safe_load((CHECKOUT / "prometheus.yml").read_text())
    in_compose = shape(compose)
    del in_compose["node"]  # the machine's own metrics, with deploy/compose.monitoring.yml only
    assert shape(native) == in_compose
    assert native["global"] == compose["global"]


def test_parts_that_do_not_run_are_not_scraped(tmp_path: Path) -> None:
    native: dict[str, Any] = configuration(Layout(tmp_path), {"gateway": "127.0.0.1:8020"})
    assert list(shape(native)) == ["cv-worker", "cv-worker-batch", "gateway"]


def test_the_workers_are_listed_for_prometheus(tmp_path: Path) -> None:
    write_workers(tmp_path / "workers.json", [8000, 8002])
    listed = json.loads((tmp_path / "workers.json").read_text())
    assert listed == [
        {"targets": ["127.0.0.1:8000"], "labels": {"instance": "worker-1"}},
        {"targets": ["127.0.0.1:8002"], "labels": {"instance": "worker-2"}},
    ]


def test_a_producer_that_has_sent_all_is_not_scraped(tmp_path: Path) -> None:
    file = Layout(tmp_path).producer
    file.parent.mkdir()
    write_producer(file, "127.0.0.1:8010")
    assert json.loads(file.read_text()) == [
        {"targets": ["127.0.0.1:8010"], "labels": {"instance": "producer"}}
    ]
    write_producer(file, None)
    assert json.loads(file.read_text()) == []
    native: dict[str, Any] = configuration(Layout(tmp_path), TARGETS)
    assert native["scrape_configs"][2]["file_sd_configs"][0]["files"] == [str(file)]


def test_other_ports_after_a_restart_go_on_with_the_same_series(tmp_path: Path) -> None:
    """Else those of before stand beside them for five minutes: two brokers, say, that do not see each other."""
    before: dict[str, Any] = configuration(Layout(tmp_path), TARGETS)
    after: dict[str, Any] = configuration(Layout(tmp_path), dict.fromkeys(TARGETS, "127.0.0.1:1"))
    for config in (before, after):
        for job in config["scrape_configs"][3:]:
            [group] = job["static_configs"]
            assert group["labels"] == {"instance": job["job_name"].removesuffix("-queues")}


def test_prometheus_scrapes_itself_where_it_listens(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prometheus.mkdir(parents=True)
    started = command(layout, 9123, {}, {})
    written = json.loads((layout.prometheus / "prometheus.yml").read_text())
    assert "--web.listen-address=127.0.0.1:9123" in started.arguments
    assert written["scrape_configs"][-1]["static_configs"] == [
        {"targets": ["127.0.0.1:9123"], "labels": {"instance": "prometheus"}}
    ]


def test_alerts_go_to_the_alertmanager_whose_silences_the_page_shows(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prometheus.mkdir(parents=True)

    def alerting(env: dict[str, str]) -> Any:
        command(layout, 9090, TARGETS, env)
        return json.loads((layout.prometheus / "prometheus.yml").read_text())["alerting"]["alertmanagers"]

    assert alerting({}) == []
    [told] = alerting({"ALERTMANAGER_URL": "https://alerts.example:9093/am"})
    assert told == {
        "scheme": "https",
        "path_prefix": "/am",
        "static_configs": [{"targets": ["alerts.example:9093"]}],
    }
