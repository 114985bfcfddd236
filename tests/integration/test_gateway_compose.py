"""A gateway that cannot start leaves nothing open, and one that ends closes what it opened."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from gateway.errors import CannotStart
from tests.helpers.gateway import running_gateway


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
