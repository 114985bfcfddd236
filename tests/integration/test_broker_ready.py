"""deploy/rabbitmq/ready, the health check of a broker's container, with a broker that says what the test wants."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.layout import CHECKOUT
from tests.helpers.eventually import eventually
from tests.helpers.network import Network, network

READY = CHECKOUT / "deploy" / "rabbitmq" / "ready"
BROKER = """
import base64, http.server, pathlib, socketserver, sys, threading

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"framefleet:secret").decode()
        node = self.path == "/api/nodes/rabbit@hare?columns=partitions"
        if node and self.headers["Authorization"] != wanted:
            self.send_error(401)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(pathlib.Path(sys.argv[1]).read_bytes() if node else b"metrics")

for port in (15692, 15672, 5672):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Answers)
    threading.Thread(target=server.serve_forever).start()
"""


@pytest.fixture
def host() -> Iterator[Network]:
    """A host on which the broker's ports are free."""
    with network("hare") as laid:
        yield laid


def check(host: Network, folder: Path, member: str) -> tuple[int, str]:
    """Exit status and words of the health check."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOSTNAME": "hare",
        "FRAMEFLEET_MEMBER": member,
        "FRAMEFLEET_PASSWORD": str(folder / "password"),
    }
    command = [*host.inside("hare"), "bash", str(READY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout


def test_a_member_that_is_cut_off_is_not_healthy(host: Network, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    says = tmp_path / "says"
    says.write_text('{"partitions":[]}')
    broker = subprocess.Popen(
        [*host.inside("hare"), sys.executable, "-c", BROKER, str(says)], stderr=subprocess.DEVNULL
    )
    try:
        eventually("the broker", lambda: check(host, tmp_path, "")[0] == 0)
        assert check(host, tmp_path, "further") == (0, "")
        says.write_text('{"partitions":["rabbit@bunny","rabbit@coney"]}')
        status, words = check(host, tmp_path, "further")
        assert status == 1
        assert '"rabbit@bunny","rabbit@coney"' in words
        assert check(host, tmp_path, "")[0] == 0, "a single broker is not asked"
        (tmp_path / "password").write_text("another")
        status, words = check(host, tmp_path, "further")
        assert status == 1
        assert "401" in words
    finally:
        broker.kill()
        broker.wait()
