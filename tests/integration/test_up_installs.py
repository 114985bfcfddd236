"""deploy/apt-install under the policy of an administrator who lets services start.

It runs in a mount namespace with its own /usr/sbin, /etc/init.d, /lib/systemd and /run: this machine is not touched.
apt-get is a stand-in that asks Debian's own invoke-rc.d and deb-systemd-invoke, as the packages' scripts do.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.bootstrap.packages import INSTALLER

NAMESPACE = ["unshare", "--mount", "--map-root-user"] if os.geteuid() != 0 else ["unshare", "--mount"]
ALLOWS = "#!/bin/sh\n# the administrator's\nexit 0\n"
MOUNTS = """
set -eu
for folder in usr/sbin etc/init.d lib/systemd/system etc/systemd/system run; do
    mount --bind "$1/$folder" "/$folder"
done
shift
exec "$@"
"""
APT = """#!/bin/sh
case "$*" in *" update") exit 0 ;; esac
for service in rabbitmq-server prometheus other; do
    printf '#!/bin/sh\\necho "$0 $1" >>/run/started\\n' >/etc/init.d/$service
    chmod 755 /etc/init.d/$service
    touch /lib/systemd/system/$service.service
    mkdir -p /etc/systemd/system/multi-user.target.wants
    ln -sf /lib/systemd/system/$service.service /etc/systemd/system/multi-user.target.wants/
    /usr/sbin/policy-rc.d $service start
    echo "$service $?" >>/run/asked
    deb-systemd-invoke start $service.service || true
done
exit ${APT_FAILS:-0}
"""
SYSTEMCTL = """#!/bin/sh
[ "$2" = disable ] && exec rm -f "/etc/systemd/system/multi-user.target.wants/$3"
echo "systemctl $*" >>/run/started
"""


@dataclass
class Machine:
    """A machine of files, with a running systemd that is none."""

    root: Path

    def install(self, **environment: str) -> int:
        """Run the installer; returns its exit code."""
        command = [
            *NAMESPACE,
            "sh",
            "-c",
            MOUNTS,
            "sh",
            str(self.root),
            "sh",
            str(INSTALLER),
            "rabbitmq-server",
        ]
        env = {"PATH": f"{self.root}/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment}
        return subprocess.run(command, env=env, capture_output=True, check=False).returncode

    def lines(self, name: str) -> list[str]:
        file = self.root / "run" / name
        return file.read_text().splitlines() if file.exists() else []

    @property
    def policy(self) -> Path:
        return self.root / "usr/sbin/policy-rc.d"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tried = subprocess.run([*NAMESPACE, "mount", "--bind", "/usr", "/usr"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("this machine does not let us make a mount namespace")
    for folder in (
        "usr/sbin",
        "etc/init.d",
        "lib/systemd/system",
        "etc/systemd/system",
        "run/systemd/system",
        "bin",
    ):
        (tmp_path / folder).mkdir(parents=True)
    for name, script in {"apt-get": APT, "systemctl": SYSTEMCTL, "update-rc.d": "#!/bin/sh\n"}.items():
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    invoke = shutil.which("invoke-rc.d", path="/usr/sbin:/usr/bin")
    if invoke:
        shutil.copy(invoke, tmp_path / "usr/sbin")
    return Machine(tmp_path)


def allow(machine: Machine, mode: int = 0o750) -> None:
    machine.policy.write_text(ALLOWS)
    machine.policy.chmod(mode)


def test_new_services_are_neither_started_nor_enabled_and_others_are_as_before(machine: Machine) -> None:
    allow(machine)
    assert machine.install() == 0
    assert machine.lines("asked") == ["rabbitmq-server 101", "prometheus 101", "other 0"]
    assert not any("rabbitmq" in line or "prometheus" in line for line in machine.lines("started"))
    assert any("other" in line for line in machine.lines("started"))
    wanted = machine.root / "etc/systemd/system/multi-user.target.wants"
    assert [path.name for path in wanted.iterdir()] == ["other.service"]


def test_a_service_that_the_machine_had_before_is_left_alone(machine: Machine) -> None:
    allow(machine)
    (machine.root / "lib/systemd/system/rabbitmq-server.service").touch()
    assert machine.install() == 0
    assert "rabbitmq-server 0" in machine.lines("asked")
    assert (machine.root / "etc/systemd/system/multi-user.target.wants/rabbitmq-server.service").is_symlink()


@pytest.mark.parametrize("apt", ["0", "100"])
def test_the_administrators_policy_is_put_back_as_it_was(machine: Machine, apt: str) -> None:
    allow(machine)
    before = machine.policy.stat()
    assert machine.install(APT_FAILS=apt) == int(apt)
    after = machine.policy.stat()
    assert machine.policy.read_text() == ALLOWS
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )
    assert [path.name for path in machine.policy.parent.glob("policy-rc.d*")] == ["policy-rc.d"]


def test_where_there_was_no_policy_there_is_none_afterwards(machine: Machine) -> None:
    assert machine.install() == 0
    assert list(machine.policy.parent.glob("policy-rc.d*")) == []


def test_what_a_killed_run_left_behind_is_put_back(machine: Machine) -> None:
    allow(machine)
    machine.policy.rename(machine.policy.with_name("policy-rc.d.before-framefleet"))
    machine.policy.write_text("#!/bin/sh\n# Written by Framefleet for the time of one apt-get\nexit 101\n")
    assert machine.install() == 0
    assert machine.policy.read_text() == ALLOWS
    assert "other 0" in machine.lines("asked")
