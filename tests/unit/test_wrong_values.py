"""What is said of a wrong setting: what would do, and never the value itself."""

import re

import pytest

from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.settings import ServiceSettings, environment_names, read
from worker.settings import WorkerSettings

WORKER, PRODUCER, GATEWAY = WorkerSettings, ProducerSettings, GatewaySettings
UNIT = ": digits and a point, without a unit"
DIGITS = ": digits alone, without a unit"
NAME = "1 to 64 letters, digits, `_`, `.` and `-` are needed"


@pytest.mark.parametrize(
    ("settings", "given", "says"),
    [
        (WORKER, "WORKER_LANE=liv", "live, batch, gpu or remote is needed: did you mean live?"),
        (WORKER, "WORKER_LANE=LIVE", "live, batch, gpu or remote is needed: did you mean live?"),
        (WORKER, "WORKER_LANE=frames", "live, batch, gpu or remote is needed"),
        (WORKER, "WORKER_DEVICE=cud", "auto, cpu or cuda is needed: did you mean cuda?"),
        (WORKER, "WORKER_DEVICE=gpu", "auto, cpu or cuda is needed"),
        (WORKER, "WORKER_BATCH=0", "a whole number from 1 to 64 is needed"),
        (WORKER, "WORKER_BATCH=1.5", f"a whole number from 1 to 64 is needed{DIGITS}"),
        (WORKER, "PREFETCH=129", "a whole number from 1 to 128 is needed"),
        (WORKER, "PREFETCH=two", f"a whole number from 1 to 128 is needed{DIGITS}"),
        (WORKER, "WORKER_METRICS_PORT=99999", "a whole number from 0 to 65535 is needed (by default 8000)"),
        (WORKER, "WORKER_STALENESS_SECONDS=2s", f"a number above 0 is needed (by default 2){UNIT}"),
        (WORKER, "WORKER_STALENESS_SECONDS=nan", "a number above 0 is needed (by default 2)"),
        (WORKER, "WORKER_MAX_PIXELS=50M", f"a whole number above 0 is needed (by default 50000000){DIGITS}"),
        (WORKER, "WORKER_THRESHOLD=60%", f"a number from 0 to 1 is needed{UNIT}"),
        (WORKER, "NODE_ID=a b", NAME),
        (
            WORKER,
            "WORKER_REMOTE_CHEAPER_WHEN=sunday",
            "any of budget, weekend, low-priority, comma-separated, is needed",
        ),
        (WORKER, "LOG_LEVEL=WARN", "debug, info, warning or error is needed: did you mean warning?"),
        (WORKER, "LOG_FORMAT=text", "auto, json or console is needed"),
        (PRODUCER, "PRODUCER_FPS=25/1", f"a number from 0 to 1000 is needed (by default 0){UNIT}"),
        (PRODUCER, "PRODUCER_END=finsh", "loop or finish is needed: did you mean finish?"),
        (PRODUCER, "PRODUCER_MOTION=yes", "auto, on or off is needed: did you mean on?"),
        (PRODUCER, "PRODUCER_MOTION_AREA=2", "a number from 0.0001 to 0.9 is needed (by default 0.002)"),
        (
            PRODUCER,
            "PRODUCER_STREAM_MEMORY_MB=5",
            "a whole number of at least 100 is needed (by default 1000)",
        ),
        (PRODUCER, "PRODUCER_TLS_VERIFY=nope", "true or false is needed"),
        (PRODUCER, "PRODUCER_ID=a/b", NAME),
        (PRODUCER, f"PRODUCER_MODEL={'m' * 101}", "at most 100 characters are allowed"),
        (GATEWAY, "GATEWAY_AUTH=no", "on or off is needed: did you mean off?"),
        (
            GATEWAY,
            "GATEWAY_HISTORY_DAYS=7d",
            f"a number above 0 and up to 3650 is needed (by default 7){UNIT}",
        ),
        (GATEWAY, "GATEWAY_EXPECTED_WORKERS=-1", "a whole number of at least 0 is needed"),
        (GATEWAY, "PROMETHEUS_URL=localhost:9090", "the address must look like http://host:port"),
    ],
)
def test_a_wrong_setting_is_answered_with_what_would_do(
    settings: type[ServiceSettings], given: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, value = given.partition("=")
    monkeypatch.setenv(name, value)
    assert read(settings, {name: value}) == (None, [f"{name}: {says}"])


def test_no_setting_is_answered_in_pydantics_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever cannot be read, of every setting of every service: what is given and pydantic's terms are not shown."""
    for settings in (WORKER, PRODUCER, GATEWAY):
        for name in environment_names(settings):
            with monkeypatch.context() as patched:
                patched.setenv(name, "s3cret one")
                _, wrong = read(settings, {name: "s3cret one"})
            for sentence in wrong:
                assert re.match(rf"{name}\b", sentence)
                assert not re.search(r"[Ii]nput should|pattern|unable to|String|valid", sentence)
                # Which quotes the part that is wrong.
                assert "s3cret" not in sentence or name == "WORKER_DETECTOR"
