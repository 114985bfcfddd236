"""`framefleet queues repair`: which files are a queue's, and which queues it must not touch. No broker."""

import argparse
from pathlib import Path

import pytest

from cli.queues import commands
from cli.queues.repair import DownQueue, find_folder, set_aside
from contract.topology import TOPOLOGY

LIVE = next(queue for queue in TOPOLOGY.queues if queue.name == "frame_queue")


def folder(data: Path, uid: str, identity: str) -> Path:
    made = data / "n@localhost" / "quorum" / "n@localhost" / uid
    made.mkdir(parents=True)
    (made / "config").write_bytes(
        b"#{cluster_name => x,\n  id => {" + identity.encode() + b',n@localhost},\n  uid => <<"\xfc">>}.\n'
    )
    (made / "00000001.segment").write_bytes(b"x" * 10)
    return made


def test_a_queues_files_are_found_by_its_whole_name(tmp_path: Path) -> None:
    other = folder(tmp_path, "2F_FRA1", "'%2F_frame_queue.batch'")
    live = folder(tmp_path, "2F_FRA2", "'%2F_frame_queue'")
    own = folder(tmp_path, "X_FRA3", "'cv%2Fone_frame_queue'")
    assert find_folder(tmp_path, "/", "frame_queue") == live
    assert find_folder(tmp_path, "/", "frame_queue.batch") == other
    assert find_folder(tmp_path, "cv/one", "frame_queue") == own
    assert find_folder(tmp_path, "/", "result_queue") is None


def test_files_are_copied_where_nothing_is(tmp_path: Path) -> None:
    down = DownQueue(LIVE, "noproc", folder(tmp_path, "2F_FRA", "'%2F_frame_queue'"))
    aside = set_aside(down, tmp_path / "damaged")
    assert aside is not None
    assert (aside / "00000001.segment").read_bytes() == b"x" * 10
    assert down.folder is not None
    assert down.folder.exists()
    assert set_aside(DownQueue(LIVE, "noproc", None), tmp_path / "damaged") is None


async def test_a_queue_that_may_come_back_is_not_touched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a cluster that lacks its nodes it is on their disks, whole."""

    async def find_down(_urls: object, _queues: object, _data: object) -> list[DownQueue]:
        return [DownQueue(LIVE, why, None) for why in ("INTERNAL_ERROR - …: noproc", "it does not answer")]

    async def touched(*_arguments: object) -> None:
        raise AssertionError("it was made anew")

    async def can_make(_urls: object) -> None:
        return None

    monkeypatch.setattr(commands, "why_no_queue", can_make)
    monkeypatch.setattr(commands, "find_down", find_down)
    monkeypatch.setattr(commands, "make_anew", touched)
    arguments = argparse.Namespace(action="repair", data=None, aside=None, dry_run=False, yes=True)
    assert await commands.run(arguments, ["amqp://127.0.0.1/"]) == 1
    assert "start the nodes that are down" in capsys.readouterr().err
