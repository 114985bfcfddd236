"""`framefleet cameras check --connect`: what real cameras answer, in one word each."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

from cli.cameras import connect
from cli.cameras.check import check, told
from cli.ports import free_port
from producer.catalogue.grammar import parse_sources
from producer.catalogue.settings import CameraSettings, of_spec
from producer.settings import ProducerSettings
from tests.helpers.media import jpeg
from tests.helpers.site import site


async def silent(request: web.Request) -> web.StreamResponse:
    """A camera that takes the connection and says nothing."""
    del request
    await asyncio.sleep(60)
    return web.Response()


def cameras(source: str, settings: ProducerSettings) -> list[CameraSettings]:
    return [of_spec(spec, settings) for spec in parse_sources(source)]


async def asked(wanted: Sequence[CameraSettings], settings: ProducerSettings) -> list[connect.CheckAnswer]:
    return await connect.connect(wanted, settings, lambda: None)


async def test_each_camera_is_asked_once_and_told_by_what_it_answers(tmp_path: Path) -> None:
    settings = ProducerSettings(timeout_seconds=1)
    picture = jpeg(width=320, height=240)
    async with site(tmp_path) as open_site, site(tmp_path, login="me:right") as locked:
        open_site.pages |= {"/good.jpg": picture, "/page.jpg": b"<html>Sign in</html>", "/late.jpg": silent}
        locked.pages["/snap.jpg"] = picture
        wrong = locked.url.replace("http://", "http://me:wrong@")
        right = locked.url.replace("http://", "http://me:right@")
        source = ",".join(
            [
                f"{open_site.url}/good.jpg",
                f"{right}/snap.jpg",
                f"{wrong}/snap.jpg",
                f"{open_site.url}/nothing.jpg",
                f"{open_site.url}/page.jpg",
                f"{open_site.url}/late.jpg",
                f"http://127.0.0.1:{free_port()}/snap.jpg",
            ]
        )
        answers = await asked(cameras(source, settings), settings)
        assert [answer.outcome for answer in answers] == [
            "right",
            "right",
            "credentials refused",
            "not found",
            "odd format",
            "no picture",
            "no picture",
        ], answers
        assert (answers[0].width, answers[0].height) == (320, 240)
        assert open_site.asked.count("/good.jpg") == 1
        assert not any("wrong" in answer.words for answer in answers)


async def test_cameras_are_asked_side_by_side_and_none_holds_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "SLACK", 0.5)
    settings = ProducerSettings(timeout_seconds=1, http_connections_per_host=64)
    async with site(tmp_path) as served:
        served.pages["/late.jpg"] = silent
        source = ",".join([f"{served.url}/late.jpg"] * 20)
        start = time.monotonic()
        answers = await asked(cameras(source, settings), settings)
    assert {answer.outcome for answer in answers} == {"no picture"}
    assert len(answers) == 20
    assert time.monotonic() - start < 8


async def test_other_sources(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg())
    (tmp_path / "broken.mp4").write_bytes(b"no film at all" * 100)
    settings = ProducerSettings(timeout_seconds=5)
    source = f"demo:1,{tmp_path / 'pictures'},{tmp_path / 'broken.mp4'}"
    demo, folder, broken = await asked(cameras(source, settings), settings)
    assert (demo.outcome, folder.outcome, broken.outcome) == ("right", "right", "odd format"), broken
    assert (folder.width, folder.height) == (64, 48)


def test_the_file_and_what_its_cameras_say(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    file = tmp_path / "cameras.yaml"
    file.write_text(
        f"cameras:\n"
        f"  - {{id: gate, source: {tmp_path}}}\n"
        f"  - {{id: yard, source: 'http://127.0.0.1:{free_port()}/snap.jpg'}}\n"
        f"  - {{id: off, source: 'demo:1', enabled: false}}\n"
    )
    checked = check(file, ask=True)
    assert not checked.well
    assert checked.answers is not None
    assert {answer.camera_id: answer.outcome for answer in checked.answers} == {
        "gate": "right",
        "yard": "no picture",
        "off": "switched off",
    }
    assert "Asked: 1 right, 1 no picture, 1 switched off" in told(checked)
    assert json.dumps([answer.outcome for answer in checked.answers])
    assert check(file).well
