"""deploy/rabbitmq/entrypoint.sh: the broker's password and cookie are our own, and who may read them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BECOMES = """\
#!/bin/sh
echo "$RABBITMQ_DEFAULT_USER $RABBITMQ_DEFAULT_PASS $*"
echo data >"$DATA/written"
"""


class Broker:
    """The script among folders of this test, with a program in the place of the broker."""

    def __init__(self, folder: Path, cluster: Path | None = None) -> None:
        self.data, self.shared = folder / "data", folder / "run"
        self.cluster = cluster or folder / "cluster"
        conf = folder / "conf.d"
        for each in (self.data, self.shared, self.cluster, folder / "bin", conf):
            each.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "deploy" / "rabbitmq" / "cluster.conf", conf / "70-cluster.conf")
        shutil.copy(ROOT / "deploy" / "rabbitmq" / "others", folder / "bin" / "framefleet-others")
        program = folder / "bin" / "docker-entrypoint.sh"
        program.write_text(BECOMES)
        program.chmod(0o755)
        script = (ROOT / "deploy" / "rabbitmq" / "entrypoint.sh").read_text()
        for old, new in (
            ("/etc/rabbitmq/conf.d", conf),
            ("/var/lib/rabbitmq", self.data),
            ("/run/framefleet-cluster", self.cluster),
            ("/run/framefleet/", f"{self.shared}/"),
        ):
            assert old in script
            script = script.replace(old, str(new))
        self._script = folder / "entrypoint.sh"
        self._script.write_text(script)
        self._path = f"{folder / 'bin'}:{os.environ['PATH']}"

    def start(self, member: str = "") -> str:
        done = subprocess.run(
            ["sh", self._script, "rabbitmq-server"],
            env={"PATH": self._path, "DATA": str(self.data), "FRAMEFLEET_MEMBER": member},
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return done.stdout

    @property
    def cookie(self) -> str:
        return (self.data / ".erlang.cookie").read_text()


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    return Broker(tmp_path / "first")


def test_the_cookie_is_random_and_stays(broker: Broker, tmp_path: Path) -> None:
    (broker.data / ".erlang.cookie").write_text("ABCDEFGHIJKLMNOPQRST")  # one that Erlang made, from before
    broker.start()
    made = broker.cookie
    assert len(made) == 48
    assert set(made) <= set("0123456789abcdef")
    broker.start()
    assert broker.cookie == made
    other = Broker(tmp_path / "other")
    other.start()
    assert other.cookie != made


def test_the_members_of_a_cluster_share_the_first_ones_cookie(broker: Broker, tmp_path: Path) -> None:
    broker.start("first")
    further = Broker(tmp_path / "further", broker.cluster)
    further.start("further")
    assert further.cookie == broker.cookie
    assert len(broker.cookie) == 48


def test_the_services_may_read_the_password_and_nothing_else_is_anybodys(broker: Broker) -> None:
    user, password, command = broker.start().splitlines()[0].split()
    assert (user, command) == ("framefleet", "rabbitmq-server")
    assert (broker.shared / "password").read_text() == password
    assert rights(broker.shared / "password") == 0o444  # another user's containers read it
    for path in broker.data.iterdir():
        assert rights(path) & 0o077 == 0, path
