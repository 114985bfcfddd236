"""What a worker loads: the HTTP client, and all that calls an endpoint, only for the remote lane."""

import json
import subprocess
import sys

import pytest

CLIENTS = ("aiohttp", "httpx", "requests", "redis", "worker.remote.engine", "worker.remote.endpoint")
STARTED = f"""
import json, sys
from worker.__main__ import _switchboard
from worker.metrics import WorkerMetrics
from worker.service import Worker
from worker.settings import WorkerSettings
metrics = WorkerMetrics("w")
settings = WorkerSettings(
    lane=sys.argv[1],
    node_id="w",
    amqp_url="amqp://guest:guest@127.0.0.1:1",
    detector="haar",
    remote_url="http://127.0.0.1:1/v1",
    remote_model="seer",
)
Worker(settings, _switchboard(settings, metrics), metrics)
print(json.dumps([name for name in {CLIENTS} if name in sys.modules]))
"""


@pytest.mark.parametrize(
    ("lane", "loaded"),
    [("live", []), ("batch", []), ("remote", ["aiohttp", "worker.remote.engine", "worker.remote.endpoint"])],
)
def test_only_workers_of_the_remote_lane_load_an_http_client(lane: str, loaded: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", STARTED, lane], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == loaded
