"""How people learn of mistakes in a file of cameras: on the page, and by `framefleet cameras check`."""

import json
import re
from pathlib import Path

import pytest

from cli.parser import Parser
from cli.subcommands import SUB_COMMANDS
from contract.status import CameraFileProblem, CameraFileTrouble, ProducerStatus
from gateway.cameras.cameras import Cameras
from gateway.cameras.file_notices import file_notices


def trouble(
    count: int = 1, *, used: bool = True, text: str = "camera gate: fps: 'ten' is not a number"
) -> CameraFileTrouble:
    problems = [
        CameraFileProblem(text=text, line=3 + each, camera_id="gate") for each in range(min(count, 10))
    ]
    return CameraFileTrouble(path="/cameras/cameras.yaml", used=used, count=count, problems=problems)


def beat(name: str, file: CameraFileTrouble | None) -> ProducerStatus:
    return ProducerStatus(
        producer_id=name,
        state="running",
        cameras=0,
        outstanding=0,
        window=1,
        since=1.0,
        time=1.0,
        version="0",
        offer="x",
        file=file,
    )


def test_the_page_says_file_line_camera_and_what_goes_on() -> None:
    assert file_notices([trouble()]) == [
        "The file of cameras /cameras/cameras.yaml has a mistake: line 3: camera gate: fps: 'ten' is not a number. The "
        "other cameras are as it says; one that ran before runs on as it was. Correct the file: it is read again by "
        "itself."
    ]
    [notice] = file_notices([trouble(used=False, text="no valid YAML")])
    assert "It changes nothing: the cameras that ran before run on." in notice
    [notice] = file_notices([trouble(12_000)])
    assert "has 12,000 mistakes" in notice
    assert "and 11,997 more: framefleet cameras check /cameras/cameras.yaml." in notice


def test_producers_of_one_file_are_one_notice_and_the_dead_are_none() -> None:
    cameras = Cameras(lambda now: ["live"])
    for name in ("p", "q"):
        cameras.heard_producer(beat(name, trouble()), 0.0, 0.0)
    assert len(cameras.notices(1.0)) == 1
    cameras.heard_producer(beat("p", None), 5.0, 5.0)
    assert len(cameras.notices(5.0)) == 1
    assert cameras.notices(10.0) == []


def test_what_a_hostile_producer_says_is_short_and_printable() -> None:
    [notice] = file_notices([trouble(text="\x1b[31m" + "x" * 5000)])
    assert notice.isprintable()
    assert len(notice) < 700


# The command


def check(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    command = next(each for each in SUB_COMMANDS if each.name == "cameras")
    module = __import__(command.module, fromlist=["add", "run"])
    parser = Parser()
    module.add(parser)
    status = module.run(parser.parse_args(["check", *words]))
    return status, capsys.readouterr().out


def test_a_file_that_is_right_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_bytes(b"\xef\xbb\xbfcameras:\r\n  - id: a\r\n    source: demo:1\r\n")
    assert check(capsys, str(file)) == (0, f"{file}: 1 camera, nothing is wrong\n")


def test_a_file_that_is_not_here_is_told_and_is_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a container, on another machine or tomorrow it may be there."""
    file = tmp_path / "cameras.yaml"
    file.write_text("cameras:\n  - {id: a, source: 'demo:1'}\n  - {id: b, source: /no/such/film.mp4}\n")
    status, said = check(capsys, str(file))
    assert status == 0
    assert said.splitlines() == [
        f"{file}: 2 cameras, no mistakes in the file",
        "Not on this machine, or not for this user:",
        "  b: there is no /no/such/film.mp4 here",
    ]


def test_every_mistake_has_its_line_and_none_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(
        "cameras:\n  - {id: a, source: 'demo:1', fps: ten}\n  - {id: b, source: 'demo:1'}\n"
        "  - {id: b, source: 'demo:1'}\n  - {id: c, source: 'http://u:${CAMERA_PASS}@'}\n"
    )
    (tmp_path / "cameras.env").write_text("CAMERA_PASS='hunter2'\n")
    monkeypatch.setenv("CAMERAS", str(file))
    status, said = check(capsys)
    assert (status, said.splitlines()[0]) == (1, f"{file}: 3 mistakes; 1 camera can be used")
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == ["line 2", "line 4", "line 5"]
    assert "hunter2" not in said
    status, said = check(capsys, "--json")
    read = json.loads(said)
    assert (status, read["usable"], read["cameras"]) == (1, True, 1)
    assert read["problems"][0] == {
        "line": 2,
        "text": "camera a: fps: 'ten' is not a number",
        "camera_id": "a",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "the file cannot be read: No such file or directory"),
        (b"", "line 1: nothing is in it"),
        (b"# later\n", "line 1: nothing is in it"),
        (b"cameras:\n\t- id: a\n", "line 2: .* there is a tab: YAML is indented with spaces"),
        (b"cameras:\n  - id: a\n\tsource: x\n", "line 3: .* there is a tab"),
        (b"cameras:\n  - id: a\n    source: @x\n", "line 3: .* begins with @ is written in quotes"),
        (
            b"cameras:\n  - id: a\n    name: Gate: left\n",
            "line 3: .* colon and a space in it is written in quotes",
        ),
        (b"cameras:\n  - id: a\n   source: demo:1\n", "line 3: .* indented as the lines around it"),
        (b"cameras:\n  - id: a\n    name: 'Gate\n", "line 4: .* is not closed"),
        ("cameras:\n  - id: a\n    name: Tür\n".encode("latin-1"), "line 3: .* save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_how_to_become_one(
    text: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cameras.yaml"
    if text is not None:
        file.write_bytes(text)
    status, said = check(capsys, str(file))
    assert status == 1
    assert "cannot be used. A producer that runs goes on with what it read before" in said
    assert re.search(says, said)
