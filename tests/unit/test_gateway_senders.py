"""The senders of a gateway: the file that the command writes, and how a running gateway follows it."""

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from contract.senders import MAX_CAMERAS, MAX_SENDERS, Sender, Senders, encode_senders
from contract.topology import Lane
from gateway.errors import BrokenSenders, NoSuchSender, TooManySenders
from gateway.senders.file import drop_sender, put_sender, read_senders
from gateway.senders.registry import REPEAT_SECONDS, SenderRegistry

SCHOOL = Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH), cameras=("gate-*",), max_cameras=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "senders.json"


class TestFile:
    def test_what_was_put_is_read_and_each_change_has_a_higher_revision(self, path: Path) -> None:
        assert read_senders(path) == Senders()
        revisions = [put_sender(path, SCHOOL).revision, put_sender(path, Sender(name="bakery")).revision]
        assert drop_sender(path, "bakery").name == "bakery"
        revisions.append(read_senders(path).revision)
        assert revisions == sorted(set(revisions))
        assert read_senders(path).senders == (SCHOOL,)
        with pytest.raises(NoSuchSender):
            drop_sender(path, "bakery")

    def test_only_its_owner_reads_it_and_nothing_else_is_left(self, path: Path) -> None:
        put_sender(path, SCHOOL)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sorted(each.name for each in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]

    def test_a_crash_while_writing_leaves_the_old_ones(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_sender(path, SCHOOL)

        def crash(descriptor: int) -> None:
            raise OSError(5, "the disk went away", str(descriptor))

        monkeypatch.setattr(os, "fsync", crash)
        with pytest.raises(OSError, match="went away"):
            put_sender(path, Sender(name="bakery"))
        assert read_senders(path).senders == (SCHOOL,)

    def test_there_is_a_most(self, path: Path) -> None:
        everybody = tuple(Sender(name=f"s{number}") for number in range(MAX_SENDERS))
        path.parent.mkdir()
        path.write_bytes(encode_senders(Senders(revision=1, senders=everybody)))
        with pytest.raises(TooManySenders, match="100 senders"):
            put_sender(path, SCHOOL)
        assert len(put_sender(path, Sender(name="s7", share=0.5)).senders) == MAX_SENDERS

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"senders": [{"name": "school", "max_camras": 3}]}, "'max_camras', which there is not"),
            ({"senders": [{"name": "school"}, {"name": "school"}]}, "two senders have one name"),
            ({"senders": [{"name": "School-1"}]}, "name"),
            ({"senders": [{"name": "school", "lanes": []}]}, "no lane"),
            ({"senders": [{"name": "school", "share": 0}]}, "share"),
            ({"revision": 0}, "revision"),
            ({"kind": "models"}, "kind"),
        ],
    )
    def test_a_broken_file_is_an_error_that_names_it(
        self, path: Path, change: dict[str, Any], says: str
    ) -> None:
        path.parent.mkdir()
        path.write_text(json.dumps({"kind": "senders", "revision": 1, "senders": []} | change))
        with pytest.raises(BrokenSenders, match=says) as broken:
            read_senders(path)
        assert str(path) in str(broken.value)


class Gateway:
    """A registry that says things to a list."""

    def __init__(self, path: Path) -> None:
        self.said: list[Senders] = []
        self.registry = SenderRegistry.load(path, self.said.append)

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.registry.senders]


class TestRegistry:
    def test_without_a_file_nothing_is_said(self, path: Path) -> None:
        gateway = Gateway(path)
        for second in range(20):
            gateway.registry.tick(float(second))
        assert gateway.said == []

    def test_a_change_is_said_at_once_and_then_every_five_seconds(self, path: Path) -> None:
        gateway = Gateway(path)
        gateway.registry.tick(0.0)
        first = put_sender(path, SCHOOL)
        gateway.registry.tick(1.0)
        assert gateway.said == [first]
        gateway.registry.tick(2.0)
        second = put_sender(path, Sender(name="bakery"))
        gateway.registry.tick(3.0)
        assert gateway.said == [first, second]
        for moment in range(4, 4 + 2 * int(REPEAT_SECONDS)):
            gateway.registry.tick(float(moment))
        assert gateway.said == [first, second, second, second]
        gateway.registry.announce(30.0)  # the broker is back
        assert len(gateway.said) == 5

    def test_a_removed_one_is_known_no_more(self, path: Path) -> None:
        put_sender(path, SCHOOL)
        gateway = Gateway(path)
        assert gateway.registry.find("school") == SCHOOL
        assert gateway.registry.max_cameras("school") == 3
        drop_sender(path, "school")
        gateway.registry.tick(1.0)
        assert gateway.registry.find("school") is None
        assert gateway.registry.max_cameras("school") == MAX_CAMERAS

    def test_while_the_file_is_broken_those_of_before_stay_in_force(self, path: Path) -> None:
        put_sender(path, SCHOOL)
        gateway = Gateway(path)
        good = path.read_text()
        with structlog.testing.capture_logs() as logs:
            for number, text in enumerate(("{", "{", '{"kind": "senders", "senders": 7}')):
                path.write_text(text)
                gateway.registry.tick(number + 0.1)
                gateway.registry.tick(number + 0.2)
                assert gateway.registry.trouble
        assert gateway.names == ["school"]
        assert [line["log_level"] for line in logs] == ["error", "error"]  # once for each way of being broken
        path.write_text(good)
        gateway.registry.tick(5.0)
        assert gateway.registry.trouble == ""
        put_sender(path, Sender(name="bakery"))
        gateway.registry.tick(6.0)
        assert gateway.names == ["bakery", "school"]

    def test_no_gateway_begins_with_a_broken_one(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_text("{")
        with pytest.raises(BrokenSenders):
            Gateway(path)

    def test_an_older_file_or_one_changed_by_hand_is_told_and_does_not_hold(self, path: Path) -> None:
        put_sender(path, SCHOOL)
        gateway = Gateway(path)
        before = path.read_text()
        put_sender(path, Sender(name="bakery"))
        gateway.registry.tick(0.0)
        for text in (before, path.read_text().replace("bakery", "baker")):
            path.write_text(text)
            gateway.registry.tick(1.0)
            assert "framefleet senders set" in gateway.registry.trouble
            assert gateway.names == ["bakery", "school"]
        put_sender(path, SCHOOL)  # as the sentence says
        gateway.registry.tick(2.0)
        assert gateway.registry.trouble == ""

    async def test_what_another_gateway_says_later_holds_and_is_kept(self, path: Path) -> None:
        revision = put_sender(path, SCHOOL).revision
        gateway = Gateway(path)
        theirs = Senders(revision=revision + 1, senders=(Sender(name="bakery"),))
        gateway.registry.heard(theirs)
        gateway.registry.heard(Senders(revision=revision, senders=(Sender(name="old"),)))
        await gateway.registry.stop()
        assert gateway.names == ["bakery"]
        assert read_senders(path) == theirs
        gateway.registry.tick(0.0)
        assert gateway.registry.trouble == ""
        assert gateway.said == [theirs]

    async def test_where_it_cannot_be_kept_it_holds_all_the_same(self, path: Path) -> None:
        gateway = Gateway(path)
        path.parent.write_text("a file where the folder should be")
        gateway.registry.heard(Senders(revision=5, senders=(SCHOOL,)))
        with structlog.testing.capture_logs() as logs:
            await asyncio.wait_for(gateway.registry.stop(), 5)
        assert [line["log_level"] for line in logs] == ["warning"]
        assert gateway.names == ["school"]


def test_a_sender_in_the_file_reads_well(path: Path) -> None:
    put_sender(path, SCHOOL)
    written = msgspec.json.decode(path.read_bytes())
    assert written["senders"] == [
        {"name": "school", "lanes": ["live", "batch"], "cameras": ["gate-*"], "max_cameras": 3}
    ]
