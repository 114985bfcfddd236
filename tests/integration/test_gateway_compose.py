"""A gateway that cannot start leaves nothing open, and one that ends closes what it opened."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import CannotStart
from tests.helpers.gateway import NO_BROKER, running_gateway

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_what_was_opened_before_a_failure_is_closed_again(tmp_path: Path) -> None:
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CannotStart, match="metrics port"),
    ):
        async with running_gateway(tmp_path, port=port, metrics_port=taken.getsockname()[1], token=None):
            pass
    assert os.listdir(tmp_path) == []  # no token, no history
    async with running_gateway(tmp_path, port=port) as gateway:  # the port and the history's file are free
        assert gateway.port == port


async def test_a_gateway_that_is_refused_the_history_makes_no_token(tmp_path: Path) -> None:
    async with running_gateway(tmp_path):
        with pytest.raises(CannotStart, match="another gateway writes"):
            async with running_gateway(tmp_path, token=None):
                pass
    assert not (tmp_path / "data" / "token").exists()


async def test_the_folder_of_a_new_gateway_is_its_owner_s_alone(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, token=None) as gateway:
        for path in (gateway.settings.data_dir, gateway.settings.data_dir / "token"):
            assert path.stat().st_mode & 0o077 == 0


async def test_a_gateway_that_has_ended_leaves_port_file_and_tasks(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running_gateway(tmp_path) as first:
        pass
    async with running_gateway(tmp_path, port=first.port) as second:
        assert second.port == first.port
    async with asyncio.timeout(5):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def refused(folder: Path, **settings: str) -> tuple[int, str]:
    """The exit status of a gateway that does not start, and what it says."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    chosen = {"AMQP_URL": NO_BROKER, "GATEWAY_DATA_DIR": str(folder / "data"), "GATEWAY_METRICS_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=ROOT,
        env={**kept, "GATEWAY_PORT": "0", **chosen, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "GATEWAY_METRICS_PORT"])
def test_a_port_in_use_is_no_wrong_setting(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = refused(tmp_path, **{name: str(taken.getsockname()[1])})
    assert code == 1
    assert "Address already in use" in said
    assert name in said


async def test_an_occupied_history_is_no_wrong_setting(tmp_path: Path) -> None:
    async with running_gateway(tmp_path):
        code, said = await asyncio.to_thread(refused, tmp_path)
    assert code == 1
    assert "another gateway writes the history" in said


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("GATEWAY_HOST", "192.0.2.1", "cannot listen on 192.0.2.1"),
        ("GATEWAY_DATA_DIR", "{file}/data", "the token cannot be kept in GATEWAY_DATA_DIR"),
        ("GATEWAY_TOKENS_FILE", "{file}", "is not a file of tokens"),
        ("GATEWAY_PROT", "1", "did you mean GATEWAY_PORT?"),
    ],
)
def test_a_wrong_setting_is_told_by_the_exit_status(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    file = tmp_path / "file"
    file.write_text("{}")
    code, said = refused(tmp_path, **{name: value.format(file=file)})
    assert code == 2
    assert sentence in said
