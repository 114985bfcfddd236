"""`framefleet queues repair`: which files are a queue's, and which queues it must not touch. No broker."""

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import tools
from cli.errors import NoBroker
from cli.layout import Layout
from cli.queues import commands, run
from cli.queues.damage import LOG_BYTES, Damage, broker_log, find_damage, move_away
from cli.queues.repair import DownQueue, find_folder, set_aside
from contract.topology import TOPOLOGY, Queue

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


LOGGED = (
    "{} [warning] <0.345.0> segment_writer: failed to open segment file "
    "/var/lib/x/n@localhost/quorum/n@localhost/{}/00000001.segment error: {{error,{}}}. Exiting\n"
)


def test_damaged_files_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    whole = folder(tmp_path / "data", "2F_FRA1", "'%2F_frame_queue.batch'")
    (whole / "00000001.segment").write_bytes(b"RASG\0\2\x10\0")
    (whole / "00000002.segment").touch()  # what kill -9 leaves; RabbitMQ deletes it
    live = folder(tmp_path / "data", "2F_FRA2", "'%2F_frame_queue'")
    nameless = folder(tmp_path / "data", "2F_FRA3", "")
    (nameless / "config").unlink()
    (nameless / "00000002.segment").mkdir()
    why = "its first bytes are not those of a segment"
    assert find_damage(tmp_path / "data", "/") == [
        Damage(live, "frame_queue", "00000001.segment", why),
        Damage(nameless, "2F_FRA3", "00000001.segment", why),
    ]
    assert find_damage(tmp_path / "nothing", "/") == []


def test_the_log_is_believed_of_files_that_were_not_written_since(tmp_path: Path) -> None:
    for uid, name in (("2F_OLD", "old"), ("2F_NEW", "new"), ("2F_FULL", "full")):
        file = folder(tmp_path / "data", uid, f"'%2F_{name}'") / "00000001.segment"
        file.write_bytes(b"RASG\0\xff\x10\0")
        os.utime(file, (1_000_000_000, 2_000_000_000 if name == "old" else 1_000_000_000))
    broker_log(tmp_path / "data").parent.mkdir()
    when = datetime.fromtimestamp(1_500_000_000, UTC).isoformat(" ")
    lines = [
        "\xff" * LOG_BYTES + "\n",
        LOGGED.format(when, "2F_OLD", "invalid_segment_format"),
        LOGGED.format(when, "2F_NEW", "invalid_segment_format"),
        LOGGED.format(when, "2F_FULL", "enospc"),  # a full disk is not damage
        LOGGED.format(when, "2F_GONE", "invalid_segment_format"),
        LOGGED.format("no time", "2F_FULL", "invalid_segment_format"),
        LOGGED.format(when, "..", "invalid_segment_format"),
    ]
    broker_log(tmp_path / "data").write_text("".join(lines), encoding="latin-1")
    found = find_damage(tmp_path / "data", "/")
    assert [(each.queue, each.why) for each in found] == [("new", "RabbitMQ says invalid_segment_format")]
    away = move_away(found[0], tmp_path / "shelf")
    assert (away / "00000001.segment").exists()
    assert not found[0].folder.exists()


async def test_nothing_is_deleted_where_no_queue_can_be_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def cannot(_urls: object) -> str:
        return "INTERNAL_ERROR - …: cluster_not_formed"

    async def touched(*_arguments: object) -> None:
        raise AssertionError("a queue was looked at, or made anew")

    monkeypatch.setattr(commands, "why_no_queue", cannot)
    monkeypatch.setattr(commands, "find_down", touched)
    monkeypatch.setattr(commands, "make_anew", touched)
    for action in ("check", "upgrade", "repair"):
        arguments = argparse.Namespace(action=action, data=tmp_path, aside=None, dry_run=False, yes=True)
        assert await commands.run(arguments, ["amqp://127.0.0.1/"]) == 1
        said = capsys.readouterr()
        assert "cluster_not_formed" in said.out + said.err
        assert "as they should be" not in said.out


def test_the_files_of_a_broker_that_has_ended_are_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make up` ends one of which no queue works, and nobody knows it any more."""
    monkeypatch.delenv("AMQP_URL", raising=False)
    for module in (commands, tools):
        monkeypatch.setattr(module, "Layout", lambda: Layout(tmp_path))
    live = folder(Layout(tmp_path).rabbitmq / "data", "2F_FRA2", "'%2F_frame_queue'")
    words = {"action": "repair", "data": None, "aside": None, "dry_run": False}
    assert run(argparse.Namespace(**words, yes=False)) == 1
    assert live.exists()
    assert run(argparse.Namespace(**words, yes=True)) == 0
    assert not live.exists()
    assert len(list((tmp_path / ".run" / "damaged").glob("2F_FRA2-*/config"))) == 1
    assert "frame_queue: 00000001.segment is damaged" in capsys.readouterr().out
    with pytest.raises(NoBroker):
        run(argparse.Namespace(**words, yes=True))


async def test_where_nothing_runs_of_any_queue_none_is_deleted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """RabbitMQ could make one in the moment of the trial: what writes them is started again some times."""

    async def none(_urls: object) -> None:
        return None

    async def find_down(_urls: object, queues: Sequence[Queue], _data: object) -> list[DownQueue]:
        return [DownQueue(queue, "INTERNAL_ERROR - …: noproc", None) for queue in queues]

    async def touched(*_arguments: object) -> None:
        raise AssertionError("it was made anew")

    # A broker of this checkout's own, as `make up` leaves one, would be looked at instead.
    monkeypatch.setattr(commands, "Layout", lambda: Layout(tmp_path))
    monkeypatch.setattr(commands, "why_no_queue", none)
    monkeypatch.setattr(commands, "find_down", find_down)
    monkeypatch.setattr(commands, "make_anew", touched)
    arguments = argparse.Namespace(action="repair", data=None, aside=None, dry_run=False, yes=True)
    assert await commands.run(arguments, ["amqp://127.0.0.1/"]) == 1
    assert "docker compose stop rabbitmq" in capsys.readouterr().out
